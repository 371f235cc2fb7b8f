package lifecycle_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"
	"testing"

	"darvaza.org/core"
	"github.com/stretchr/testify/assert"

	"darvaza.org/x/net/lifecycle"
)

var errOwn = errors.New("a session's own error")

type fatalCase struct {
	name string
	err  error
}

func alert(op string, code uint8) error {
	return &net.OpError{Op: op, Err: tls.AlertError(code)}
}

func opError(err error) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: err}
}

func syscallError(name string, err error) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError(name, err)}
}

func pathError(err error) error {
	return &fs.PathError{Op: "open", Path: "/etc/app.conf", Err: err}
}

var recoverableCases = []fatalCase{
	{"nil", nil},

	{"end of file", io.EOF},
	{"cut short", io.ErrUnexpectedEOF},
	{"closed pipe", io.ErrClosedPipe},
	{"closed connection", net.ErrClosed},
	{"read on a closed connection", opError(net.ErrClosed)},
	{"the client's own end", lifecycle.ErrClosed},
	{"no connection", lifecycle.ErrNotConnected},
	{"a dialer that gave nothing", lifecycle.ErrAbnormalConnect},

	{"I/O deadline", os.ErrDeadlineExceeded},
	{"I/O deadline of a connection", opError(os.ErrDeadlineExceeded)},
	{"the callback's own deadline", context.DeadlineExceeded},
	{"time-out by behaviour", mark{errOwn, false, true}},
	{"a core time-out", core.NewTimeoutError(errOwn)},

	{"temporary by behaviour", mark{errOwn, true, false}},
	{"a core temporary error", core.NewTemporaryError(errOwn)},
	{"temporary in the other style", modern{}},
	{"temporary around configuration", mark{&net.AddrError{Err: "x"}, true, false}},
	{"temporary around a cancellation", mark{context.Canceled, true, false}},
	{"temporary below a wrap", fmt.Errorf("x: %w", mark{errOwn, true, false})},

	{"no such host", &net.DNSError{Err: "no such host", IsNotFound: true}},
	{"no such host, dialled", opError(&net.DNSError{Err: "no such host", IsNotFound: true})},
	{"a look-up cut short", &net.DNSError{Err: "operation was canceled", UnwrapErr: context.Canceled}},

	{"refused", syscall.ECONNREFUSED},
	{"reset", syscall.ECONNRESET},
	{"aborted", syscall.ECONNABORTED},
	{"broken", syscall.EPIPE},
	{"broken by its end", syscall.ESHUTDOWN},
	{"not connected any more", syscall.ENOTCONN},
	{"network down", syscall.ENETDOWN},
	{"network unreachable", syscall.ENETUNREACH},
	{"network reset", syscall.ENETRESET},
	{"host down", syscall.EHOSTDOWN},
	{"host unreachable", syscall.EHOSTUNREACH},
	{"timed out", syscall.ETIMEDOUT},
	{"socket not there yet", syscall.ENOENT},
	{"socket not there yet, by call", os.NewSyscallError("connect", syscall.ENOENT)},
	{"descriptors exhausted", syscall.EMFILE},
	{"descriptors exhausted for all", syscall.ENFILE},
	{"buffers exhausted", syscall.ENOBUFS},
	{"descriptors exhausted for a file", pathError(syscall.EMFILE)},
	{"try again", syscall.EAGAIN},
	{"interrupted", syscall.EINTR},
	{"an errno by its Is method", like{syscall.ECONNREFUSED}},

	{"refused, dialled", syscallError("connect", syscall.ECONNREFUSED)},
	{"forbidden, dialled", syscallError("connect", syscall.EACCES)},
	{"socket missing, dialled", syscallError("connect", syscall.ENOENT)},
	{"any errno, dialled", opError(syscall.EINVAL)},
	{"any errno deep inside", opError(fmt.Errorf("x: %w", os.NewSyscallError("y", syscall.EPERM)))},
	{"a socket's errno behind a path", pathError(opError(syscall.ENOENT))},
	{"a path behind a socket", opError(pathError(syscall.ENOENT))},

	{"a damaged header", tls.RecordHeaderError{Msg: "x"}},
	{"damaged bytes, says the server", alert("remote error", 20)},
	{"a damaged header, says a write", alert("local error", 70)},
	{"a damaged length, says a write", fmt.Errorf("x: %w", alert("local error", 22))},
	{"damaged bytes", fmt.Errorf("x: %w", alert("local error", 20))},
	{"trouble of the server", alert("remote error", 80)},

	{"wrapped once", fmt.Errorf("x: %w", io.EOF)},
	{"wrapped by core", core.Wrap(io.EOF, "x")},
	{"wrapped quietly", core.QuietWrap(syscall.ECONNRESET, "x")},
	{"wrapped often", fmt.Errorf("a: %w", fmt.Errorf("b: %w", fmt.Errorf("c: %w", io.EOF)))},
	{"joined", errors.Join(io.EOF, syscall.ECONNRESET)},
	{"joined with a nil", several{nil, io.EOF, nil}},
	{"joined by core", &core.CompoundError{Errs: []error{io.EOF, net.ErrClosed}}},
	{"joined by a format", fmt.Errorf("%w while %w", io.EOF, syscall.EPIPE)},
	{"joins of joins", errors.Join(errors.Join(io.EOF), fmt.Errorf("x: %w", errors.Join(net.ErrClosed)))},
	{"a mark over a join", mark{errors.Join(io.EOF, errOwn), true, false}},
}

