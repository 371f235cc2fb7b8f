package reconnect_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"io/fs"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"darvaza.org/core"
	"darvaza.org/slog"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/reconnect/stream"
)

// This file compiles as long as code written for the package does.

// Functions and their types.
var (
	_ func(*reconnect.Config, ...reconnect.OptionFunc) (*reconnect.Client, error) = reconnect.New
	_ func(*reconnect.Config, ...reconnect.OptionFunc) *reconnect.Client          = reconnect.Must

	_ func(error) bool = reconnect.IsClosed
	_ func(error) bool = reconnect.IsFatal
	_ func(error) bool = reconnect.IsNonError
	_ func(error) bool = reconnect.IsNotConnected

	_ func(time.Duration) func(context.Context) error                   = reconnect.NewConstantWaiter
	_ func(error) func(context.Context) error                           = reconnect.NewDoNotReconnectWaiter
	_ func(error) func(context.Context) error                           = reconnect.NewImmediateErrorWaiter
	_ func(string) (network, address string, err error)                 = reconnect.ParseRemote
	_ func(string) error                                                = reconnect.ValidateRemote
	_ func(time.Time, time.Duration) time.Time                          = reconnect.TimeoutToAbsoluteTime
	_ func(...error) reconnect.CatcherFunc                              = reconnect.NewCatchFunc
	_ func(reconnect.Shutdowner, time.Duration) reconnect.WorkerFunc    = reconnect.NewShutdownFunc
	_ func(time.Duration, time.Duration) func(context.Context) error    = reconnect.NewExponentialWaiter
	_ func(context.Context) net.Conn                                    = reconnect.ConnFrom
	_ func(context.Context) (reconnect.Attempt, bool)                   = reconnect.AttemptFrom
	_ func(context.Context, reconnect.Attempt) context.Context          = reconnect.WithAttempt
	_ func(reconnect.Waiter, int) func(context.Context) error           = reconnect.LimitWaiter
	_ func(reconnect.Waiter, time.Duration) func(context.Context) error = reconnect.LimitElapsedWaiter
	_ func(...reconnect.Waiter) func(context.Context) error             = reconnect.ChainWaiters
	_ func(time.Duration) func(context.Context, syscall.RawConn) error  = reconnect.UserTimeout
)

// client is what a Client can do.
type client interface {
	reconnect.WorkGroup
	reconnect.Shutdowner
	io.ReadWriteCloser
	io.ReaderFrom
	io.WriterTo
	CloseWrite() error

	Config() *reconnect.Config
	Connect() error
	Reload() error
	Reconnect() error
	Context() context.Context
	Cancel(cause error)
	LocalAddr() net.Addr
	RemoteAddr() net.Addr
	SetDeadline(read, write time.Duration) error
	SetReadDeadline(time.Duration) error
	SetWriteDeadline(time.Duration) error
	ResetDeadline() error
	ResetReadDeadline() error
	ResetWriteDeadline() error
	State() reconnect.State
	Status() reconnect.Status
	WaitConnected(context.Context) error
	WaitStatus(context.Context, uint64) (reconnect.Status, error)
	WithDebug(net.Addr) (slog.Logger, bool)
	WithInfo(net.Addr) (slog.Logger, bool)
	WithError(net.Addr, error) (slog.Logger, bool)
}

var _ client = (*reconnect.Client)(nil)

// workGroup is the interface with its method set spelled out, both ways.
type workGroup interface {
	Go(...reconnect.WorkerFunc)
	GoCatch(reconnect.WorkerFunc, reconnect.CatcherFunc)
	Shutdown(context.Context) error
	Wait() error
	Done() <-chan struct{}
	Err() error
}

var (
	_ workGroup            = reconnect.WorkGroup(nil)
	_ reconnect.WorkGroup  = workGroup(nil)
	_ reconnect.Shutdowner = interface {
		Shutdown(context.Context) error
	}(nil)
	_ interface{ Shutdown(context.Context) error } = reconnect.Shutdowner(nil)
	_ reconnect.Dialer                             = (*net.Dialer)(nil)
)

