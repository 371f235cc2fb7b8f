package testutil_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"

	"darvaza.org/x/net/testutil"
)

func echoOnce(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	_, err := io.WriteString(conn, text)
	require.NoError(t, err)
	buf := make([]byte, len(text))
	_, err = io.ReadFull(conn, buf)
	require.NoError(t, err)
	require.Equal(t, text, string(buf))
}

func TestEchoServerSendsBackWhatItReceives(t *testing.T) {
	testutil.CheckLeaks(t)
	onEachNetwork(t, func(t *testing.T, network string) {
		s := testutil.NewEchoServer(t, network)
		conn := dial(t, s)
		echoOnce(t, conn, "hello")
		require.NoError(t, s.WaitAccepted(patience(t), 1))
		require.NoError(t, s.WaitOpen(patience(t), 1))
		assert.Equal(t, 1, s.Accepted())
		assert.Equal(t, 1, s.Open())
		assert.EqualValues(t, 5, s.BytesIn())
		assert.EqualValues(t, 5, s.BytesOut())
		require.NoError(t, conn.Close())
		require.NoError(t, s.WaitOpen(patience(t), 0))
		assert.Equal(t, network, s.Network())
		assert.Equal(t, network, s.Addr().Network())
	})
}

func TestLineServerAnswersEachLineAndHangsUpWhenToldTo(t *testing.T) {
	answer := func(line string) (string, bool) {
		switch line {
		case "quit":
			return "bye", false
		case "drop":
			return "", false
		default:
			return strings.ToUpper(line), true
		}
	}
	onEachNetwork(t, func(t *testing.T, network string) {
		s := testutil.NewLineServer(t, network, answer)
		for input, want := range map[string]string{
			"a\nb\r\n\nquit\n": "A\nB\n\nbye\n",
			"a\ndrop\n":        "A\n",
		} {
			conn := dial(t, s)
			_, err := io.WriteString(conn, input)
			require.NoError(t, err)
			got, err := io.ReadAll(conn)
			require.NoError(t, err)
			assert.Equal(t, want, string(got))
		}
	})
}

func TestLineServerWithoutAnswerSendsLinesBack(t *testing.T) {
	s := testutil.NewLineServer(t, "tcp", nil)
	conn := dial(t, s)
	_, err := io.WriteString(conn, "same\n")
	require.NoError(t, err)
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "same\n", line)
}

func TestLineServerEndsAConnectionWhoseLineIsTooLong(t *testing.T) {
	p := testutil.Pipe(testutil.Lines(nil))
	defer p.Close()
	conn, err := p.DialContext(patience(t), "tcp", "x")
	require.NoError(t, err)
	_, err = conn.Write(make([]byte, 2<<20))
	assert.ErrorIs(t, err, io.ErrClosedPipe)
}

func TestLinesTakesALineOfExactlyOneMiBAndNoLongerOne(t *testing.T) {
	longest := strings.Repeat("x", 1<<20)
	for input, want := range map[string]int{
		longest + "\n":   1,
		longest + "\r\n": 1,
		longest + "x\n":  0,
	} {
		lines := 0
		near, far := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer far.Close()
			testutil.Lines(func(string) (string, bool) {
				lines++
				return "", true
			})(far)
		}()
		go func() { _, _ = io.WriteString(near, input) }()
		if want > 0 {
			_, err := near.Read(make([]byte, 1)) // the reply
			assert.NoError(t, err)
			_ = near.Close()
		}
		<-done
		assert.Equal(t, want, lines)
		_ = near.Close()
	}
}

func TestWhatTheEndOfTheConnectionCutsOffIsNoLine(t *testing.T) {
	const input = "one\ntw"
	for name, set := range map[string]func(s *testutil.Server){
		"hang-up": func(s *testutil.Server) { s.SetHangUpAfter(int64(len(input))) },
		"reset":   func(s *testutil.Server) { s.SetResetAfter(int64(len(input))) },
		"client":  func(*testutil.Server) {},
	} {
		t.Run(name, func(t *testing.T) {
			var lines []string
			s := testutil.NewLineServer(t, "tcp", func(line string) (string, bool) {
				lines = append(lines, line)
				return "", true
			})
			set(s)
			conn := dial(t, s)
			_, err := io.WriteString(conn, input)
			require.NoError(t, err)
			_ = conn.(*net.TCPConn).CloseWrite() // which a reset may come before
			_, _ = io.Copy(io.Discard, conn)
			s.Stop() // after the handler
			assert.Equal(t, []string{"one"}, lines)
		})
	}
}