var fatalCases = []fatalCase{
	{"no more attempts", lifecycle.ErrDoNotReconnect},
	{"no more attempts, from elsewhere", twin{}},
	{"no more attempts, with a reason", final{io.EOF}},
	{"no more attempts, by its Is method", like{lifecycle.ErrDoNotReconnect}},
	{"a lost connection marked final", fmt.Errorf("%w: %w", lifecycle.ErrDoNotReconnect, io.EOF)},
	{"final below a temporary mark", mark{lifecycle.ErrDoNotReconnect, true, true}},
	{"final below a look-up", &net.DNSError{UnwrapErr: lifecycle.ErrDoNotReconnect}},

	{"a panic", core.NewPanicError(0, "boom")},
	{"a panic with a lost connection", core.NewPanicError(0, io.EOF)},
	{"a panic, wrapped", fmt.Errorf("x: %w", core.NewPanicError(0, io.EOF))},
	{"a panic in a dial", opError(core.NewPanicError(0, syscall.ECONNREFUSED))},
	{"a panic below a temporary mark", mark{core.NewPanicError(0, io.EOF), true, true}},
	{"an exit of the goroutine", lifecycle.ErrGoexit},
	{"an exit below a temporary mark", mark{lifecycle.ErrGoexit, true, false}},

	{"cancelled", context.Canceled},
	{"cancelled, dialled", opError(like{context.Canceled})},
	{"cancelled, wrapped", fmt.Errorf("x: %w", context.Canceled)},

	{"a bad address", &net.AddrError{Err: "missing port in address", Addr: "x"}},
	{"a bad address, dialled", opError(&net.AddrError{Err: "x"})},
	{"an unknown network", net.UnknownNetworkError("x")},
	{"an unknown network, dialled", opError(net.UnknownNetworkError("x"))},
	{"an invalid address", net.InvalidAddrError("x")},
	{"an invalid argument", core.ErrInvalid},
	{"an invalid argument, wrapped", core.Wrap(core.ErrInvalid, "Remote")},
	{"an invalid argument that wraps a loss", fmt.Errorf("%w: %w", core.ErrInvalid, io.EOF)},
	{"an invalid argument by its Is method", like{core.ErrInvalid}},

	{"an expired certificate", x509.CertificateInvalidError{Reason: x509.Expired}},
	{"a certificate for another host", x509.HostnameError{Certificate: &x509.Certificate{}}},
	{"an unknown authority", x509.UnknownAuthorityError{}},
	{"a weak signature", x509.InsecureAlgorithmError(x509.MD5WithRSA)},
	{"a constraint", x509.ConstraintViolationError{}},
	{"a critical extension", x509.UnhandledCriticalExtension{}},
	{"no system roots", x509.SystemRootsError{Err: io.EOF}},
	{"a failed verification", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}},
	{"a failed verification that was cut short", &tls.CertificateVerificationError{Err: io.EOF}},
	{"bad certificate", tls.AlertError(42)},
	{"unsupported certificate", tls.AlertError(43)},
	{"revoked certificate", tls.AlertError(44)},
	{"expired certificate", tls.AlertError(45)},
	{"unknown certificate", tls.AlertError(46)},
	{"unknown authority, says the server", opError(tls.AlertError(48))},
	{"access denied", tls.AlertError(49)},
	{"access denied, says the server", alert("remote error", 49)},
	{"another version, says the server", alert("remote error", 70)},
	{"an alert without content", &net.OpError{Op: "remote error"}},
	{"a server that doesn't speak TLS", tls.RecordHeaderError{Msg: "x", Conn: &net.TCPConn{}}},
	{"what isn't of TLS", opError(tls.AlertError(80))},
	{"what says the same as TLS", bare{"tls: protocol is shutdown"}},
	{"certificate required", tls.AlertError(116)},

	{"a session's own error", errOwn},
	{"a session's own error, wrapped", fmt.Errorf("x: %w", errOwn)},
	{"a session's own error, dialled", opError(errOwn)},
	{"a dial error without content", opError(nil)},
	{"not temporary", mark{errOwn, false, false}},
	{"an errno of something else", syscall.EACCES},
	{"an invalid errno", syscall.EINVAL},
	{"a missing file", pathError(syscall.ENOENT)},
	{"a missing file, by its call", pathError(os.NewSyscallError("open", syscall.ENOENT))},
	{"a missing file, renamed", &os.LinkError{Op: "rename", Err: syscall.ENOENT}},
	{"a missing file by its name alone", fs.ErrNotExist},
	{"a closed file", fs.ErrClosed},
	{"an uncomparable error", bare{"x"}},
	{"a join of nothing", several{}},
	{"a join of nils", several{nil, nil}},

	{"joined with a loss", errors.Join(io.EOF, errOwn)},
	{"joined with a loss, first", errors.Join(errOwn, io.EOF)},
	{"joined below a join", errors.Join(io.EOF, errors.Join(net.ErrClosed, context.Canceled))},
	{"joined with a mark", errors.Join(mark{errOwn, true, false}, errOwn)},
	{"addresses that failed, one badly", opError(errors.Join(syscall.EPERM, &net.AddrError{}))},
	{"a socket's scope ends with its branch", errors.Join(opError(syscall.EPERM), syscall.EPERM)},
	{"a typed nil", nothing},
	{"a typed nil in a join", errors.Join(io.EOF, nothing)},
}

