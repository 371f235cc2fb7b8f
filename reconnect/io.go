package reconnect

import "net"

// Read reads from the current connection. It blocks until there is something,
// for at most ReadTimeout counted from this call (never early, at most 1/16
// late), or until the deadline set by [Client.SetReadDeadline]; then the error
// matches [os.ErrDeadlineExceeded] and the connection stays. Any other error
// ends the session. Without a connection it returns [ErrNotConnected], also after
// the stop, and when that cuts it short an error that matches [ErrClosed]; whether there
// will be another connection [Client.WaitConnected] tells. What
// bounds it while OnDisconnect runs is told there, see [Config]. Over TLS one that
// has to answer a change of keys may wait for a peer that doesn't read.
//
// Reads, writes and all other methods may be used concurrently.
func (c *Client) Read(p []byte) (int, error) {
	s := c.current.Load()
	if s == nil {
		return 0, ErrNotConnected
	}
	d := &s.in
	limit, n, err := unknown, 0, error(nil)
	w := d.word.Load()
	if w&free != 0 || d.tryLock(w) {
		if n, err = d.conn.Read(p); err == nil {
			d.letGo(n, w)
			return n, nil
		}
	} else {
		if limit, err = d.enter(); err != nil {
			return 0, err
		}
		if err = d.prepare(limit); err != nil {
			return 0, d.giveUp(err)
		}
		n, err = d.conn.Read(p)
	}
	for err != nil && n == 0 {
		var again bool
		if limit, again, err = d.goOn(err, limit, w); !again {
			break
		}
		if failed := d.prepare(limit); failed != nil {
			err = failed
			break
		}
		n, err = d.conn.Read(p)
	}
	if limit != unknown {
		w &^= free // if it was, the call has a turn by now
		d.settle(limit)
	}
	if err != nil {
		err = d.failed(n, err)
	}
	d.letGo(n, w)
	return n, err
}

// Write writes all of p to the current connection. It blocks for at most
// WriteTimeout counted from this call (never early, at most 1/16 late), or
// until the deadline set by [Client.SetWriteDeadline]; then the error matches
// [os.ErrDeadlineExceeded] and the count says how much was written. Any other
// error ends the session, and so does the next Write that fails after a
// time-out over TLS, which has broken that connection. Without a connection it
// returns [ErrNotConnected], also after the stop.
// After the client's stop writes still pass for WriteTimeout, 2 s where that
// is off, as long as the connection is open.
//
// Concurrent writes don't interleave on the connections of package net.
func (c *Client) Write(p []byte) (int, error) {
	s := c.current.Load()
	if s == nil {
		return 0, ErrNotConnected
	}
	d := &s.out
	limit, n, err := unknown, 0, error(nil)
	w := d.word.Load()
	if w&free != 0 || d.tryLock(w) {
		if n, err = d.conn.Write(p); err == nil {
			d.letGo(n, w)
			return n, nil
		}
	} else {
		if limit, err = d.enter(); err != nil {
			return 0, err
		}
		if err = d.prepare(limit); err != nil {
			return 0, d.giveUp(err)
		}
		n, err = d.conn.Write(p)
	}
	for err != nil {
		var again bool
		if limit, again, err = d.goOn(err, limit, w); !again {
			break
		}
		if failed := d.prepare(limit); failed != nil {
			err = failed
			break
		}
		var m int
		m, err = d.conn.Write(p[n:])
		n += m
	}
	if limit != unknown {
		w &^= free // if it was, the call has a turn by now
		d.settle(limit)
	}
	if err != nil {
		err = d.failed(n, err)
	}
	d.letGo(n, w)
	return n, err
}

// Read and Write say the same as call, which ReadFrom and WriteTo go through.
// They are written out because each function in between is a part of what a
// Read or Write costs, and of the stack under one that blocks. What most calls go
// through comes first and on its own: after a system call the processor has to
// fetch code and predict jumps anew.

// Close drops the current connection, under whatever uses it, and lets the
// client reconnect as after any loss of it. To stop the client use
// [Client.Shutdown] or [Client.Cancel]. Without a connection it does nothing.
//
// Over TLS the peer is told before the connection is closed. An OnSession or OnDisconnect
// that reads from the connection itself may get what the peer answers to that, io.EOF or
// a reset, which is judged as if the peer had been the first.
func (c *Client) Close() error {
	s := c.current.Load()
	if s == nil {
		return nil
	}
	s.cancel(errClosedByUser)
	if err := s.close(); err != nil && !isCut(err) {
		return err
	}
	return nil // also where the loop, or another Close, was faster
}

// LocalAddr returns the local address of the current connection, or nil.
func (c *Client) LocalAddr() net.Addr {
	if s := c.current.Load(); s != nil {
		return s.conn.LocalAddr()
	}
	return nil
}

// RemoteAddr returns the remote address of the current connection, or nil.
func (c *Client) RemoteAddr() net.Addr {
	if s := c.current.Load(); s != nil {
		return s.conn.RemoteAddr()
	}
	return nil
}
