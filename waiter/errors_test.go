package waiter_test

import (
	"errors"
	"fmt"
	"testing"

	"darvaza.org/x/net/waiter"
)

// verdict is how another package says the same, or the opposite.
type verdict bool

func (verdict) Error() string          { return "a verdict" }
func (v verdict) DoNotReconnect() bool { return bool(v) }
func (v verdict) Is(target error) bool {
	t, ok := target.(interface{ DoNotReconnect() bool })
	return ok && t.DoNotReconnect() == bool(v)
}

func TestErrDoNotReconnectMatchesItsKindOfOtherPackages(t *testing.T) {
	for _, tt := range []struct {
		name        string
		err, target error
		want        bool
	}{
		{"itself", waiter.ErrDoNotReconnect, waiter.ErrDoNotReconnect, true},
		{"wrapped", fmt.Errorf("why: %w", waiter.ErrDoNotReconnect), waiter.ErrDoNotReconnect, true},
		{"joined", errors.Join(errTest, waiter.ErrDoNotReconnect), waiter.ErrDoNotReconnect, true},
		{"theirs as target", waiter.ErrDoNotReconnect, verdict(true), true},
		{"ours as target", verdict(true), waiter.ErrDoNotReconnect, true},
		{"theirs, wrapped", fmt.Errorf("why: %w", verdict(true)), waiter.ErrDoNotReconnect, true},
		{"says no", waiter.ErrDoNotReconnect, verdict(false), false},
		{"any other target", waiter.ErrDoNotReconnect, errTest, false},
		{"any other error", errTest, waiter.ErrDoNotReconnect, false},
		{"target that wraps it", waiter.ErrDoNotReconnect, fmt.Errorf("why: %w", waiter.ErrDoNotReconnect), false},
		{"no target", waiter.ErrDoNotReconnect, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := errors.Is(tt.err, tt.target); got != tt.want {
				t.Errorf("errors.Is(%v, %v) is %v", tt.err, tt.target, got)
			}
		})
	}
}

func TestErrDoNotReconnectSaysSo(t *testing.T) {
	if got := waiter.ErrDoNotReconnect.Error(); got != "do not reconnect" {
		t.Errorf("got %q", got)
	}
	var v interface{ DoNotReconnect() bool }
	if !errors.As(waiter.ErrDoNotReconnect, &v) || !v.DoNotReconnect() {
		t.Error("it lacks the method that its kind is known by")
	}
}
