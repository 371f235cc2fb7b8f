package reconnect

import (
	"context"
	"net"
	"syscall"
	"time"

	"darvaza.org/x/net/dialer"
	"darvaza.org/x/net/lifecycle"
	"darvaza.org/x/net/reconnect/stream"
	"darvaza.org/x/net/waiter"
	"darvaza.org/x/net/worker"
)

// What users of a [Client] need of the modules it is made of.

// Types of the modules beneath.
type (
	// State is where a [Client] is at.
	State = lifecycle.State
	// Status is a snapshot of a [Client].
	Status = lifecycle.Status

	// Waiter blocks until the next attempt may begin. An error from it stops
	// the client.
	Waiter = waiter.Waiter
	// Attempt is what a Waiter can know, see [AttemptFrom].
	Attempt = waiter.Attempt
	// Backoff is a policy of waits that grow.
	Backoff = waiter.Backoff

	// WorkerFunc is a function for [Client.Go].
	WorkerFunc = worker.Func
	// CatcherFunc is what [Client.GoCatch] hands an error to.
	CatcherFunc = worker.Catcher
	// Shutdowner is what [NewShutdownFunc] shuts down.
	Shutdowner = worker.Shutdowner

	// Dialer makes connections, see [Config].
	Dialer = dialer.Dialer

	// StreamSession is a supervised reader and writer of messages.
	StreamSession[Input, Output any] = stream.StreamSession[Input, Output]
)

// A WorkGroup supervises goroutines. [Client] is one, and so is [worker.Group].
type WorkGroup interface {
	Go(...WorkerFunc)
	GoCatch(WorkerFunc, CatcherFunc)

	Shutdown(context.Context) error

	Wait() error
	Done() <-chan struct{}
	Err() error
}

var (
	_ WorkGroup = (*Client)(nil)
	_ WorkGroup = (*worker.Group)(nil)
)

// States of a [Client].
const (
	Idle       = lifecycle.Idle       // not connected yet
	Connecting = lifecycle.Connecting // dial, TLS handshake, OnConnect
	Connected  = lifecycle.Connected  // a session runs, or is about to
	Waiting    = lifecycle.Waiting    // WaitReconnect runs
	Stopped    = lifecycle.Stopped    // for good
)

// Networks that a remote can be of, and what the path of a Unix socket may
// measure.
const (
	NetworkTCP              = dialer.NetworkTCP
	NetworkUnix             = dialer.NetworkUnix
	MaxUNIXSocketPathLength = dialer.MaxUNIXSocketPathLength
)

// DefaultWaitReconnect is the wait that a [Config] without WaitReconnect and
// ReconnectDelay, and [NewConstantWaiter] with zero, stand for.
const DefaultWaitReconnect = waiter.DefaultDelay

// Errors of the modules beneath, under the names that users of a [Client] look
// for.
var (
	// ErrClosed matches net.ErrClosed and fs.ErrClosed.
	ErrClosed = lifecycle.ErrClosed
	// ErrNotConnected wraps ErrClosed.
	ErrNotConnected = lifecycle.ErrNotConnected
	// ErrRunning matches syscall.EBUSY.
	ErrRunning = lifecycle.ErrRunning
	// ErrDoNotReconnect stops the client wherever it comes from.
	ErrDoNotReconnect = lifecycle.ErrDoNotReconnect
	// ErrAbnormalConnect is for a dialer that returns neither a connection
	// nor an error. It matches syscall.ECONNABORTED.
	ErrAbnormalConnect = lifecycle.ErrAbnormalConnect
	// ErrNameEmpty and ErrNameTooLong match core.ErrInvalid.
	ErrNameEmpty   = dialer.ErrNameEmpty
	ErrNameTooLong = dialer.ErrNameTooLong
	// ErrQueueFull is that of [StreamSession.TrySend] when there is no room.
	ErrQueueFull = stream.ErrQueueFull
)

