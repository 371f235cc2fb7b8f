package reconnect

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"time"

	"darvaza.org/core"
	"darvaza.org/slog"
	"darvaza.org/slog/handlers/discard"

	"darvaza.org/x/net/dialer"
	"darvaza.org/x/net/waiter"
)

// Defaults that [Config.SetDefaults] writes into fields left at zero.
const (
	DefaultKeepAlive    = 5 * time.Second
	DefaultDialTimeout  = 2 * time.Second
	DefaultReadTimeout  = 2 * time.Second
	DefaultWriteTimeout = 2 * time.Second
	DefaultStableAfter  = 10 * time.Second
)

// Config says where a [Client] connects, how it waits and what it calls.
// Only Remote is required.
//
// One Config makes one Client: a second [New] with it fails with
// [ErrConfigBusy]. A copy made by value is a new Config, free to be used, and one that
// is overwritten as a whole is as new until its Client's next [Client.Reload]. The
// Client works from a snapshot, so writing to a Config in use changes nothing
// until [Client.Reload]; writing to it while New or Reload run is a data race.
//
// In every duration zero means the default. A negative KeepAlive,
// DialTimeout, ReadTimeout or WriteTimeout turns that feature off.
type Config struct {
	// Context is the parent of everything the client does; when it ends, the
	// client stops with its cause. Default: [context.Background]. It can't be
	// changed by a Reload.
	Context context.Context
	// Logger receives the client's log. Default: one that discards.
	Logger slog.Logger

	// WaitReconnect blocks between two attempts. An error from it stops the
	// client. Default: a constant wait of ReconnectDelay. What the client
	// knows about the attempt is found by [AttemptFrom].
	WaitReconnect Waiter

	// OnSocket sees each socket before it connects, those of TCP and Unix
	// alike, once for every address tried. A [runtime.Goexit] in it is a failed attempt,
	// and not, as in other callbacks, the end of the client.
	OnSocket func(context.Context, syscall.RawConn) error
	// OnConnect sees each new connection first, for a handshake. Reads and
	// writes on the connection are bounded by ReadTimeout and WriteTimeout,
	// counted from the start of the callback, while it runs; Read and Write of the
	// client have no connection yet. When it fails the connection is closed and
	// the attempt counts as failed.
	OnConnect func(context.Context, net.Conn) error
	// OnSession runs the protocol and returns when the session is over: nil
	// to reconnect, an error to be judged. Its context carries the connection
	// ([ConnFrom]) and ends when the session has to. A context.Canceled, wrapped
	// or not, is judged by what has ended the context then; a fatal error that it
	// is joined to still counts. Without OnSession the connection is held open for
	// the client's workers, and its loss is noticed by their Read or Write alone.
	OnSession func(context.Context) error
	// OnDisconnect runs once for every connection whose OnConnect succeeded,
	// before the client closes it. Its context isn't cancelled by the
	// client's stop but bounded by WriteTimeout, 2 s where that is off. After
	// a session that ended of itself the same moment bounds reads and writes
	// on the connection, also those through the client, in the place of
	// ReadTimeout, WriteTimeout and deadlines set before, until others are
	// set. After a stop, Reconnect, or a Reload that redials, reads fail at
	// once, and writes pass for as long as that would have allowed from then.
	// After the client's Close all fails at once. What it returns of errors that are
	// due to such a request alone is logged, and isn't judged.
	OnDisconnect func(context.Context, net.Conn) error
	// OnError decides about an error in the place of [IsFatal]: nil means go
	// on, anything else stops the client with what it returns. An ErrDoNotReconnect
	// and an error of WaitReconnect stop it in any case; nil leaves them as the
	// reason. The connection is nil where the error belongs to none. Errors of
	// workers may call it while another callback runs.
	OnError func(context.Context, net.Conn, error) error
	// OnState sees every change of state, in order. Where Context is over already, the one
	// to Stopped may come before New has returned.
	OnState func(from, to State)

	// Remote is where to connect: "host:port" for TCP; "unix:/path", "/path",
	// "@abstract" or a relative path with ".sock" in it for a Unix socket.
	Remote string
	// Alternates are dialled in order when Remote can't be. An attempt is one
	// round through all of them, each with a DialTimeout of its own, until one is
	// connected; when OnConnect then fails the next begins with Remote again.
	// Its error joins theirs. It is fatal only where each of them is, or one is an
	// ErrDoNotReconnect or a panic.
	Alternates []string

	// Dialer replaces the client's own, for a proxy, a tunnel or a pipe. It
	// gets KeepAlive and OnSocket only if it looks at them itself;
	// DialTimeout reaches it by its context. Its errors are judged like all
	// others: where a proxy says no in words that [IsFatal] can't know, wrap
	// what is worth a retry by core.NewTemporaryError. Its connections have to
	// support deadlines: where setting one fails when a timeout needs it, the
	// attempt or the session ends with that error, and without any a stop, a Reconnect
	// or a Reload that redials closes the connection at once, before OnDisconnect. One
	// that doesn't survive a deadline, such as a WebSocket, needs the timeouts off.
	//
	// To Read and Write of the client each error of such a connection that isn't final
	// is a loss, and worth a retry. Where a session uses the connection itself, or
	// through TLS, its errors are judged like all others, and that after a Close has to
	// match [net.ErrClosed], [io.ErrClosedPipe] or [fs.ErrClosed]. A Read that has to
	// write may run into the deadline of the last Write. One that panics keeps
	// others from reading, or writing, until the session ends.
	Dialer dialer.Dialer
	// TLSConfig, when set, runs TLS over the connection. A ServerName left
	// empty is taken from the remote; TLS 1.2 is the least accepted.
	TLSConfig *tls.Config

	// KeepAlive is both the idle time before the first TCP keep-alive probe
	// and the time between probes; the third lost one ends the connection.
	// Default 5 s.
	KeepAlive time.Duration
	// DialTimeout bounds look-up, dial and TLS handshake together. Default 2 s. A
	// system with several name servers asks the second after some seconds, 5 by
	// default: where the first may be down this has to be more.
	DialTimeout time.Duration
	// ReadTimeout bounds each Read of the client. Default 2 s.
	ReadTimeout time.Duration
	// WriteTimeout bounds each Write of the client, and the writes that still
	// pass after a stop. Default 2 s.
	WriteTimeout time.Duration
	// ReconnectDelay is the wait between attempts when WaitReconnect isn't
	// set. Zero means [DefaultWaitReconnect], negative never to reconnect.
	ReconnectDelay time.Duration
	// StableAfter is how long a session must last before the number of the
	// attempt, by which waits grow, starts anew. Default 10 s. Negative: any
	// session will do.
	StableAfter time.Duration

	owner *Config // the Config itself while in use; guarded by owners
}

