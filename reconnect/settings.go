package reconnect

import (
	"context"
	"crypto/tls"
	"reflect"
	"slices"
	"time"
	"unsafe"

	"darvaza.org/slog"

	"darvaza.org/x/net/dialer"
	"darvaza.org/x/net/lifecycle"
)

// settings is what a client works from: an immutable snapshot of its Config.
type settings struct {
	callbacks lifecycle.Callbacks // all but OnSocket, which the dialer has
	wait      Waiter
	remotes   []remote
	first     [1]remote // what remotes is made of where there are no Alternates
	dialer    dialer.Dialer
	logger    slog.Logger

	dialTimeout  time.Duration
	readTimeout  time.Duration
	writeTimeout time.Duration
	stableAfter  time.Duration

	// custom and tls are here to be compared by a Reload
	custom dialer.Dialer
	tls    *tls.Config
}

// remote is a parsed Config.Remote or one of its Alternates.
type remote struct {
	text    string // as configured
	network string
	address string
}

// take takes the snapshot. The Config has its defaults and is valid.
func (set *settings) take(cfg *Config) {
	*set = settings{
		logger: cfg.Logger,
		callbacks: lifecycle.Callbacks{
			OnConnect:    cfg.OnConnect,
			OnSession:    cfg.OnSession,
			OnDisconnect: cfg.OnDisconnect,
			OnError:      cfg.OnError,
			OnState:      cfg.OnState,
		},
		wait:         cfg.WaitReconnect,
		dialTimeout:  cfg.DialTimeout,
		readTimeout:  min(max(cfg.ReadTimeout, 0), longest),
		writeTimeout: min(max(cfg.WriteTimeout, 0), longest),
		stableAfter:  cfg.StableAfter,
		custom:       cfg.Dialer,
		tls:          cfg.TLSConfig,
	}
	set.remotes = set.first[:0]
	set.add(cfg.Remote)
	for _, r := range cfg.Alternates {
		set.add(r)
	}
	set.dialer = newDialer(cfg)
}

// withSettings applies what holds, and again where a Reload came in between: it
// may have looked for what to apply it to before that was there.
func (c *Client) withSettings(apply func(*settings)) {
	for {
		set := c.settings.Load()
		apply(set)
		if c.settings.Load() == set {
			return
		}
	}
}

func (set *settings) add(text string) {
	// Valid has seen it
	network, address, _ := dialer.ParseRemote(text)
	set.remotes = append(set.remotes, remote{text, network, address})
}

// newDialer stacks what the Config asks for: the user's dialer or ours, and TLS
// over it. The time-out is that of the context.
func newDialer(cfg *Config) dialer.Dialer {
	d := cfg.Dialer
	if d == nil {
		d = cfg.ownDialer()
	}
	if cfg.TLSConfig != nil {
		d = dialer.WithTLS(d, cfg.TLSConfig, -1)
	}
	return d
}

// ownDialer is the one for a Config without a Dialer.
func (cfg *Config) ownDialer() dialer.Dialer {
	if cfg.OnSocket == nil && cfg.KeepAlive == DefaultKeepAlive {
		return plainDialer
	}
	own := cfg.dialerConfig()
	own.Timeout = -1
	return dialer.New(own)
}

// plainDialer is the one of all clients that ask for nothing special.
var plainDialer = dialer.New(dialer.Config{KeepAlive: DefaultKeepAlive, Timeout: -1})

// dialContext bounds a dial: look-up, connection and TLS handshake together.
func (set *settings) dialContext(parent context.Context) (context.Context, context.CancelFunc) {
	if set.dialTimeout <= 0 {
		return context.WithCancel(parent)
	}
	return context.WithTimeout(parent, set.dialTimeout)
}

// grace is how long writes may go on after a stop, and what bounds the
// OnDisconnect callback.
func (set *settings) grace() time.Duration {
	if set.writeTimeout > 0 {
		return set.writeTimeout
	}
	return DefaultWriteTimeout
}

// sameRoute tells if a connection made by one of the two could have been made
// by the other.
func sameRoute(a, b *settings) bool {
	return slices.Equal(a.remotes, b.remotes) && a.tls == b.tls && same(a.custom, b.custom)
}

// same tells if two interface values are one: the same words in memory, or
// equal where they can be compared. A dialer of a function type can't, and
// one that nobody touched must not look like a new one.
//
// T is an interface type.
func same[T any](a, b T) bool {
	type words [2]uintptr
	if *(*words)(unsafe.Pointer(&a)) == *(*words)(unsafe.Pointer(&b)) {
		return true
	}
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	return x.IsValid() && y.IsValid() && x.Type() == y.Type() && x.Comparable() && x.Equal(y)
}
