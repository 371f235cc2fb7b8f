package readme_test

import (
	"context"
	"fmt"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/reconnect/stream"
	"darvaza.org/x/net/testutil"
)

type (
	question struct{ Text string }
	answer   struct{ Text string }
)

// talk is an OnSession that exchanges messages, here JSON on lines.
func talk(ctx context.Context) error {
	s := &reconnect.StreamSession[answer, question]{
		Conn:      reconnect.ConnFrom(ctx),
		Context:   ctx,
		MarshalTo: stream.MarshalJSON[question],
		Unmarshal: stream.UnmarshalJSON[answer],
	}
	if err := s.Spawn(); err != nil {
		return err
	}
	s.Go(func(ctx context.Context) error {
		return s.SendContext(ctx, question{"are you there?"})
	})
	for a := range s.Recv() {
		fmt.Println(a.Text)
	}
	return s.Wait() // nil when the server closed the connection in good order
}

func Example_messages() {
	server := testutil.Pipe(testutil.Lines(func(line string) (string, bool) {
		fmt.Println(line)
		return `{"Text":"yes"}`, false // and hang up
	}))
	defer func() { _ = server.Close() }()

	client := reconnect.Must(&reconnect.Config{
		Remote:         "oracle.example.com:5000",
		OnSession:      talk,
		ReconnectDelay: -1, // once is enough
	}, func(cfg *reconnect.Config) error {
		cfg.Dialer = server
		return nil
	})
	if err := client.Connect(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(client.Wait())
	// Output:
	// {"Text":"are you there?"}
	// yes
	// <nil>
}
