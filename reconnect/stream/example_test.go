package stream_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"

	"darvaza.org/x/net/reconnect/stream"
)

// A session of lines against a peer that shouts back.
func Example() {
	conn, peer := net.Pipe()
	go func() {
		defer peer.Close()
		for scan := bufio.NewScanner(peer); scan.Scan(); {
			fmt.Fprintln(peer, strings.ToUpper(scan.Text()))
		}
	}()

	s := &stream.StreamSession[string, string]{
		Conn:      conn,
		Marshal:   func(m string) ([]byte, error) { return []byte(m + "\n"), nil },
		Unmarshal: func(b []byte) (string, error) { return string(b), nil },
		QueueSize: 8,
	}
	if err := s.Spawn(); err != nil {
		fmt.Println(err)
		return
	}

	for _, word := range []string{"hello", "world"} {
		if err := s.Send(word); err != nil {
			fmt.Println(err)
			return
		}
		answer, ok := s.Next()
		fmt.Println(answer, ok)
	}
	fmt.Println(s.Shutdown(context.Background()))
	// Output:
	// HELLO true
	// WORLD true
	// <nil>
}

// Both ends talk JSON, a value on each line. The server answers while there are
// questions, and has the last word: HalfClose lets it.
func Example_json() {
	type question struct{ A, B int }
	type answer struct{ Sum int }

	near, far := net.Pipe()
	server := &stream.StreamSession[question, answer]{
		Conn:      far,
		MarshalTo: stream.MarshalJSON[answer],
		Unmarshal: stream.UnmarshalJSON[question],
		HalfClose: true,
	}
	client := &stream.StreamSession[answer, question]{
		Conn:      near,
		MarshalTo: stream.MarshalJSON[question],
		Unmarshal: stream.UnmarshalJSON[answer],
	}
	if err := server.Spawn(); err != nil {
		fmt.Println(err)
		return
	}
	if err := client.Spawn(); err != nil {
		fmt.Println(err)
		return
	}
	go func() { // none of the session's own, which Shutdown waits for
		for q := range server.Recv() {
			if server.Send(answer{q.A + q.B}) != nil {
				break
			}
		}
		_ = server.Shutdown(context.Background()) // Close would drop what is queued
	}()

	_ = client.Send(question{20, 22})
	fmt.Println(<-client.Recv())
	fmt.Println(client.Shutdown(context.Background()))
	fmt.Println(server.Wait())
	// Output:
	// {42}
	// <nil>
	// <nil>
}

// Messages of any bytes, with their length in front.
func ExampleSplitFrame() {
	near, far := net.Pipe()
	s := &stream.StreamSession[[]byte, []byte]{
		Conn:      near,
		Split:     stream.SplitFrame,
		MarshalTo: stream.MarshalFrame,
		Unmarshal: func(b []byte) ([]byte, error) { return bytes.Clone(b), nil },
	}
	if err := s.Spawn(); err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		defer far.Close()
		_, _ = io.CopyN(far, far, 4+11) // an echo of one frame
	}()

	_ = s.Send([]byte("two\nlines\x00!"))
	fmt.Printf("%q\n", <-s.Recv())
	fmt.Println(s.Wait())
	// Output:
	// "two\nlines\x00!"
	// <nil>
}

// A full queue is no reason to wait for someone who sends what will be outdated
// soon.
func ExampleStreamSession_TrySend() {
	near, _ := net.Pipe() // nobody reads
	s := &stream.StreamSession[string, string]{
		Conn:      near,
		Marshal:   func(m string) ([]byte, error) { return []byte(m + "\n"), nil },
		Unmarshal: func(b []byte) (string, error) { return string(b), nil },
		QueueSize: 1,
	}
	if err := s.Spawn(); err != nil {
		fmt.Println(err)
		return
	}
	for range 3 {
		fmt.Println(s.TrySend("12 degrees"))
	}
	_ = s.Close()
	fmt.Println(s.TrySend("12 degrees"))
	// Output:
	// <nil>
	// <nil>
	// stream: queue full
	// stream: session already closed
}
