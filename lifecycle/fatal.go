package lifecycle

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"reflect"
	"slices"

	"darvaza.org/core"
)

// IsFatal reports whether trying again is pointless after err. It looks at the
// whole tree of wrapped and joined errors, and a tree is fatal if any branch is.
//
// Worth another try, so false:
//   - nil;
//   - an error that says so of itself, by a method Temporary() bool or
//     Timeout() bool that gives true (IsTemporary and IsTimeout count as well).
//     The mark covers what the error wraps; core.NewTemporaryError sets it;
//   - io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, and with
//     these [ErrClosed] and [ErrNotConnected];
//   - context.DeadlineExceeded and os.ErrDeadlineExceeded;
//   - a failed look-up (*net.DNSError), a name that doesn't exist included, and one that
//     its context has cut short;
//   - any errno inside a *net.OpError;
//   - elsewhere, an errno that says a connection was refused, reset, aborted or
//     broken, that a host or network can't be reached, that a Unix socket isn't
//     there yet (ENOENT, but not within a *fs.PathError or *os.LinkError, which
//     speak of files), that descriptors or buffers ran out, and
//     [ErrAbnormalConnect]. The Windows codes for these count alike;
//   - over TLS, a write after CloseWrite, a bad record after good ones
//     (tls.RecordHeaderError without a Conn, and what a write says of it), and of the
//     alerts a bad record MAC and an internal error.
//
// Fatal, so true:
//   - what is final ([IsFinal]): [ErrDoNotReconnect], a panic (core.Recovered,
//     such as *core.PanicError) and [ErrGoexit], anywhere in the tree and whatever
//     marks it as temporary. The marks of core have no Unwrap, so nothing can be
//     seen behind them;
//   - context.Canceled;
//   - errors of configuration: *net.AddrError, net.UnknownNetworkError,
//     net.InvalidAddrError and whatever matches core.ErrInvalid;
//   - certificate errors: those of crypto/x509, *tls.CertificateVerificationError
//     and the other alerts a TLS server answers with;
//   - every error that isn't listed.
//
// IsFatal doesn't block, and may be called concurrently; it only reads err. It
// gives up on trees of more than some thousand errors, and on errors whose own
// methods panic; both are fatal.
func IsFatal(err error) (fatal bool) {
	if err == nil || err == io.EOF {
		return false // at once, since that is what most sessions end with
	}
	defer onPanic(&fatal, true)

	// What is final anywhere outweighs the marks on the way to it, hence the
	// two passes.
	return IsFinal(err) || newWalk().fatal(err, scopeNone)
}

// IsFinal reports whether err holds, anywhere in its tree, what nothing else in
// it can make good: [ErrDoNotReconnect] or its kind, a panic, or [ErrGoexit]. Such
// an error is fatal. It is false for nil; what can't be looked through, as
// IsFatal says, is final.
func IsFinal(err error) bool {
	return holds(err, isFinal)
}

// scope is what an errno further down the tree is about.
type scope uint8

const (
	scopeNone   scope = iota // nobody said
	scopeSocket              // an operation of package net
	scopeFile                // a file and its path
)

// enter gives the scope of what err wraps. A socket keeps its scope: nothing
// that a network operation wraps makes it a matter of files.
func (s scope) enter(err error) scope {
	switch err.(type) {
	case *net.OpError:
		return scopeSocket
	case *fs.PathError, *os.LinkError:
		if s == scopeNone {
			return scopeFile
		}
	}
	return s
}

// fatal decides on one tree: each node is either decided on its own, or left to
// what it wraps, and a leaf that nobody knows is fatal.
func (w *walk) fatal(err error, s scope) bool {
	for w.step() {
		s = s.enter(err)
		switch {
		case isMarked(err):
			return false
		case isMisconfigured(err):
			return true
		case isLost(err), s.isErrnoLost(err):
			return false
		}

		parts, next := unwrap(err)
		switch {
		case next != nil:
			err = next
		case len(parts) > 0:
			return w.anyFatal(parts, s)
		default:
			return true
		}
	}
	return true
}

