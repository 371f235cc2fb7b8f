package testutil_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"darvaza.org/slog"

	"darvaza.org/x/net/testutil"
)

// A server in memory answers a client, fails it, and refuses the next one.
func Example() {
	ctx := context.Background()
	server := testutil.Pipe(testutil.Lines(func(line string) (string, bool) {
		return strings.ToUpper(line), line != "quit"
	}))
	defer server.Close()

	conn, err := server.DialContext(ctx, "tcp", "example.org:80")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "hello\n")
	reply, _ := bufio.NewReader(conn).ReadString('\n')
	fmt.Print(reply)

	server.HangUp()
	_, err = conn.Read(make([]byte, 1))
	fmt.Println(err)

	server.Refuse(testutil.ConnRefused("tcp", "example.org:80"))
	_, err = server.DialContext(ctx, "tcp", "example.org:80")
	fmt.Println(err != nil, server.Dials(), server.Open())
	// Output:
	// HELLO
	// EOF
	// true 2 0
}

// A recorder stands in for the callbacks of whatever is tested.
func ExampleRecorder() {
	var t testing.T // the one a test is given

	recorder := testutil.NewRecorder()
	onConnect := func() { defer recorder.Enter("connect")() }
	onDisconnect := func(err error) { defer recorder.Enter("disconnect", err)() }

	onConnect()
	onDisconnect(io.EOF)
	onConnect()
	onDisconnect(nil)

	fmt.Println(recorder)
	fmt.Println(recorder.Args("disconnect"))
	fmt.Println(
		recorder.AssertPaired(&t, "connect", "disconnect"),
		recorder.AssertNoOverlap(&t),
	)
	// Output:
	// [connect disconnect connect disconnect]
	// [[EOF] [<nil>]]
	// true true
}

// A logger answers whether something was said, and at which level.
func ExampleLogger() {
	logger := testutil.NewLogger(slog.Info)
	logger.Info().WithField("addr", "example.org:80").Print("connected")
	logger.Warn().WithField("attempt", 2).Printf("dial: %v", io.EOF)
	logger.Debug().Print("not kept at this level")

	fmt.Print(logger.Text())
	entry, ok := logger.Find(slog.Warn, "dial")
	fmt.Println(ok, entry.Fields["attempt"], logger.Count(slog.Error))
	// Output:
	// info  connected addr=example.org:80
	// warn  dial: EOF attempt=2
	// true 2 0
}

// A fault makes a connection fail without any of its peers being at fault.
func ExampleFaultConn() {
	near, far := net.Pipe()
	defer far.Close()
	conn := testutil.NewFaultConn(near)
	defer conn.Close()

	conn.FailRead(io.ErrUnexpectedEOF)
	_, err := conn.Read(make([]byte, 1))
	fmt.Println(err)
	// Output: unexpected EOF
}
