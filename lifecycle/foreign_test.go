package lifecycle_test

import (
	"context"
	"net"
)

// The errors of other packages, as the tests need them.

// twin is ErrDoNotReconnect as a package that doesn't know this one has it.
type twin struct{}

func (twin) Error() string        { return "no more" }
func (twin) DoNotReconnect() bool { return true }

func (twin) Is(target error) bool {
	t, ok := target.(interface{ DoNotReconnect() bool })
	return ok && t.DoNotReconnect()
}

// undecided has the method of a twin, and answers no.
type undecided struct{}

func (undecided) Error() string        { return "undecided" }
func (undecided) DoNotReconnect() bool { return false }

// final is of ErrDoNotReconnect's kind and carries another error.
type final struct{ error }

func (final) DoNotReconnect() bool { return true }
func (f final) Unwrap() error      { return f.error }

// mark says whether what it wraps is temporary or a time-out.
type mark struct {
	error
	temporary, timeout bool
}

func (m mark) Temporary() bool { return m.temporary }
func (m mark) Timeout() bool   { return m.timeout }
func (m mark) Unwrap() error   { return m.error }

// modern is a mark in the other naming style, on nothing.
type modern struct{}

func (modern) Error() string     { return "modern" }
func (modern) IsTemporary() bool { return true }

// like counts as another error without wrapping it.
type like struct{ target error }

func (like) Error() string          { return "like" }
func (l like) Is(target error) bool { return target == l.target }

// several wraps many errors, nil ones among them.
type several []error

func (several) Error() string     { return "several" }
func (s several) Unwrap() []error { return s }

// bare is of a type that == panics on.
type bare []string

func (bare) Error() string { return "bare" }

// circle wraps itself.
type circle struct{}

func (*circle) Error() string   { return "circle" }
func (c *circle) Unwrap() error { return c }

// tree wraps itself, many times over.
type tree struct{}

func (*tree) Error() string     { return "tree" }
func (t *tree) Unwrap() []error { return []error{t, t, t} }

// shifty wraps nothing when first asked, and itself from then on.
type shifty struct{ asked bool }

func (*shifty) Error() string { return "shifty" }

func (s *shifty) Unwrap() error {
	if !s.asked {
		s.asked = true
		return nil
	}
	return s
}

// trap panics when looked into.
type trap struct{}

func (trap) Error() string { return "trap" }
func (trap) Unwrap() error { panic("trap") }

// lateTrap panics when asked if it is temporary.
type lateTrap struct{}

func (lateTrap) Error() string   { return "trap" }
func (lateTrap) Temporary() bool { panic("trap") }

// nilConn is a connection to hand around, not to use.
type nilConn struct{ net.Conn }

func newConn() net.Conn { return &nilConn{} }

// nobody is a context that a careless caller passes.
var nobody context.Context

// nothing is a typed nil, the accident that every error type invites.
var nothing *net.OpError
