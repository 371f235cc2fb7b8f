package reconnect

import (
	"context"
	"fmt"
	"time"

	"darvaza.org/x/net/lifecycle"
)

// judge takes note of how a turn ended and decides what follows.
func (c *Client) judge(s *session, err error) lifecycle.Verdict {
	c.heed()
	if s.stage != stageSession && isRequest(context.Cause(s)) && c.Context().Err() == nil {
		// The attempt didn't fail, it was cut short. An error that OnConnect
		// has of its own counts.
		if s.stage == stageConnect {
			err = s.outcome(err)
		}
		if err == nil || s.stage == stageDial && !lifecycle.IsFinal(err) {
			return lifecycle.Verdict{}
		}
	}
	if s.stage == stageSession {
		c.sessionEnded(s)
	} else if c.Context().Err() == nil {
		c.draft().failures++
	}
	s.cancel(errSessionOver)

	c.loop.ended = err
	v := c.verdict(s, err)
	c.logEnd(s, v, err)
	if s.goodbye == nil {
		return v
	}
	c.logDebug("OnDisconnect failed", s.goodbye)
	if v.Stop || s.cutShort {
		return v
	}
	s.stage = stageGoodbye
	return c.verdict(s, s.goodbye)
}

// heed stops the client where Config.Context is over. Whoever watches that may hear
// of it before the client does, and answer with its error.
func (c *Client) heed() {
	if parent := c.group.Parent; parent != nil {
		select {
		case <-parent.Done():
			<-c.Context().Done()
			c.Cancel(context.Cause(c.Context()))
		default:
		}
	}
}

// verdict asks for what follows an error of the turn.
func (c *Client) verdict(s *session, err error) (v lifecycle.Verdict) {
	if err != nil && c.Context().Err() == nil {
		st := c.draft()
		st.lastError, st.lastErrorAt, st.stage, st.overcome = err, time.Now(), s.stage, false
	}
	_ = c.call(func() error {
		v = c.settings.Load().callbacks.Judge(c.Context(), s.netConn(), err)
		return nil
	})
	return v
}

// refused is the verdict on an error from WaitReconnect.
func (c *Client) refused(err error) (v lifecycle.Verdict) {
	c.heed()
	_ = c.call(func() error {
		v = c.settings.Load().callbacks.JudgeStop(c.Context(), nil, err)
		return nil
	})
	return v
}

// sessionEnded decides whether the attempts count anew.
func (c *Client) sessionEnded(s *session) {
	if c.loop.uptime >= c.settings.Load().stableAfter {
		c.draft().attempt = 0
		c.loop.step = 0
		c.loop.lostAt = s.since.Add(s.upSince + c.loop.uptime)
	}
}

// stop stops the client by a verdict. Whoever waits in Connect gets to know
// first.
func (c *Client) stop(v lifecycle.Verdict, from string) {
	if v.Stopping || c.Context().Err() != nil {
		return // the stop came first, be it while OnError was running
	}
	if c.loop.draft != nil {
		c.publish() // so that who is woken by the stop finds what it comes from
	}
	reason := unasked(v.Reason, from)
	c.answer(reason)
	c.Cancel(reason)
}

// unasked makes a reason of what a callback or a worker said. A context that
// was cancelled is one of its own: nobody has asked for this stop.
func unasked(reason error, from string) error {
	if reason == context.Canceled {
		return fmt.Errorf("reconnect: %s%w", from, reason)
	}
	return reason
}
