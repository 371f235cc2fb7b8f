package stream

import (
	"bufio"
	"context"
	"io"
	"sync/atomic"
)

// DefaultMaxMessageSize is the limit on the peer's messages where MaxMessageSize
// is zero, in bytes.
const DefaultMaxMessageSize = 64 << 10

// StreamSession exchanges messages over a connection: Output messages go to the
// peer, Input messages come from it. One goroutine reads and one writes, both
// supervised: whatever ends one of them ends the session.
//
// Set the fields, call [StreamSession.Spawn], and leave the fields alone from
// then on: Spawn takes a copy. Every other method needs a session that was
// spawned, and panics with an error that matches [fs.ErrInvalid] where there is
// none. All methods may be called concurrently. A StreamSession must not be copied
// after Spawn.
//
// The session ends
//   - well, when the peer ends its stream (io.EOF), after what is queued
//     was written, unless HalfClose says otherwise;
//   - well, by [StreamSession.Shutdown] after what is queued was written, or by
//     [StreamSession.Close] at once;
//   - at once when Context ends: well if it was merely cancelled, otherwise with the
//     cause, such as [context.DeadlineExceeded]. Where the cause is io.EOF, as that
//     of a client's session whose peer has ended the stream, the session ends well, and
//     as if only the peer had ended its stream, unless HalfClose is set. Conn has 2 s
//     then to come to its end as well, and from there whoever receives 2 s for each
//     message;
//   - at once with the first error of Conn, of a hook, or of a function given to
//     [StreamSession.Go]. A panic counts as a [*core.PanicError], and
//     [runtime.Goexit] as [worker.ErrGoexit].
//
// After an end that went well [StreamSession.Wait], [StreamSession.Err] and
// [StreamSession.Shutdown] give nil, otherwise that first error. In any case
// Conn is closed then, and no goroutine of the session is left.
//
// Hooks are the fields that are functions. Each is called by one goroutine at a
// time, and no lock is held meanwhile, but those for reading and those for writing
// overlap. They may use the session, and must not wait for its end; one that
// waits for a message, or for room in the queue, may wait for itself.
type StreamSession[Input, Output any] struct {
	// Conn is the connection. Required. The session owns it from Spawn on, and
	// closes it, once; what that Close returns is dropped. Close must
	// unblock Read and Write, as it does for a net.Conn, and Read and Write
	// must be safe to call at the same time. Over a client the session has to be
	// done before OnSession returns: it closes the connection the client has then.
	// And the client's ReadTimeout bounds each Read then, which is how long nothing may
	// come. A Conn that has a Flush() error gets one after each Write.
	Conn io.ReadWriteCloser
	// Context ends the session when it ends. Nil means context.Background. Where that
	// of a client's session ends by io.EOF there may be more to receive: a loop over
	// Recv that heeds it loses that.
	Context context.Context

	// Split finds the messages in the bytes that come in. The default is
	// [bufio.ScanLines]. At the end of the stream it is called with atEOF and
	// what is left, which it turns into a last message, skips, or
	// leaves, and what it leaves is an [io.ErrUnexpectedEOF]. After a read that
	// failed it doesn't see atEOF. By the default a last line without its newline is a
	// message, also half of one that a peer that dies has begun: where Unmarshal
	// can't tell, have a Split that leaves it.
	// A Split that makes no progress ends the session with an error, and so does
	// one that fails, also with [io.EOF] as long as there are bytes. With
	// [bufio.ErrFinalToken] it ends what can be received, as the peer's end would.
	Split bufio.SplitFunc
	// Marshal encodes a message, framing included: with lines, it adds the
	// newline. Either Marshal or MarshalTo is required. It is called by the
	// goroutine that writes, in the order of Send, and the bytes it
	// returns are used up before it is called again. Its error ends the
	// session, after the messages before were written.
	Marshal func(Output) ([]byte, error)
	// MarshalTo is used instead of Marshal where it is set, and writes the encoded
	// message to w in one go or in many. Nothing reaches the peer before it
	// has returned nil. It must not use w afterwards.
	MarshalTo func(m Output, w io.Writer) error
	// Unmarshal decodes what Split returned. Required. The bytes are only valid
	// during the call: what it keeps it must copy. Its error ends the session:
	// after a message that makes no sense nothing that follows can be trusted. Where
	// that is one which Split has found only at the end of the stream, as a peer that
	// dies leaves behind, the error matches [io.ErrUnexpectedEOF], too, and is
	// Temporary: a client tries again.
	Unmarshal func([]byte) (Input, error)

	// SetReadDeadline is called before the wait for each message, and
	// UnsetReadDeadline after it has arrived. An error ends the session.
	SetReadDeadline   func() error
	UnsetReadDeadline func() error
	// SetWriteDeadline is called before each message is written, and
	// UnsetWriteDeadline after. An error ends the session. With either of
	// them every message is a Write of its own; without, messages that
	// are queued together may share one. A message that is encoded to no bytes
	// gets neither.
	SetWriteDeadline   func() error
	UnsetWriteDeadline func() error

	// OnError is told, once, with which error the session ends: what Wait is
	// about to return, so never nil. Conn is closed by then. The
	// session isn't done before OnError has returned. If it panics, the panic is
	// joined to the error of the session.
	OnError func(error)

	// QueueSize is how many messages wait, beside the one that is being written,
	// before Send blocks.
	QueueSize uint
	// MaxMessageSize limits the messages of the peer, in bytes as Split returns
	// them. Zero means [DefaultMaxMessageSize]. A longer message ends the session
	// with an error that names the limit and matches [bufio.ErrTooLong]. It
	// bounds the memory for a message on its way in as well, which
	// may take 4 KiB more: what Split needs for framing has to fit there.
	MaxMessageSize int
	// HalfClose keeps the session up when the peer has ended its stream, so that
	// what it asked for before can still be answered. Then only an
	// error, Context, Shutdown or Close end the session; Close drops the answers that are
	// queued. The context of a client's
	// session ends when the peer's stream does: leave Context nil there.
	HalfClose bool

	running atomic.Pointer[session[Input, Output]]
}

// live returns the running session, or panics where there is none.
func (s *StreamSession[Input, Output]) live(method string) *session[Input, Output] {
	if s != nil {
		if r := s.running.Load(); r != nil {
			return r
		}
	}
	panic(errInvalid("%s called before Spawn", method))
}
