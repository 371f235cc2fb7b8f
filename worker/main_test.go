package worker_test

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"darvaza.org/x/net/worker"
)

// TestMain fails when a test has left a goroutine behind, and names it.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errFirst  = errors.New("first")
	errSecond = errors.New("second")
)

type ctxKey struct{}

// untilEnd is a function that lasts as long as it may, and ends well.
func untilEnd(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// failing returns a function that fails at once.
func failing(err error) worker.Func {
	return func(context.Context) error { return err }
}

// isClosed tells whether ch is.
func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