// ErrConfigBusy is the error of [New] for a [Config] that has made a [Client]
// already. It matches [fs.ErrPermission].
var ErrConfigBusy = core.QuietWrap(fs.ErrPermission, "config already in use")

// owners guards the owner field of every Config. It is held for a comparison
// and a store, once or twice in the life of a client.
var owners sync.Mutex

// acquire claims the Config for one client. A copy carries the pointer of the
// original, which makes it a free one.
func (cfg *Config) acquire() error {
	owners.Lock()
	defer owners.Unlock()
	if cfg.owner == cfg {
		return ErrConfigBusy
	}
	cfg.owner = cfg
	return nil
}

// keep claims the Config for good. An option may have overwritten it as a
// whole, and with it the first claim.
func (cfg *Config) keep() {
	owners.Lock()
	defer owners.Unlock()
	cfg.owner = cfg
}

func (cfg *Config) release() {
	owners.Lock()
	defer owners.Unlock()
	cfg.owner = nil
}

// copy is for a Reload: defaults go to a copy, since another Reload may be
// reading. A Config that was overwritten as a whole is in use again. Nothing is
// written to any other, which the user may be copying by value.
func (cfg *Config) copy() Config {
	owners.Lock()
	defer owners.Unlock()
	if cfg.owner != cfg {
		cfg.owner = cfg
	}
	return *cfg
}