// anyFatal decides on the parts of a joined error. Nil parts say nothing, and
// where nothing else is left the error is a leaf like any other.
func (w *walk) anyFatal(parts []error, s scope) bool {
	known := false
	for _, part := range parts {
		if part == nil {
			continue
		}
		if w.fatal(part, s) {
			return true
		}
		known = true
	}
	return !known
}

// isFinal recognises what no mark makes recoverable.
func isFinal(err error) bool {
	return isPanic(err) || isStop(err) || matches(err, ErrGoexit)
}

// isMarked recognises an error that calls itself temporary. One that says it
// isn't decides nothing: most that have the method answer false by habit.
func isMarked(err error) bool {
	if is, _ := core.CheckIsTemporary(err); is {
		return true
	}
	is, _ := core.CheckIsTimeout(err)
	return is
}

// isMisconfigured recognises errors that the next attempt would meet again,
// because they come from what the user configured or from the certificates.
func isMisconfigured(err error) bool {
	switch err.(type) {
	case *net.AddrError, net.UnknownNetworkError, net.InvalidAddrError:
		return true
	case *tls.CertificateVerificationError, x509.CertificateInvalidError,
		x509.ConstraintViolationError, x509.HostnameError,
		x509.InsecureAlgorithmError, x509.SystemRootsError,
		x509.UnhandledCriticalExtension, x509.UnknownAuthorityError:
		return true
	}
	return matches(err, context.Canceled) || matches(err, core.ErrInvalid)
}

// isLost recognises the end of a connection, or the failure to get one, where it
// isn't told by an errno.
func isLost(err error) bool {
	switch e := err.(type) {
	case *net.DNSError:
		return true
	case *net.OpError:
		if isPassingAlert(e) {
			return true
		}
	case tls.RecordHeaderError:
		if e.Conn == nil && e.Msg != tlsSSLv2 { // it did speak TLS before
			return true
		}
	}
	for _, target := range lost {
		if matches(err, target) {
			return true
		}
	}
	return reflect.TypeOf(err) == plain && err.Error() == tlsShutdown
}

// tlsShutdown is a plain error of crypto/tls, which keeps it to itself, about a write
// after CloseWrite: what is EPIPE without TLS.
const tlsShutdown = "tls: protocol is shutdown"

// tlsSSLv2 is what crypto/tls takes a server for that says other things than TLS from
// the start, if they begin with 0x80.
const tlsSSLv2 = "unsupported SSLv2 handshake received"

var plain = reflect.TypeOf(errors.New(""))

var lost = []error{
	io.EOF,
	io.ErrUnexpectedEOF,
	io.ErrClosedPipe,
	net.ErrClosed,
	context.DeadlineExceeded,
	os.ErrDeadlineExceeded,
}

// isPassingAlert recognises an alert of TLS that the next connection need not meet
// again: bytes were damaged on their way, or a side had trouble of its own. It goes by
// the text, since crypto/tls keeps the type to itself.
func isPassingAlert(e *net.OpError) bool {
	switch {
	case e.Err == nil:
		return false
	case e.Op == "local error":
		return slices.Contains(passingAlerts, e.Err.Error()) || slices.Contains(recordAlerts, e.Err.Error())
	default:
		return e.Op == "remote error" && slices.Contains(passingAlerts, e.Err.Error())
	}
}

var passingAlerts = []string{
	tls.AlertError(20).Error(), // bad record MAC
	tls.AlertError(80).Error(), // internal error
}

// recordAlerts are what writes fail with once a read has met a bad record. A handshake
// that fails has other words for these.
var recordAlerts = []string{
	tls.AlertError(22).Error(), // record overflow
	tls.AlertError(70).Error(), // protocol version
}