func TestAConnectionIsOpenUntilItIsClosed(t *testing.T) {
	if _, ok := testutil.OpenDescriptors(); !ok {
		t.Skip("this system doesn't list descriptors")
	}
	s := testutil.NewServer(t, "tcp", func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) })
	for range 500 {
		before, _ := testutil.OpenDescriptors()
		conn, err := net.Dial(s.Network(), s.Addr().String())
		require.NoError(t, err)
		require.NoError(t, s.WaitOpen(patience(t), 1))
		require.NoError(t, conn.Close())
		require.NoError(t, s.WaitOpen(patience(t), 0))
		after, _ := testutil.OpenDescriptors()
		require.LessOrEqual(t, after, before) // less if pipes of an earlier test have gone
	}
}

func TestLinesGivesUpWhenTheReplyCannotBeSent(t *testing.T) {
	near, far := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		testutil.Lines(func(string) (string, bool) {
			_ = near.Close()
			return "reply", true
		})(far)
	}()
	_, err := io.WriteString(near, "line\n")
	require.NoError(t, err)
	<-done
}

func TestStopRefusesDialsEndsConnectionsAndJoinsHandlers(t *testing.T) {
	onEachNetwork(t, func(t *testing.T, network string) {
		joined := false // not atomic: the race detector proves the join
		s := testutil.NewServer(t, network, func(conn net.Conn) {
			testutil.Echo(conn)
			joined = true
		})
		conn := dial(t, s)
		echoOnce(t, conn, "x")
		s.Stop()
		assert.True(t, joined)
		assert.Zero(t, s.Open())

		_, err := conn.Read(make([]byte, 1))
		assert.Equal(t, io.EOF, err)
		_, err = net.Dial(network, s.Addr().String())
		require.Error(t, err)
		if network == "unix" {
			assert.ErrorIs(t, err, fs.ErrNotExist)
			assert.NoFileExists(t, s.Addr().String())
		}
		s.Stop() // once more does nothing
	})
}

func TestRestartServesTheSameAddressAgain(t *testing.T) {
	testutil.CheckLeaks(t)
	onEachNetwork(t, func(t *testing.T, network string) {
		s := testutil.NewEchoServer(t, network)
		remote := s.Remote()
		for range 5 {
			echoOnce(t, dial(t, s), "x")
			s.Stop()
			require.NoError(t, s.Restart())
			assert.Equal(t, remote, s.Remote())
		}
		assert.Equal(t, 5, s.Accepted())
		conn := dial(t, s)
		echoOnce(t, conn, "x")
		require.NoError(t, s.Restart(), "a running server is stopped first")
		_, err := conn.Read(make([]byte, 1))
		assert.Equal(t, io.EOF, err)
		echoOnce(t, dial(t, s), "x")
	})
}

func TestRestartListensOnTheSameNetworkAgain(t *testing.T) {
	s, err := testutil.StartServer("tcp4", "0.0.0.0:0", testutil.Echo)
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.Close()) }()
	_, port, err := net.SplitHostPort(s.Addr().String())
	require.NoError(t, err)
	require.NoError(t, s.Restart())
	conn, err := net.Dial("tcp", net.JoinHostPort("::1", port))
	if err == nil {
		_ = conn.Close()
	}
	assert.Error(t, err, "IPv4 only, before as after")
}

func TestRestartWaitsForAnAddressThatIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := testutil.NewEchoServer(t, "tcp")
		s.Stop()
		squatter, err := net.Listen("tcp", s.Addr().String())
		require.NoError(t, err)

		start := time.Now()
		err = s.Restart()
		assert.True(t, errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.Errno(10048)), "%v", err)
		assert.GreaterOrEqual(t, time.Since(start), 2*time.Second)

		time.AfterFunc(time.Second, func() { _ = squatter.Close() })
		start = time.Now()
		require.NoError(t, s.Restart())
		assert.GreaterOrEqual(t, time.Since(start), time.Second)
		echoOnce(t, dial(t, s), "x")
	})
}

func TestRestartReportsAnAddressItCannotGetBack(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sub", "s.sock")
	require.NoError(t, os.Mkdir(filepath.Dir(path), 0o700))
	s, err := testutil.StartServer("unix", path, testutil.Echo)
	require.NoError(t, err)
	s.Stop()
	require.NoError(t, os.RemoveAll(filepath.Dir(path)))
	assert.ErrorIs(t, s.Restart(), fs.ErrNotExist)
	require.NoError(t, s.Close())
}

func TestRestartAfterCloseIsRefused(t *testing.T) {
	s, err := testutil.StartServer("tcp", "", testutil.Echo)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "a second one is harmless")
	assert.ErrorIs(t, s.Restart(), net.ErrClosed)
}

func TestCloseRemovesTheDirectoryMadeForTheSocket(t *testing.T) {
	s, err := testutil.StartServer("unix", "", testutil.Echo)
	require.NoError(t, err)
	dir := filepath.Dir(s.Addr().String())
	require.DirExists(t, dir)
	require.NoError(t, s.Close())
	assert.NoDirExists(t, dir)
}