// SetDefaults fills the fields left at zero with their defaults. [New] calls
// it. The error is always nil on a Config that isn't nil.
func (cfg *Config) SetDefaults() error {
	if cfg == nil {
		return invalid("Config", errors.New("is nil"))
	}
	if cfg.Context == nil {
		cfg.Context = context.Background()
	}
	if cfg.Logger == nil {
		cfg.Logger = silent
	}
	setDefault(&cfg.KeepAlive, DefaultKeepAlive)
	setDefault(&cfg.DialTimeout, DefaultDialTimeout)
	setDefault(&cfg.ReadTimeout, DefaultReadTimeout)
	setDefault(&cfg.WriteTimeout, DefaultWriteTimeout)
	setDefault(&cfg.StableAfter, DefaultStableAfter)
	if cfg.WaitReconnect == nil || isDelay(cfg.WaitReconnect) {
		cfg.WaitReconnect = defaultWait
		if cfg.ReconnectDelay != 0 {
			cfg.WaitReconnect = delay(cfg.ReconnectDelay).wait
		}
	}
	return nil
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}

// delay is the default WaitReconnect. It is a type of its own so that a
// Reload can tell it from a waiter of the user's, and follow a change of
// ReconnectDelay.
type delay time.Duration

// What most clients share.
var (
	silent             = discard.New()
	defaultWait Waiter = delay(0).wait
)

func (d delay) wait(ctx context.Context) error {
	return waiter.NewConstant(time.Duration(d))(ctx)
}

func isDelay(w Waiter) bool {
	return reflect.ValueOf(w).Pointer() == reflect.ValueOf(defaultWait).Pointer()
}

// Valid reports what makes the Config unusable, all of it, each error naming
// its field and matching [core.ErrInvalid]. Fields at zero are fine except
// for Remote. [New] calls it.
func (cfg *Config) Valid() error {
	if cfg == nil {
		return invalid("Config", errors.New("is nil"))
	}
	var errs []error
	check := func(field, remote string) {
		network, _, err := dialer.ParseRemote(remote)
		switch {
		case err != nil:
			errs = append(errs, invalid(field, err))
		case network == dialer.NetworkUnix && !cfg.namesServer():
			errs = append(errs, invalid("TLSConfig", fmt.Errorf(
				"ServerName is needed for the Unix socket %q of %s", remote, field)))
		}
	}
	check("Remote", cfg.Remote)
	for i, remote := range cfg.Alternates {
		check(fmt.Sprintf("Alternates[%d]", i), remote)
	}
	for _, field := range []struct {
		name  string
		value any
	}{{"Context", cfg.Context}, {"Dialer", cfg.Dialer}, {"Logger", cfg.Logger}} {
		if field.value != nil && isNil(field.value) {
			errs = append(errs, invalid(field.name, fmt.Errorf("is a nil %T", field.value)))
		}
	}
	return errors.Join(errs...)
}

// isNil tells if an interface holds a pointer, or a function, that is nil: a
// value that passes for one and panics when it is used.
func isNil(v any) bool {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Chan, reflect.Slice:
		return r.IsNil()
	default:
		return false
	}
}

// namesServer tells if TLS, where it is used, knows whom to expect at a
// remote that has no host name.
func (cfg *Config) namesServer() bool {
	t := cfg.TLSConfig
	return t == nil || t.ServerName != "" || t.InsecureSkipVerify
}

// ExportDialer gives the Config's keep-alive, dial timeout and OnSocket as a
// [net.Dialer]. Fields at zero count as their defaults. The standard dialer
// tries the addresses of one family one after the other; the client's own doesn't
// wait for one to fail before it tries the next as well, see [dialer.New].
func (cfg *Config) ExportDialer() net.Dialer {
	return cfg.dialerConfig().Export()
}

func (cfg *Config) dialerConfig() dialer.Config {
	return dialer.Config{
		KeepAlive: cfg.KeepAlive,
		Timeout:   cfg.DialTimeout,
		OnSocket:  cfg.OnSocket,
	}
}

// invalid makes an error that names a field of the Config.
func invalid(field string, err error) error {
	if errors.Is(err, core.ErrInvalid) {
		return fmt.Errorf("reconnect: Config.%s: %w", field, err)
	}
	msg := strings.TrimPrefix(err.Error(), "reconnect: ")
	return core.QuietWrap(core.ErrInvalid, "reconnect: Config.%s: %s", field, msg)
}