// IsFatal tells if an error stops a client that has no OnError. See
// [lifecycle.IsFatal] for the table.
func IsFatal(err error) bool { return lifecycle.IsFatal(err) }

// IsNonError tells if an error means a stop that the user asked for.
func IsNonError(err error) bool { return lifecycle.IsNonError(err) }

// IsClosed tells if an error matches [ErrClosed].
func IsClosed(err error) bool { return lifecycle.IsClosed(err) }

// IsNotConnected tells if an error matches [ErrNotConnected].
func IsNotConnected(err error) bool { return lifecycle.IsNotConnected(err) }

// ConnFrom returns the connection that a callback's context carries, or nil.
func ConnFrom(ctx context.Context) net.Conn { return lifecycle.ConnFrom(ctx) }

// AttemptFrom returns what the context of a [Waiter] says about the attempt to
// come.
func AttemptFrom(ctx context.Context) (Attempt, bool) { return waiter.AttemptFrom(ctx) }

// WithAttempt gives a context to try a [Waiter] with.
func WithAttempt(ctx context.Context, a Attempt) context.Context {
	return waiter.WithAttempt(ctx, a)
}

// ParseRemote tells the network and the address that a remote stands for. See
// [dialer.ParseRemote].
func ParseRemote(remote string) (network, address string, err error) {
	return dialer.ParseRemote(remote)
}

// ValidateRemote tells what is wrong with a remote. See [dialer.ValidateRemote].
func ValidateRemote(remote string) error { return dialer.ValidateRemote(remote) }

// UserTimeout is an OnSocket that bounds how long written data may stay
// unacknowledged. See [dialer.UserTimeout].
func UserTimeout(d time.Duration) func(context.Context, syscall.RawConn) error {
	return dialer.UserTimeout(d)
}

// The waiters below block for as long as they wait, unless their context ends:
// then they return its error at once. Each may serve any number of clients at a
// time.

// NewConstantWaiter waits d each time: [DefaultWaitReconnect] where it is zero;
// negative it refuses, with [ErrDoNotReconnect].
func NewConstantWaiter(d time.Duration) func(context.Context) error {
	return waiter.NewConstant(d)
}

// NewImmediateErrorWaiter doesn't wait, and returns err; nil means to dial at
// once.
func NewImmediateErrorWaiter(err error) func(context.Context) error {
	return waiter.NewImmediateError(err)
}

// NewDoNotReconnectWaiter refuses with err, [ErrDoNotReconnect] where it is nil.
func NewDoNotReconnectWaiter(err error) func(context.Context) error {
	return waiter.NewDoNotReconnect(err)
}

// NewExponentialWaiter waits longer from attempt to attempt, with jitter. See
// [waiter.NewExponential].
func NewExponentialWaiter(initial, max time.Duration) func(context.Context) error {
	return waiter.NewExponential(initial, max)
}

// LimitWaiter stops the client after a number of attempts. See [waiter.Limit].
func LimitWaiter(w Waiter, attempts int) func(context.Context) error {
	return waiter.Limit(w, attempts)
}

// LimitElapsedWaiter stops the client after a time without a stable session.
// See [waiter.LimitElapsed].
func LimitElapsedWaiter(w Waiter, d time.Duration) func(context.Context) error {
	return waiter.LimitElapsed(w, d)
}

// ChainWaiters waits for each in turn. See [waiter.Chain].
func ChainWaiters(ws ...Waiter) func(context.Context) error { return waiter.Chain(ws...) }

// NewShutdownFunc is a worker that shuts s down when the client stops. See
// [worker.NewShutdownFunc].
func NewShutdownFunc(s Shutdowner, timeout time.Duration) WorkerFunc {
	return worker.NewShutdownFunc(s, timeout)
}

// NewCatchFunc is a catcher that takes the given errors for none. See
// [worker.NewCatchFunc].
func NewCatchFunc(nonErrors ...error) CatcherFunc { return worker.NewCatchFunc(nonErrors...) }
