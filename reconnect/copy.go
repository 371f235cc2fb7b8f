package reconnect

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"reflect"
	"runtime"
	"sync"
	"syscall"

	"darvaza.org/core"

	"darvaza.org/x/net/lifecycle"
)

// copyBuffer is the size of the buffer where the kernel can't move the data
// by itself, copyChunk how much it moves in one turn where it can: enough to
// make the turn's cost disappear, and little enough to let others write.
const (
	copyBuffer = 32 << 10
	copyChunk  = 4 << 20
)

var copyBuffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

// ReadFrom writes to the current connection what it reads from r, until that
// ends, which is no error, or something fails. It returns the number of bytes
// written. [io.Copy] calls it.
//
// A regular file, as it is or in an [io.LimitedReader], goes from the kernel's
// cache to a TCP connection, or on Linux to a stream over a Unix socket,
// without a detour through the program (sendfile). WriteTimeout then bounds
// how long nothing moves, so that a large file passes over a slow connection
// (never early, at most 1/16 late), and the file stands after what was written,
// whatever fails. All other sources, and files on Windows or over other
// connections, are read through a buffer, with writes as by [Client.Write]: only
// what is read is written, and WriteTimeout doesn't count while r blocks.
//
// One call stays with the connection it began on. Errors of that come back and
// count as those of Write do; an error of r comes back and leaves the session
// alone. Without a connection it returns [ErrNotConnected] before it reads.
// Nothing but r itself ends a Read of r that blocks. Concurrent writes get
// their turn in between.
func (c *Client) ReadFrom(r io.Reader) (int64, error) {
	if r == nil {
		return 0, core.QuietWrap(core.ErrInvalid, "reconnect: ReadFrom: reader is nil")
	}
	s := c.current.Load()
	if s == nil {
		return 0, ErrNotConnected
	}
	sent, done, err := s.sendFile(r)
	if done {
		return sent, err
	}
	// A source that can write itself would do so in a single Write.
	n, err := copyAll(sessionWriter{s}, struct{ io.Reader }{r})
	return sent + n, err
}

// WriteTo writes to w what it reads from the current connection, until the
// peer ends that, which is no error but ends the session, or something fails.
// It returns the number of bytes written to w. [io.Copy] calls it.
//
// To a regular file on Linux the data goes without a detour through the
// program (splice), from a TCP connection or a stream over a Unix socket. To
// anything else it goes through a buffer, that of w where w is an
// [io.ReaderFrom]. ReadTimeout bounds how long nothing arrives (never early, at
// most 1/16 late); after a time-out another WriteTo goes on where this one
// stopped.
//
// One call stays with the connection it began on. Errors of that come back and
// count as those of [Client.Read] do; an error of w comes back and leaves the
// session alone, though what has been read by then is lost. Without a
// connection it returns [ErrNotConnected]. Nothing but w itself ends a Write
// to w that blocks.
func (c *Client) WriteTo(w io.Writer) (int64, error) {
	if w == nil {
		return 0, core.QuietWrap(core.ErrInvalid, "reconnect: WriteTo: writer is nil")
	}
	s := c.current.Load()
	if s == nil {
		return 0, ErrNotConnected
	}
	received, done, err := s.receiveFile(w)
	if done {
		return received, err
	}
	n, err := copyAll(w, sessionReader{s})
	return received + n, err
}

// copyAll copies through a buffer, unless one side knows better.
func copyAll(w io.Writer, r io.Reader) (int64, error) {
	buf := copyBuffers.Get().(*[copyBuffer]byte)
	defer copyBuffers.Put(buf)
	return io.CopyBuffer(w, r, buf[:])
}

// A sessionReader reads from the connection of one session. It has no other
// method, so that a copy through it can't come back to the client's.
type sessionReader struct{ s *session }

func (r sessionReader) Read(p []byte) (int, error) { return r.s.in.call(p) }

// A sessionWriter writes to the connection of one session.
type sessionWriter struct{ s *session }

func (w sessionWriter) Write(p []byte) (int, error) { return w.s.out.call(p) }