func TestSocketPathIsShortWhateverTheTemporaryDirectory(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no /tmp")
	}
	deep := filepath.Join(t.TempDir(), strings.Repeat("d", 100))
	require.NoError(t, os.MkdirAll(deep, 0o700))
	t.Setenv("TMPDIR", deep)
	s := testutil.NewEchoServer(t, "unix")
	assert.LessOrEqual(t, len(s.Addr().String()), 100)
	echoOnce(t, dial(t, s), "x")
	left, err := os.ReadDir(deep)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestRemoteOfAServerOnAllAddressesCanBeDialled(t *testing.T) {
	for _, tt := range []struct{ network, address, host string }{
		{"tcp4", "0.0.0.0:0", "127.0.0.1"},
		{"tcp4", ":0", "127.0.0.1"},
		{"tcp", ":0", "127.0.0.1"},
		{"tcp", "0.0.0.0:0", "127.0.0.1"},
		{"tcp6", "[::]:0", "::1"},
	} {
		t.Run(tt.network+" "+tt.address, func(t *testing.T) {
			if tt.network == "tcp6" {
				ln, err := net.Listen("tcp6", "[::1]:0")
				if err != nil {
					t.Skipf("no IPv6 here: %v", err)
				}
				require.NoError(t, ln.Close())
			}
			s, err := testutil.StartServer(tt.network, tt.address, testutil.Echo)
			require.NoError(t, err)
			defer func() { assert.NoError(t, s.Close()) }()
			host, _, err := net.SplitHostPort(s.Remote())
			require.NoError(t, err)
			assert.Equal(t, tt.host, host)
			conn, err := net.Dial("tcp", s.Remote())
			require.NoError(t, err)
			require.NoError(t, conn.Close())
			require.NoError(t, s.Restart())
			conn, err = net.Dial("tcp", s.Remote())
			require.NoError(t, err)
			require.NoError(t, conn.Close())
		})
	}
}

func TestWaitAcceptedHearsOfTheClose(t *testing.T) {
	for range 20 { // the wait may begin after the close
		s, err := testutil.StartServer("tcp", "", testutil.Echo)
		require.NoError(t, err)
		failed := make(chan error, 1)
		go func() { failed <- s.WaitAccepted(t.Context(), 1) }()
		runtime.Gosched()
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-failed, net.ErrClosed)
	}
}

func TestRemoteIsWhatClientsAreConfiguredWith(t *testing.T) {
	tcp := testutil.NewEchoServer(t, "tcp")
	host, port, err := net.SplitHostPort(tcp.Remote())
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1", host)
	assert.NotEqual(t, "0", port)

	unix := testutil.NewEchoServer(t, "unix")
	if runtime.GOOS != "windows" {
		assert.True(t, filepath.IsAbs(unix.Remote()))
	}

	t.Chdir(t.TempDir())
	relative, err := testutil.StartServer("unix", "app", testutil.Echo)
	require.NoError(t, err)
	assert.Equal(t, "unix:app", relative.Remote())
	require.NoError(t, relative.Close())
}

