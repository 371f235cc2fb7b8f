package waiter_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"darvaza.org/x/net/waiter"
)

// The whole of a loop that tries again, up to three times.
func Example() {
	wait := waiter.Limit(waiter.NewExponential(time.Millisecond, 10*time.Millisecond), 3)
	try := func() error { return errors.New("connection refused") }

	ctx, start := context.Background(), time.Now()
	for n := 0; ; n++ {
		err := try()
		if err == nil {
			break
		}
		fmt.Printf("attempt %d: %v\n", n, err)

		a := waiter.Attempt{Number: n, Err: err, Downtime: time.Since(start)}
		if err = wait(waiter.WithAttempt(ctx, a)); err != nil {
			fmt.Println(err)
			fmt.Println("final:", errors.Is(err, waiter.ErrDoNotReconnect))
			break
		}
	}
	// Output:
	// attempt 0: connection refused
	// attempt 1: connection refused
	// attempt 2: connection refused
	// attempt 3: connection refused
	// waiter: gave up reconnecting after 3 attempts: connection refused
	// final: true
}

func ExampleBackoff_Delay() {
	b := waiter.Backoff{Initial: time.Second, Max: time.Minute}
	for _, attempt := range []int{0, 3, 100} {
		d := b.Delay(attempt)
		switch {
		case d <= time.Second:
			fmt.Println(attempt, "at most a second")
		case d <= 8*time.Second:
			fmt.Println(attempt, "at most 8 seconds")
		default:
			fmt.Println(attempt, "at most a minute")
		}
	}
	// Output:
	// 0 at most a second
	// 3 at most 8 seconds
	// 100 at most a minute
}

func ExampleNewConstant() {
	fmt.Println(waiter.NewConstant(time.Millisecond)(context.Background()))
	fmt.Println(waiter.NewConstant(-1)(context.Background()))
	// Output:
	// <nil>
	// do not reconnect
}

func ExampleNewImmediateError() {
	wait := waiter.NewImmediateError(errors.New("once is enough"))
	fmt.Println(wait(context.Background()))
	// Output:
	// once is enough
}

// A quarter of an hour of trying, and then no more.
func ExampleLimitElapsed() {
	wait := waiter.LimitElapsed(waiter.NewExponential(0, 0), 15*time.Minute)
	ctx := waiter.WithAttempt(context.Background(), waiter.Attempt{
		Number:   93,
		Err:      errors.New("no route to host"),
		Downtime: 15 * time.Minute,
	})
	fmt.Println(wait(ctx))
	// Output:
	// waiter: gave up reconnecting after 93 attempts in 15m0s: no route to host
}

// Each loop waits its own time, then takes its turn with all the others. The
// shared part may be the Wait method of a rate.Limiter.
func ExampleChain() {
	turns := make(chan struct{}, 1)
	turns <- struct{}{}
	shared := func(ctx context.Context) error {
		select {
		case <-turns:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}

	wait := waiter.Chain(waiter.NewConstant(time.Millisecond), shared)
	fmt.Println(wait(context.Background()))

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	fmt.Println(wait(ctx))
	// Output:
	// <nil>
	// context deadline exceeded
}

func ExampleAttemptFrom() {
	// A waiter of one's own: patient with a server that was up for long.
	wait := func(ctx context.Context) error {
		a, _ := waiter.AttemptFrom(ctx)
		if a.Number == 0 && a.Uptime > time.Hour {
			return nil
		}
		return waiter.Backoff{}.Wait(ctx)
	}
	ctx := waiter.WithAttempt(context.Background(), waiter.Attempt{Uptime: 5 * time.Hour})
	fmt.Println(wait(ctx))
	// Output:
	// <nil>
}