// sendFile has the kernel send a file. Where it isn't done the rest is to be
// copied: r isn't a file that the kernel could send, it is at its end, or the
// kernel has failed and a plain copy will tell whose fault that is.
func (s *session) sendFile(r io.Reader) (sent int64, done bool, err error) {
	limited, _ := r.(*io.LimitedReader)
	if limited != nil {
		r = limited.R
	}
	f := sourceFile(r)
	if f == nil {
		return 0, false, nil
	}
	send := s.sender(f)
	if send == nil {
		return 0, false, nil
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, false, nil
	}
	move := func(most int) (int, error) {
		n, err := send(most)
		at += int64(n)
		if err == nil || err == io.EOF {
			return n, err
		}
		// net may have had to read what it then couldn't write
		if _, failed := f.Seek(at, io.SeekStart); failed != nil {
			return n, failed
		}
		return n, err
	}
	for {
		most := int64(copyChunk)
		if limited != nil {
			most = min(most, limited.N)
		}
		if most <= 0 {
			return sent, true, nil
		}
		n, err := s.out.transfer(int(most), move)
		sent += int64(n)
		if limited != nil {
			limited.N -= int64(n)
		}
		switch {
		case err == nil:
		case isOfConn(err):
			return sent, true, s.out.failed(0, err)
		default:
			return sent, false, nil
		}
	}
}

// sender returns what has the kernel send a part of f, or nil. It returns
// io.EOF when there is less than asked for.
func (s *session) sender(f file) func(most int) (int, error) {
	switch conn := s.conn.(type) {
	case *net.TCPConn:
		if runtime.GOOS == "windows" {
			return nil // can't tell how much was sent when a deadline passed
		}
		part := &io.LimitedReader{R: f}
		return func(most int) (int, error) {
			part.N = int64(most)
			n, err := conn.ReadFrom(part)
			return int(n), orEOF(err, int(n) < most)
		}
	case *net.UnixConn:
		if isStream(conn) {
			return unixSender(conn, f)
		}
	}
	return nil
}

// receiveFile has the kernel move to a file what arrives. Where it isn't done
// the rest is to be copied: w isn't a file, or the connection is at its end.
func (s *session) receiveFile(w io.Writer) (received int64, done bool, err error) {
	f, ok := w.(*os.File)
	if !ok || runtime.GOOS != "linux" || !isRegular(f) || !s.isKernels() {
		return 0, false, nil
	}
	part := &io.LimitedReader{R: s.conn}
	// A deadline strikes only while this waits for data and has none in hand.
	move := func(most int) (int, error) {
		part.N = int64(most)
		n, err := f.ReadFrom(part)
		return int(n), orEOF(err, int(n) < most)
	}
	for {
		n, err := s.in.transfer(copyChunk, move)
		received += int64(n)
		switch {
		case err == nil:
		case err == io.EOF:
			return received, false, nil
		case isOfConn(err):
			return received, true, s.in.failed(0, s.readError(err))
		default:
			return received, true, err
		}
	}
}

// isKernels tells if the connection is a stream of the kernel's.
func (s *session) isKernels() bool {
	switch conn := s.conn.(type) {
	case *net.TCPConn:
		return true
	case *net.UnixConn:
		return isStream(conn)
	default:
		return false
	}
}

func isStream(conn *net.UnixConn) bool {
	addr := conn.LocalAddr()
	return addr != nil && addr.Network() == "unix"
}

// file is what a source needs to be sent by the kernel.
type file interface {
	io.Reader
	io.Seeker
	syscall.Conn
	Stat() (fs.FileInfo, error)
}

// sourceFile recognises an *os.File, also in the guise in which that hands
// itself to ReadFrom. A type that embeds one may have a Read of its own, and
// isn't meant.
func sourceFile(r io.Reader) file {
	f, ok := r.(file)
	if !ok {
		return nil
	}
	t := reflect.TypeOf(r)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.PkgPath() != "os" || !isRegular(f) {
		return nil
	}
	return f
}

// isRegular leaves out what might block.
func isRegular(f interface{ Stat() (fs.FileInfo, error) }) bool {
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
}

func orEOF(err error, short bool) error {
	if err == nil && short {
		return io.EOF
	}
	return err
}

// isOfConn tells if what has failed in a copy from or to a file is the
// connection. The kernel doesn't say; but the errors of files are others.
func isOfConn(err error) bool {
	return isTimeout(err) || errors.Is(err, net.ErrClosed) || isOfNetwork(err)
}

// isOfNetwork tells if the system says that a connection is gone, or can't be.
func isOfNetwork(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) && !lifecycle.IsFatal(errno)
}

// readError makes an error of the connection look like one of a Read. It comes
// as one of the file's.
func (s *session) readError(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	addr := s.conn.LocalAddr()
	return &net.OpError{Op: "read", Net: addr.Network(), Source: addr, Addr: s.conn.RemoteAddr(), Err: err}
}