func TestStartServerNamesWhatIsWrong(t *testing.T) {
	_, err := testutil.StartServer("udp", "", testutil.Echo)
	assert.ErrorIs(t, err, core.ErrInvalid)
	assert.ErrorContains(t, err, `"udp"`)

	_, err = testutil.StartServer("tcp", "", nil)
	assert.ErrorIs(t, err, core.ErrInvalid)

	_, err = testutil.StartServer("tcp", "127.0.0.1:none", testutil.Echo)
	assert.ErrorContains(t, err, "none")

	_, err = testutil.StartServer("unix", filepath.Join(t.TempDir(), "no", "s.sock"), testutil.Echo)
	assert.ErrorIs(t, err, fs.ErrNotExist)

	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	t.Setenv("TMP", filepath.Join(t.TempDir(), "missing"))
	_, err = testutil.StartServer("unix", "", testutil.Echo)
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

func TestNewServerFailsTheTestThatCannotStartIt(t *testing.T) {
	var tb fakeTB
	tb.run(func(tb testutil.TB) {
		testutil.NewServer(tb, "tcp", nil)
		t.Error("went on")
	})
	assert.Contains(t, tb.failures(), "handle is nil")
}

func TestServerListensOnIPv6WhereThereIsOne(t *testing.T) {
	s, err := testutil.StartServer("tcp6", "", testutil.Echo)
	if err != nil {
		t.Skipf("no IPv6: %v", err)
	}
	defer s.Close()
	assert.Contains(t, s.Remote(), "[::1]:")
	echoOnce(t, dial(t, s), "x")
}

func TestHandlerPanicIsReportedToTheTest(t *testing.T) {
	onEachNetwork(t, func(t *testing.T, network string) {
		var fake fakeTB
		fake.run(func(tb testutil.TB) {
			s := testutil.NewServer(tb, network, func(net.Conn) { panic("oops") })
			_, err := dial(t, s).Read(make([]byte, 1))
			assert.Equal(t, io.EOF, err)
			_, err = dial(t, s).Read(make([]byte, 1))
			assert.Equal(t, io.EOF, err, "the server goes on")
		})
		assert.Contains(t, fake.failures(), "panicked: oops")
		assert.Contains(t, fake.failures(), "server_test.go", "the stack is there")
		assert.Zero(t, fake.late)
	})
}

func TestFirstHandlerPanicWithoutATestIsReturnedByClose(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	causes := make(chan error, 1)
	s, err := testutil.StartServer("tcp", "", func(net.Conn) { panic(<-causes) })
	require.NoError(t, err)
	for _, cause := range []error{first, second} {
		causes <- cause
		_, err = dial(t, s).Read(make([]byte, 1))
		assert.Equal(t, io.EOF, err)
	}
	err = s.Close()
	assert.ErrorIs(t, err, first)
	var panicked *core.PanicError
	assert.ErrorAs(t, err, &panicked)
	assert.Equal(t, err, s.Close())
}

func TestHandlerMayLeaveByGoexit(t *testing.T) {
	s := testutil.NewServer(t, "tcp", func(net.Conn) { runtime.Goexit() })
	_, err := dial(t, s).Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err)
	require.NoError(t, s.WaitOpen(patience(t), 0))
}

func TestHandlerMayEndItsHalfAndReadOn(t *testing.T) {
	testutil.CheckLeaks(t)
	onEachNetwork(t, func(t *testing.T, network string) {
		heard := make(chan string, 1)
		s := testutil.NewServer(t, network, func(conn net.Conn) {
			_, _ = io.WriteString(conn, "no more of me")
			_ = conn.(interface{ CloseWrite() error }).CloseWrite()
			text, _ := io.ReadAll(conn)
			heard <- string(text)
		})
		conn := dial(t, s)
		text, err := io.ReadAll(conn)
		require.NoError(t, err)
		assert.Equal(t, "no more of me", string(text))
		_, err = io.WriteString(conn, "but of me")
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		assert.Equal(t, "but of me", <-heard)
	})
}

func TestHandlerMayCloseItsConnection(t *testing.T) {
	again := make(chan error, 1)
	s := testutil.NewServer(t, "tcp", func(conn net.Conn) {
		_ = conn.Close()
		again <- conn.Close()
	})
	_, err := dial(t, s).Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err)
	assert.ErrorIs(t, <-again, net.ErrClosed)
}

func TestWaitsEndWithTheirContextAndWithTheServer(t *testing.T) {
	s := testutil.NewEchoServer(t, "tcp")
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	err := s.WaitAccepted(ctx, 3)
	assert.ErrorIs(t, err, cause)
	assert.ErrorContains(t, err, "waiting for 3 accepted connections, have 0")
	err = s.WaitOpen(ctx, 2)
	assert.ErrorIs(t, err, cause)
	assert.ErrorContains(t, err, "waiting for 2 open connections, have 0")

	waited := make(chan error, 1)
	ctx = patience(t)
	go func() { waited <- s.WaitAccepted(ctx, 1) }()
	require.NoError(t, s.Close())
	assert.ErrorIs(t, <-waited, net.ErrClosed)
	assert.NoError(t, s.WaitOpen(patience(t), 0), "that is the case")
}

func TestServerMayBeUsedByManyAtOnce(t *testing.T) {
	testutil.CheckLeaks(t)
	onEachNetwork(t, func(t *testing.T, network string) {
		s := testutil.NewEchoServer(t, network)
		done := make(chan struct{})
		for range 8 {
			go func() {
				defer func() { done <- struct{}{} }()
				for range 20 {
					conn, err := net.DialTimeout(network, s.Addr().String(), 10*time.Second)
					if err != nil {
						continue // it is stopped just now
					}
					_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
					_, _ = io.WriteString(conn, "x")
					_, _ = conn.Read(make([]byte, 1))
					_ = conn.Close()
				}
			}()
		}
		for i := range 20 {
			switch i % 5 {
			case 0:
				s.Stop()
			case 1:
				assert.NoError(t, s.Restart())
			case 2:
				s.HangUp()
			case 3:
				s.Reset()
			case 4:
				s.SetHangUpAfter(int64(i%2) - 1)
			}
		}
		for range 8 {
			<-done
		}
	})
}