func TestIsFatalIsFalseForFailuresOfTheNetwork(t *testing.T) {
	for _, tc := range recoverableCases {
		t.Run(tc.name, func(t *testing.T) {
			assert.False(t, lifecycle.IsFatal(tc.err), "%#v", tc.err)
			assert.False(t, lifecycle.IsFatal(mark{tc.err, true, false}))
			if tc.err != nil {
				assert.False(t, lifecycle.IsFatal(fmt.Errorf("wrapped: %w", tc.err)))
				assert.True(t, lifecycle.IsFatal(errors.Join(tc.err, errOwn)))
			}
		})
	}
}

func TestIsFatalIsTrueForEverythingElse(t *testing.T) {
	for _, tc := range fatalCases {
		t.Run(tc.name, func(t *testing.T) {
			assert.True(t, lifecycle.IsFatal(tc.err), "%#v", tc.err)
			assert.True(t, lifecycle.IsFatal(fmt.Errorf("wrapped: %w", tc.err)))
			assert.True(t, lifecycle.IsFatal(errors.Join(io.EOF, tc.err)))
			assert.True(t, lifecycle.IsFatal(errors.Join(tc.err, io.EOF)))
		})
	}
}

func TestIsFatalFollowsLongChainsToTheirEnd(t *testing.T) {
	lost, own := io.EOF, errOwn
	for range 1000 {
		lost, own = fmt.Errorf("%w", lost), fmt.Errorf("%w", own)
	}
	assert.False(t, lifecycle.IsFatal(lost))
	assert.True(t, lifecycle.IsFatal(own))
}

func TestIsFatalAndIsFinalGiveUpOnEndlessTrees(t *testing.T) {
	deep := io.EOF
	for range 50_000 {
		deep = several{deep}
	}
	doubled := io.EOF
	for range 60 {
		doubled = errors.Join(doubled, doubled)
	}

	for _, err := range []error{new(circle), new(tree), new(shifty), deep, doubled} {
		assert.True(t, lifecycle.IsFatal(err), "%T", err)
		assert.True(t, lifecycle.IsFinal(err), "%T", err)
	}
}

func TestIsFatalLeavesAJoinUntouched(t *testing.T) {
	parts := several{nil, io.EOF, nil, errOwn}
	lifecycle.IsFatal(parts)
	assert.Equal(t, several{nil, io.EOF, nil, errOwn}, parts)
}

func TestIsFatalAllocatesNothingForAPlainLoss(t *testing.T) {
	err := syscallError("read", syscall.ECONNRESET)
	assert.Zero(t, testing.AllocsPerRun(100, func() { lifecycle.IsFatal(err) }))
}

func BenchmarkIsFatal(b *testing.B) {
	err := syscallError("read", syscall.ECONNRESET)
	b.ReportAllocs()
	for b.Loop() {
		lifecycle.IsFatal(err)
	}
}
