package reconnect

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"darvaza.org/core"

	"darvaza.org/x/net/worker"
)

// A Client keeps one connection alive: it dials, runs the session, notices
// the end, waits, and dials again, until it is stopped. Make one with [New].
//
// From [Client.Connect] on one goroutine runs all of that and the callbacks; it
// is a new one for each connection. OnSocket has a goroutine of its own, which
// the dial waits for, and OnError for a worker that of the worker. Every method
// may be called at any time, by any number of goroutines, and from within a
// callback. In a callback [Client.Wait] and [Client.Shutdown] would wait for the
// callback itself, and so would [Client.WaitConnected] and [Client.WaitStatus]
// for what only comes after it: give these a context that ends.
type Client struct {
	// read by every Read and Write, written once per session
	current atomic.Pointer[session] // the connection in use

	settings atomic.Pointer[settings]
	turn     atomic.Pointer[session] // what the loop is at: wait, dial or session
	status   atomic.Pointer[snapshot]
	watch    atomic.Pointer[watch]
	first    atomic.Pointer[chan error] // takes the result of the first attempt, for Connect
	phase    atomic.Uint32              // phaseNew and its kin
	redial   atomic.Bool                // the next wait is to be left out
	gaveUp   atomic.Bool                // a Shutdown has run out of patience

	loop  loop
	group worker.Group

	counters sync.Mutex // guards the two below
	read     uint64     // bytes of the sessions that are over
	written  uint64

	// set at construction
	config *Config
	made   settings // those until a Reload: so that one object has all that a reconnection needs

	workers workers
}

// The phase says who has the last word on the state.
const (
	phaseNew   = iota // not connected yet
	phaseLoop         // Connect was called: the loop has
	phaseNever        // stopped before that: there is no loop
)

// An OptionFunc changes a Config before [New] looks at it.
type OptionFunc func(*Config) error

// New makes a Client. The options run first, in order, on the Config itself;
// then come [Config.SetDefaults] and [Config.Valid]. A nil Config stands for
// an empty one.
//
// The error is that of an option as it is, one that matches
// [core.ErrInvalid] and names the field, or [ErrConfigBusy] where the Config
// has made a Client already. After any other error the Config is free for
// another try.
//
// The Client does nothing until [Client.Connect], and needs no clean-up before
// that, unless its Config.Context can end: that holds on to it until it does, or
// until [Client.Cancel] or Shutdown.
func New(cfg *Config, options ...OptionFunc) (*Client, error) {
	if cfg == nil {
		cfg = new(Config)
	}
	if err := cfg.acquire(); err != nil {
		return nil, err
	}
	keep := false
	defer func() {
		if !keep {
			cfg.release()
		}
	}()

	if err := cfg.apply(options); err != nil {
		return nil, err
	}
	cfg.keep()
	if err := cfg.SetDefaults(); err != nil {
		return nil, err
	}
	if err := cfg.Valid(); err != nil {
		return nil, err
	}
	keep = true
	return newClient(cfg), nil
}

// apply runs the options. One that panics has failed.
func (cfg *Config) apply(options []OptionFunc) (err error) {
	defer func() {
		if p := core.AsRecovered(recover()); p != nil {
			err = p
		}
	}()
	for _, option := range options {
		if option == nil {
			continue
		}
		if err := option(cfg); err != nil {
			return err
		}
	}
	return nil
}

// Must is [New] for programs that can't go on without; it panics on an error.
func Must(cfg *Config, options ...OptionFunc) *Client {
	c, err := New(cfg, options...)
	if err != nil {
		core.PanicWrap(err, "reconnect.Must")
	}
	return c
}

func newClient(cfg *Config) *Client {
	c := &Client{config: cfg}
	c.made.take(cfg)
	c.settings.Store(&c.made)
	c.status.Store(&snapshot{version: 1, since: time.Now(), remote: &c.made.remotes[0]})
	c.group.Parent = cfg.Context
	c.group.OnCancel = c.onCancel
	c.Context() // watches Config.Context from now on
	return c
}

// Config returns the Config that the client was made with, to be edited for
// [Client.Reload].
func (c *Client) Config() *Config {
	return c.config
}

// Context returns the client's context: a child of Config.Context that ends
// when the client's stop begins, with the reason as its cause.
func (c *Client) Context() context.Context {
	// Not kept in a field: where Config.Context is over already, the stop
	// begins before New has returned.
	return c.group.Context()
}
