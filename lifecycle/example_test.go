package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"darvaza.org/core"

	"darvaza.org/x/net/lifecycle"
)

// The shape of a client: connect, run the session, and let the verdict decide.
func Example() {
	ctx := context.Background()
	results := []error{io.ErrUnexpectedEOF, io.EOF, errors.New("bad password")}

	cb := &lifecycle.Callbacks{
		OnConnect: func(context.Context, net.Conn) error {
			fmt.Println("connected")
			return nil
		},
		OnSession: func(context.Context) error {
			err := results[0]
			results = results[1:]
			return err
		},
	}

	for {
		err := cb.Connect(ctx, nil)
		if err == nil {
			err = cb.Session(ctx)
		}
		if v := cb.Judge(ctx, nil, err); v.Stop {
			fmt.Println("stopped:", lifecycle.Reason(v.Reason))
			return
		}
	}
	// Output:
	// connected
	// connected
	// connected
	// stopped: bad password
}

func ExampleIsFatal() {
	lookup := &net.DNSError{Err: "no such host", Name: "db.internal", IsNotFound: true}
	login := errors.New("bad password")

	fmt.Println(lifecycle.IsFatal(io.EOF))
	fmt.Println(lifecycle.IsFatal(fmt.Errorf("dial: %w", lookup)))
	fmt.Println(lifecycle.IsFatal(login))
	fmt.Println(lifecycle.IsFatal(errors.Join(io.EOF, login)))

	// An error of one's own can be marked, either way.
	fmt.Println(lifecycle.IsFatal(core.NewTemporaryError(login)))
	fmt.Println(lifecycle.IsFatal(fmt.Errorf("%w: %w", lifecycle.ErrDoNotReconnect, io.EOF)))
	// Output:
	// false
	// false
	// true
	// true
	// false
	// true
}

func ExampleCall() {
	words := strings.Fields("  ")
	err := lifecycle.Call(func() error {
		fmt.Println("first:", words[0])
		return nil
	})
	fmt.Println(err)

	var pe *core.PanicError
	if errors.As(err, &pe) {
		fmt.Println("has a stack:", len(pe.CallStack()) > 0)
	}
	// Output:
	// panic: runtime error: index out of range [0] with length 0
	// has a stack: true
}

func ExampleJudge() {
	onError := func(_ context.Context, _ net.Conn, err error) error {
		if errors.Is(err, io.EOF) {
			return nil // another try
		}
		return fmt.Errorf("giving up: %w", err)
	}

	ctx := context.Background()
	fmt.Println(lifecycle.Judge(ctx, nil, io.EOF, onError).Stop)

	v := lifecycle.Judge(ctx, nil, net.ErrClosed, onError)
	fmt.Println(v.Stop, v.Reason)
	// Output:
	// false
	// true giving up: use of closed network connection
}

func ExampleReason() {
	fmt.Println(lifecycle.Reason(context.Canceled))
	fmt.Println(lifecycle.Reason(lifecycle.ErrDoNotReconnect))
	fmt.Println(lifecycle.Reason(fmt.Errorf("tried often enough: %w", lifecycle.ErrDoNotReconnect)))
	// Output:
	// <nil>
	// <nil>
	// tried often enough: do not reconnect
}

func ExampleConnFrom() {
	conn, peer := net.Pipe()
	defer conn.Close()
	defer peer.Close()

	session := func(ctx context.Context) error {
		fmt.Println(lifecycle.ConnFrom(ctx).LocalAddr())
		return nil
	}

	ctx := lifecycle.WithConn(context.Background(), conn)
	fmt.Println(session(ctx))
	// Output:
	// pipe
	// <nil>
}

func ExampleState() {
	onState := func(from, to lifecycle.State) {
		fmt.Println(from, "->", to)
	}
	onState(lifecycle.Connecting, lifecycle.Connected)
	// Output:
	// connecting -> connected
}