var (
	_ func(*reconnect.Config) error      = (*reconnect.Config).SetDefaults
	_ func(*reconnect.Config) error      = (*reconnect.Config).Valid
	_ func(*reconnect.Config) net.Dialer = (*reconnect.Config).ExportDialer
	_ reconnect.OptionFunc               = func(*reconnect.Config) error { return nil }
	_ reconnect.Waiter                   = func(context.Context) error { return nil }
	_ reconnect.WorkerFunc               = func(context.Context) error { return nil }
	_ reconnect.CatcherFunc              = func(context.Context, error) error { return nil }
)

var _ = reconnect.Config{
	Context:        context.Background(),
	Logger:         slog.Logger(nil),
	WaitReconnect:  reconnect.NewConstantWaiter(0),
	OnSocket:       func(context.Context, syscall.RawConn) error { return nil },
	OnConnect:      func(context.Context, net.Conn) error { return nil },
	OnSession:      func(context.Context) error { return nil },
	OnDisconnect:   func(context.Context, net.Conn) error { return nil },
	OnError:        func(context.Context, net.Conn, error) error { return nil },
	OnState:        func(from, to reconnect.State) {},
	Remote:         "host:1",
	Alternates:     []string{"host:2"},
	Dialer:         reconnect.Dialer(nil),
	TLSConfig:      (*tls.Config)(nil),
	KeepAlive:      time.Second,
	DialTimeout:    time.Second,
	ReadTimeout:    time.Second,
	WriteTimeout:   time.Second,
	ReconnectDelay: time.Second,
	StableAfter:    time.Second,
}

var _ = reconnect.Status{
	Version:        uint64(1),
	State:          reconnect.State(0),
	Since:          time.Time{},
	Remote:         "",
	Attempt:        int(1),
	LastError:      error(nil),
	LastErrorAt:    time.Time{},
	NextAttempt:    time.Time{},
	ConnectedSince: time.Time{},
	Attempts:       uint64(1),
	Failures:       uint64(1),
	Sessions:       uint64(1),
	BytesRead:      uint64(1),
	BytesWritten:   uint64(1),
}

var (
	_ = reconnect.Attempt{Number: 1, Err: nil, Uptime: time.Second, Downtime: time.Second}
	_ = reconnect.Backoff{Initial: time.Second, Max: time.Second, Factor: 2.0}

	_ func(reconnect.Backoff, int) time.Duration     = reconnect.Backoff.Delay
	_ func(reconnect.Backoff, context.Context) error = reconnect.Backoff.Wait
	_                                                = [...]reconnect.State{reconnect.Idle, reconnect.Connecting, reconnect.Connected, reconnect.Waiting, reconnect.Stopped}
)

type (
	input  struct{}
	output struct{}
)

var _ = reconnect.StreamSession[input, output]{
	Conn:               io.ReadWriteCloser(nil),
	Context:            context.Background(),
	Split:              bufio.ScanLines,
	Marshal:            func(output) ([]byte, error) { return nil, nil },
	MarshalTo:          func(output, io.Writer) error { return nil },
	Unmarshal:          func([]byte) (input, error) { return input{}, nil },
	SetReadDeadline:    func() error { return nil },
	SetWriteDeadline:   func() error { return nil },
	UnsetReadDeadline:  func() error { return nil },
	UnsetWriteDeadline: func() error { return nil },
	OnError:            func(error) {},
	QueueSize:          uint(1),
	MaxMessageSize:     64 << 10,
	HalfClose:          true,
}

var _ interface {
	reconnect.WorkGroup
	Spawn() error
	Close() error
	Next() (input, bool)
	Recv() <-chan input
	Send(output) error
	SendContext(context.Context, output) error
	TrySend(output) error
} = (*reconnect.StreamSession[input, output])(nil)

