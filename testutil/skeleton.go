package testutil

import (
	"context"
	"net"
	"time"

	"darvaza.org/slog"
)

type TB interface {
	Helper()
	Name() string
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	FailNow()
	Cleanup(func())
	TempDir() string
}

type Server struct{}

func NewEchoServer(tb TB, network string) *Server { return nil }
func NewLineServer(tb TB, network string, answer func(line string) (reply string, ok bool)) *Server {
	return nil
}
func NewServer(tb TB, network string, handle func(net.Conn)) *Server              { return nil }
func StartServer(network, address string, handle func(net.Conn)) (*Server, error) { return nil, nil }
func Echo(conn net.Conn)                                                          {}
func Lines(answer func(line string) (reply string, ok bool)) func(net.Conn)       { return nil }
func (s *Server) Remote() string                                                  { return "" }
func (s *Server) Addr() net.Addr                                                  { return nil }
func (s *Server) Network() string                                                 { return "" }
func (s *Server) Stop()                                                           {}
func (s *Server) Restart() error                                                  { return nil }
func (s *Server) HangUp()                                                         {}
func (s *Server) Reset()                                                          {}
func (s *Server) SetSilent(silent bool)                                           {}
func (s *Server) SetHangUpAfter(n int64)                                          {}
func (s *Server) SetResetAfter(n int64)                                           {}
func (s *Server) Accepted() int                                                   { return 0 }
func (s *Server) Open() int                                                       { return 0 }
func (s *Server) BytesIn() int64                                                  { return 0 }
func (s *Server) BytesOut() int64                                                 { return 0 }
func (s *Server) WaitAccepted(ctx context.Context, n int) error                   { return nil }
func (s *Server) WaitOpen(ctx context.Context, n int) error                       { return nil }
func (s *Server) Close() error                                                    { return nil }
func BlackHole(tb TB) (remote string)                                             { return "" }

type Entry struct {
	Level   slog.LogLevel
	Message string
	Fields  map[string]any
	Time    time.Time
}
type Logger struct{ slog.Logger }

func NewLogger(threshold slog.LogLevel) *Logger                            { return nil }
func NewTestLogger(tb TB) *Logger                                          { return nil }
func (l *Logger) Entries() []Entry                                         { return nil }
func (l *Logger) Count(level slog.LogLevel) int                            { return 0 }
func (l *Logger) Find(level slog.LogLevel, substring string) (Entry, bool) { return Entry{}, false }
func (l *Logger) Reset()                                                   {}
func (l *Logger) String() string                                           { return "" }

type Recorder struct{}

func NewRecorder() *Recorder                                               { return nil }
func (r *Recorder) Record(event string, args ...any)                       {}
func (r *Recorder) Enter(event string, args ...any) (leave func())         { return nil }
func (r *Recorder) Events() []string                                       { return nil }
func (r *Recorder) Args(event string) [][]any                              { return nil }
func (r *Recorder) Count(event string) int                                 { return 0 }
func (r *Recorder) WaitFor(ctx context.Context, event string, n int) error { return nil }
func (r *Recorder) Reset()                                                 {}
func (r *Recorder) String() string                                         { return "" }
func (r *Recorder) AssertOrder(tb TB, events ...string) bool               { return false }
func (r *Recorder) AssertExactly(tb TB, events ...string) bool             { return false }
func (r *Recorder) AssertPaired(tb TB, open, closing string) bool          { return false }
func (r *Recorder) AssertNoOverlap(tb TB) bool                             { return false }

func CheckLeaks(tb TB)                             {}
func LeakedGoroutines() []string                   { return nil }
func OpenDescriptors() (n int, ok bool)            { return 0, false }
func Main(m interface{ Run() int }) (exitCode int) { return 0 }

type FaultConn struct{ net.Conn }

func NewFaultConn(conn net.Conn) *FaultConn   { return nil }
func (c *FaultConn) FailRead(err error)       {}
func (c *FaultConn) FailWrite(err error)      {}
func (c *FaultConn) ReadDeadlines() int       { return 0 }
func (c *FaultConn) WriteDeadlines() int      { return 0 }
func (c *FaultConn) ReadDeadline() time.Time  { return time.Time{} }
func (c *FaultConn) WriteDeadline() time.Time { return time.Time{} }
func (c *FaultConn) Closes() int              { return 0 }

type PipeListener struct{}

func Pipe(handle func(net.Conn)) *PipeListener { return nil }
func (p *PipeListener) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return nil, nil
}
func (p *PipeListener) Refuse(err error)                           {}
func (p *PipeListener) Hang(hang bool)                             {}
func (p *PipeListener) HangUp()                                    {}
func (p *PipeListener) Conns() []*FaultConn                        { return nil }
func (p *PipeListener) Dials() int                                 { return 0 }
func (p *PipeListener) Open() int                                  { return 0 }
func (p *PipeListener) WaitDials(ctx context.Context, n int) error { return nil }
func (p *PipeListener) WaitOpen(ctx context.Context, n int) error  { return nil }
func (p *PipeListener) Close() error                               { return nil }
