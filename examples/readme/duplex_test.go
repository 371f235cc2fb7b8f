package readme_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"time"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
	"darvaza.org/x/net/worker"
)

type monitor struct {
	client *reconnect.Client
	show   func(line string)
}

// session asks every second and shows what is answered. When one of the two
// ends, Run ends the context of the other.
func (m *monitor) session(ctx context.Context) error {
	return worker.Run(ctx, m.ask, m.listen)
}

func (m *monitor) ask(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if _, err := io.WriteString(m.client, "status\n"); err != nil {
			return err // for one, that it took longer than WriteTimeout
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (m *monitor) listen(ctx context.Context) error {
	lines := bufio.NewScanner(m.client)
	for ctx.Err() == nil && lines.Scan() {
		m.show(lines.Text())
	}
	return lines.Err() // for one, that nothing came for ReadTimeout
}

func Example_duplex() {
	server := testutil.Pipe(testutil.Lines(func(line string) (string, bool) {
		return line + ": fine", true
	}))
	defer func() { _ = server.Close() }()

	shown := make(chan string, 1)
	m := &monitor{show: func(line string) {
		select {
		case shown <- line:
		default:
		}
	}}
	m.client = reconnect.Must(&reconnect.Config{
		Remote:    "db.example.com:5000",
		OnSession: m.session,
	}, over(server))
	if err := m.client.Connect(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(<-shown)
	fmt.Println(m.client.Shutdown(context.Background()))
	// Output:
	// status: fine
	// <nil>
}
