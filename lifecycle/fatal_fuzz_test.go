package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"testing"

	"darvaza.org/core"

	"darvaza.org/x/net/lifecycle"
)

// grow makes an error tree of what it draws. Trees stay far below the size at
// which IsFatal gives up.
func grow(r *rand.Rand, depth int) error {
	if depth == 0 || r.IntN(4) == 0 {
		return leaf(r)
	}
	sub := func() error { return grow(r, depth-1) }
	switch r.IntN(11) {
	case 0:
		return fmt.Errorf("x: %w", sub())
	case 1:
		return fmt.Errorf("%w, %w", sub(), sub())
	case 2:
		return errors.Join(sub(), sub(), sub())
	case 3:
		return several{sub(), nil, sub()}
	case 4:
		return opError(sub())
	case 5:
		return pathError(sub())
	case 6:
		return os.NewSyscallError("x", sub())
	case 7:
		return mark{sub(), r.IntN(2) == 0, r.IntN(2) == 0}
	case 8:
		return core.NewPanicError(0, sub())
	case 9:
		return core.Wrap(sub(), "x")
	default:
		return &net.DNSError{UnwrapErr: sub()}
	}
}

func leaf(r *rand.Rand) error {
	// One in a few is hostile, the rest are those of the tables.
	switch r.IntN(12) {
	case 0:
		return nothing
	case 1:
		return trap{}
	case 2:
		return bare{"x"}
	case 3, 4, 5:
		return fatalCases[r.IntN(len(fatalCases))].err
	default:
		return recoverableCases[1+r.IntN(len(recoverableCases)-1)].err
	}
}

// checkTrees holds the rule on joins against two random trees, and lets every
// function that takes an error have them.
func checkTrees(t *testing.T, seed1, seed2 uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed1, seed2))
	a, b := grow(r, 6), grow(r, 6)

	want := lifecycle.IsFatal(a) || lifecycle.IsFatal(b)
	if got := lifecycle.IsFatal(errors.Join(a, b)); got != want {
		t.Errorf("seeds %d, %d: the join is fatal: %v, its parts: %v", seed1, seed2, got, want)
	}

	for _, err := range []error{a, b} {
		lifecycle.IsClosed(err)
		lifecycle.IsNotConnected(err)
		lifecycle.IsNonError(err)
		_ = lifecycle.Reason(err)

		v := lifecycle.Judge(context.Background(), nil, err, nil)
		if v.Stop != lifecycle.IsFatal(err) {
			t.Errorf("seeds %d, %d: the verdict to stop is %v", seed1, seed2, v.Stop)
		}
	}
}

func TestIsFatalOfAJoinIsThatOfAnyPart(t *testing.T) {
	for seed := range uint64(2000) {
		checkTrees(t, seed, 1)
	}
}

func FuzzIsFatal(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(checkTrees)
}
