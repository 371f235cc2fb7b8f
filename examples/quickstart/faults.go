package main

import (
	"context"
	"time"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/waiter"
)

// A fault is something the server does to its clients.
type fault struct {
	says  string // at the begin
	begin func(*server)
	bars  bool   // nobody gets in meanwhile, so an attempt has to fail
	long  int    // how long it lasts after that, in calms
	heals string // at the end, if it has one
	end   func(*server) error
}

// faults is the schedule. Each one is followed by a calm.
var faults = []fault{
	{
		says:  "STOPS: closes every connection and refuses new ones",
		begin: func(s *server) { s.Stop() },
		bars:  true,
		long:  2,
		heals: "starts again on the same address",
		end:   func(s *server) error { return s.Restart() },
	},
	{
		says:  "RESETS every connection",
		begin: func(s *server) { s.Reset() },
	},
	{
		says:  "GOES SILENT: accepts and reads, and answers nothing",
		begin: func(s *server) { s.silent.Store(true) },
		bars:  true,
		heals: "answers again",
		end:   func(s *server) error { s.silent.Store(false); return nil },
	},
	{
		says:  "HANGS UP on every connection after 60 bytes",
		begin: func(s *server) { s.SetHangUpAfter(60); s.HangUp() },
		long:  1,
		heals: "lets connections live again",
		end:   func(s *server) error { s.SetHangUpAfter(-1); return nil },
	},
}

// play runs the schedule against a connected client. It ends early, with an
// error, when ctx does.
func play(ctx context.Context, s *server, p *peer) error {
	if err := waiter.Sleep(ctx, p.pace.calm); err != nil {
		return err
	}
	for _, f := range faults {
		if err := strike(ctx, f, s, p); err != nil {
			return err
		}
	}
	return nil
}

// strike runs one fault. It goes on only when the client has noticed it, so a
// slow machine sees the same story.
func strike(ctx context.Context, f fault, s *server, p *peer) error {
	before := p.client.Status()
	p.log.server(f.says)
	f.begin(s)
	if err := await(ctx, p.client, func(now reconnect.Status) bool {
		lost := now.State != reconnect.Connected || now.Sessions > before.Sessions
		return lost && (!f.bars || now.Failures > before.Failures)
	}); err != nil {
		return err
	}

	if f.end != nil {
		if err := waiter.Sleep(ctx, p.pace.calm*time.Duration(f.long)); err != nil {
			return err
		}
		p.log.server(f.heals)
		if err := f.end(s); err != nil {
			return err
		}
	}
	if err := p.client.WaitConnected(ctx); err != nil {
		return err
	}
	return waiter.Sleep(ctx, p.pace.calm)
}

// await blocks until the client's status is as wanted.
func await(ctx context.Context, c *reconnect.Client, wanted func(reconnect.Status) bool) error {
	for status := c.Status(); !wanted(status); {
		var err error
		if status, err = c.WaitStatus(ctx, status.Version); err != nil {
			return err
		}
	}
	return nil
}