func TestConstantsHaveTheirValues(t *testing.T) {
	const (
		tcp, unix = reconnect.NetworkTCP, reconnect.NetworkUnix
		wait      = reconnect.DefaultWaitReconnect
		address   = reconnect.LogFieldAddress
		failure   = reconnect.LogFieldError
		attempt   = reconnect.LogFieldAttempt
		network   = reconnect.LogFieldNetwork
	)
	assert.Equal(t, []string{"tcp", "unix", "addr", "error", "attempt", "network"},
		[]string{tcp, unix, address, failure, attempt, network})
	assert.Equal(t, 5*time.Second, wait)
	var _ [reconnect.MaxUNIXSocketPathLength]byte // a constant of type int
	assert.Contains(t, []int{103, 107}, reconnect.MaxUNIXSocketPathLength)
}

func TestSentinelsMatchWhatTheyStandFor(t *testing.T) {
	for name, tc := range map[string]struct {
		err   error
		match []error
	}{
		"ErrClosed":          {reconnect.ErrClosed, []error{net.ErrClosed, fs.ErrClosed}},
		"ErrNotConnected":    {reconnect.ErrNotConnected, []error{reconnect.ErrClosed, net.ErrClosed, fs.ErrClosed}},
		"ErrRunning":         {reconnect.ErrRunning, []error{syscall.EBUSY}},
		"ErrConfigBusy":      {reconnect.ErrConfigBusy, []error{fs.ErrPermission}},
		"ErrDoNotReconnect":  {reconnect.ErrDoNotReconnect, nil},
		"ErrAbnormalConnect": {reconnect.ErrAbnormalConnect, []error{syscall.ECONNABORTED}},
		"ErrNameEmpty":       {reconnect.ErrNameEmpty, []error{core.ErrInvalid}},
		"ErrNameTooLong":     {reconnect.ErrNameTooLong, []error{core.ErrInvalid}},
		"ErrQueueFull":       {reconnect.ErrQueueFull, []error{stream.ErrQueueFull}},
	} {
		assert.Error(t, tc.err, name)
		for _, target := range append(tc.match, tc.err) {
			assert.ErrorIs(t, tc.err, target, name)
		}
	}
	assert.NotErrorIs(t, reconnect.ErrClosed, reconnect.ErrNotConnected)
	assert.EqualError(t, reconnect.ErrRunning, "already running")
	assert.EqualError(t, reconnect.ErrConfigBusy, "config already in use")
	assert.True(t, reconnect.IsClosed(reconnect.ErrNotConnected))
	assert.False(t, reconnect.IsNotConnected(reconnect.ErrClosed))
}

func TestRemotesAreParsedAsTheClientDoes(t *testing.T) {
	network, address, err := reconnect.ParseRemote("unix:///run/a.sock")
	assert.NoError(t, err)
	assert.Equal(t, []string{"unix", "/run/a.sock"}, []string{network, address})
	assert.NoError(t, reconnect.ValidateRemote("host:80"))
	assert.ErrorIs(t, reconnect.ValidateRemote("unix:"), reconnect.ErrNameEmpty)
	assert.ErrorIs(t, reconnect.UserTimeout(0)(t.Context(), nil), core.ErrInvalid)
}

func TestWaiterIsTriedWithAnAttemptOfOnesOwn(t *testing.T) {
	ctx := reconnect.WithAttempt(t.Context(), reconnect.Attempt{Number: 3})
	a, ok := reconnect.AttemptFrom(ctx)
	assert.True(t, ok)
	assert.Equal(t, 3, a.Number)
	w := reconnect.LimitWaiter(reconnect.NewImmediateErrorWaiter(nil), 3)
	assert.ErrorIs(t, w(ctx), reconnect.ErrDoNotReconnect)
	assert.NoError(t, w(t.Context()))
}

func TestShutdownFuncStopsWhatTheClientCarries(t *testing.T) {
	carried := newClient(t, &reconnect.Config{Remote: "host:80"})
	c := newClient(t, &reconnect.Config{Remote: "host:80"})
	c.Go(reconnect.NewShutdownFunc(carried, hangGuard))
	assert.NoError(t, c.Err())
	assert.NoError(t, c.Shutdown(guarded(t)))
	assert.Equal(t, reconnect.Stopped, carried.State())
}
