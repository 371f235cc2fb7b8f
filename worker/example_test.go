package worker_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"darvaza.org/x/net/worker"
)

// A reader and a writer that need each other: when one ends, so does the other.
func ExampleRun() {
	messages := make(chan string)
	write := func(ctx context.Context) error {
		for _, s := range []string{"hello", "goodbye"} {
			select {
			case messages <- s:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		<-ctx.Done()
		return nil
	}
	read := func(ctx context.Context) error {
		for {
			select {
			case s := <-messages:
				fmt.Println(s)
				if s == "goodbye" {
					return errors.New("the peer has left")
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}

	fmt.Println(worker.Run(context.Background(), read, write))
	// Output:
	// hello
	// goodbye
	// the peer has left
}

// A component whose goroutines live and end together.
func ExampleGroup() {
	var group worker.Group
	ready := make(chan struct{})
	group.Go(func(ctx context.Context) error {
		close(ready)
		<-ctx.Done()
		fmt.Println("stopping:", context.Cause(ctx))
		return nil
	})
	<-ready
	group.Go(func(context.Context) error {
		return errors.New("disk full")
	})

	fmt.Println(group.Wait())
	// Output:
	// stopping: disk full
	// disk full
}

func ExampleGroup_Shutdown() {
	var group worker.Group
	group.Go(func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	})

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	fmt.Println(group.Shutdown(ctx))
	// Output:
	// <nil>
}

// A panic is an error, and catch decides what an error means.
func ExampleGroup_GoCatch() {
	var group worker.Group
	group.GoCatch(func(context.Context) error {
		panic("index out of reach")
	}, func(_ context.Context, err error) error {
		fmt.Println("caught", err)
		return nil
	})

	fmt.Println(group.Wait())
	// Output:
	// caught panic: index out of reach
	// <nil>
}

// A server that stops with its group, and whose usual end is no error.
func ExampleNewShutdownFunc() {
	server := &http.Server{ReadHeaderTimeout: time.Second}
	serve := func(context.Context) error {
		// Would be server.Serve(listener), which ends like this after Shutdown.
		return http.ErrServerClosed
	}

	var group worker.Group
	group.GoCatch(serve, worker.NewCatchFunc(http.ErrServerClosed))
	group.Go(worker.NewShutdownFunc(server, 5*time.Second))

	fmt.Println(group.Shutdown(context.Background()))
	// Output:
	// <nil>
}
