package testutil_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/slog"

	"darvaza.org/x/net/testutil"
)

func TestLoggerKeepsLevelMessageFieldsAndTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := testutil.NewLogger(slog.Debug)
		time.Sleep(time.Second)
		log.Info().WithField("addr", "a:1").WithFields(map[string]any{"attempt": 2}).Printf("dial %s", "a")
		log.Warn().Println("two", "words")
		log.Error().Print("failed ", 3, "\r\n")

		entries := log.Entries()
		require.Len(t, entries, 3)
		assert.Equal(t, testutil.Entry{
			Level:   slog.Info,
			Message: "dial a",
			Fields:  map[string]any{"addr": "a:1", "attempt": 2},
			Time:    time.Now(),
		}, entries[0])
		assert.Equal(t, "two words", entries[1].Message)
		assert.Nil(t, entries[1].Fields)
		assert.Equal(t, "failed 3", entries[2].Message)
		assert.Equal(t, "info  dial a addr=a:1 attempt=2\nwarn  two words\nerror failed 3\n", log.Text())
	})
}

func TestLoggerThresholdHidesWhatIsLessSevere(t *testing.T) {
	for _, threshold := range []slog.LogLevel{
		slog.UndefinedLevel, slog.Panic, slog.Fatal, slog.Error, slog.Warn, slog.Info, slog.Debug,
	} {
		log := testutil.NewLogger(threshold)
		for _, l := range []struct {
			level slog.LogLevel
			log   slog.Logger
		}{
			{slog.Debug, log.Debug()}, {slog.Info, log.Info()}, {slog.Warn, log.Warn()},
			{slog.Error, log.Error()}, {slog.Fatal, log.Fatal()}, {slog.Panic, log.Panic()},
		} {
			want := threshold == slog.UndefinedLevel || l.level <= threshold || l.level <= slog.Fatal
			assert.Equal(t, want, l.log.Enabled(), "%v at threshold %v", l.level, threshold)
			same, enabled := l.log.WithEnabled()
			assert.Same(t, l.log, same)
			assert.Equal(t, want, enabled)

			l.log.Print("x")
			l.log.Println("x")
			l.log.Printf("x")
			n := 0
			if want {
				n = 3
			}
			assert.Equal(t, n, log.Count(l.level), "%v at threshold %v", l.level, threshold)
		}
	}
}

func TestLoggerKeepsFatalAndPanicAndGoesOn(t *testing.T) {
	log := testutil.NewLogger(slog.Debug)
	log.Fatal().Print("the end")
	assert.NotPanics(t, func() { log.Panic().Print("oh no") })
	assert.Equal(t, 1, log.Count(slog.Fatal))
	assert.Equal(t, 1, log.Count(slog.Panic))
}

func TestLoggerKeepsMessagesWithoutALevel(t *testing.T) {
	log := testutil.NewLogger(slog.Error)
	assert.True(t, log.Enabled())
	log.Print("which level?")
	log.WithLevel(42).Print("hidden: it is less severe than all others")
	assert.Equal(t, 1, log.Count(slog.UndefinedLevel))
	assert.Equal(t, "-     which level?\n", log.Text())
	assert.Equal(t, "level(42) x", testutil.Entry{Level: 42, Message: "x"}.String())
	both := errors.Join(io.EOF, io.ErrUnexpectedEOF)
	assert.Equal(t, `error a b error="EOF\nunexpected EOF"`, testutil.Entry{
		Level: slog.Error, Message: "a b", Fields: map[string]any{"error": both},
	}.String(), "one line, whatever is in it")
	for level, name := range map[slog.LogLevel]string{slog.Panic: "panic", slog.Fatal: "fatal", slog.Debug: "debug"} {
		assert.Equal(t, name+" x", testutil.Entry{Level: level, Message: "x"}.String())
	}
}

func TestDerivedLoggersShareTheRecordButNotTheFields(t *testing.T) {
	log := testutil.NewLogger(slog.Debug)
	base := log.WithField("a", 1)
	fields := map[string]any{"b": 2, "": "ignored"}
	left, right := base.WithFields(fields), base.WithField("a", 3)
	fields["b"] = "changed later"
	left.Info().Print("left")
	right.Info().Print("right")
	log.Info().Print("log")

	entries := base.(*testutil.Logger).Entries()
	require.Len(t, entries, 3)
	assert.Equal(t, map[string]any{"a": 1, "b": 2}, entries[0].Fields)
	assert.Equal(t, map[string]any{"a": 3}, entries[1].Fields)
	assert.Nil(t, entries[2].Fields)

	entries[0].Fields["a"] = "changed"
	left.Info().Print("again")
	again, _ := log.Find(slog.Info, "again")
	assert.Equal(t, 1, again.Fields["a"])
}

func TestLoggerFindsTheFirstEntryOfThatLevel(t *testing.T) {
	log := testutil.NewLogger(slog.Debug)
	log.Debug().Print("connected at last")
	log.Info().Print("connected")
	log.Info().Print("connected again")

	e, ok := log.Find(slog.Info, "connected")
	assert.True(t, ok)
	assert.Equal(t, "connected", e.Message)
	e, ok = log.Find(slog.UndefinedLevel, "connected")
	assert.True(t, ok)
	assert.Equal(t, slog.Debug, e.Level)
	_, ok = log.Find(slog.Warn, "connected")
	assert.False(t, ok)

	log.Reset()
	assert.Empty(t, log.Entries())
	assert.Empty(t, log.Text())
}

func TestLoggerKeepsTheStackWhenAskedTo(t *testing.T) {
	log := testutil.NewLogger(slog.Debug)
	log.Error().WithStack(0).Print("here")
	log.Error().WithStack(-5).Print("here too")
	log.Error().Print("not here")
	entries := log.Entries()
	require.NotEmpty(t, entries[0].Stack)
	assert.Contains(t, entries[0].Stack[0].Name(), "TestLoggerKeepsTheStackWhenAskedTo")
	assert.NotEmpty(t, entries[1].Stack)
	assert.Empty(t, entries[2].Stack)
}

func TestLoggerMayBeUsedByManyAtOnce(t *testing.T) {
	log := testutil.NewLogger(slog.Debug)
	base := log.WithField("shared", true)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				base.WithField("i", i).Info().Print("x")
				_ = log.Entries()
				_, _ = log.Find(slog.Info, "y")
			}
		})
	}
	wg.Wait()
	assert.Equal(t, 400, log.Count(slog.Info))
}

func TestTestLoggerWritesToTheTestUntilItEnds(t *testing.T) {
	var fake fakeTB
	var log *testutil.Logger
	fake.run(func(tb testutil.TB) {
		log = testutil.NewTestLogger(tb)
		log.Debug().WithField("n", 1).Print("during")
	})
	log.Info().Print("after")
	assert.Equal(t, []string{"debug during n=1"}, fake.logs)
	assert.Zero(t, fake.late)
	assert.Len(t, log.Entries(), 2)
}

func TestTestLoggerNeverWritesAfterTheTest(t *testing.T) {
	for range 20 {
		var fake fakeTB
		var wg sync.WaitGroup
		fake.run(func(tb testutil.TB) {
			log := testutil.NewTestLogger(tb)
			started := make(chan struct{})
			wg.Go(func() {
				close(started)
				for range 100 {
					log.Info().Print("straggler")
				}
			})
			<-started
		})
		wg.Wait()
		require.Zero(t, fake.late)
		for _, line := range fake.logs {
			require.True(t, strings.HasSuffix(line, "straggler"))
		}
	}
}

func TestTestLoggerMadeOutsideOfABubbleMayBeUsedInSome(t *testing.T) {
	log := testutil.NewTestLogger(t)
	for range 2 {
		synctest.Test(t, func(*testing.T) { log.Info().Print("inside") })
		log.Info().Print("outside")
	}
	assert.Len(t, log.Entries(), 4)
}

// A Config that is logged holds the logger that it's logged by.
func TestLoggerMayBeInAFieldOfAnEntry(t *testing.T) {
	type config struct{ Logger slog.Logger }
	log := testutil.NewTestLogger(t)
	log.Info().WithField("config", config{log}).Print("starting")
	log.Info().WithField("self", log).Printf("%v %+v %#v %s", config{log}, config{log}, log, log)
	assert.Equal(t, "info  starting config={testutil.Logger}\n"+
		"info  {testutil.Logger} {Logger:testutil.Logger} testutil.Logger testutil.Logger self=testutil.Logger\n", log.Text())
}

// Whoever logs one goes on using it.
func TestWhatATestUsesMayBeLogged(t *testing.T) {
	log := testutil.NewLogger(slog.Info)
	near, far := net.Pipe()
	given := make(chan net.Conn, 1)
	server := testutil.NewServer(t, "tcp", func(conn net.Conn) { given <- conn; testutil.Echo(conn) })
	peer, err := net.Dial("tcp", server.Addr().String())
	require.NoError(t, err)
	conn, pipe, recorder := testutil.NewFaultConn(near), testutil.Pipe(nil), testutil.NewRecorder()
	defer func() { _, _, _, _ = conn.Close(), far.Close(), pipe.Close(), peer.Close() }()
	all := []any{conn, server, <-given, pipe, recorder}
	log.Info().WithField("all", all).Print("using")
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = peer.Write([]byte("x"))
		_, _ = peer.Read(make([]byte, 1))
		_ = conn.SetDeadline(time.Now())
		server.SetSilent(true)
		pipe.Hang(true)
		recorder.Record("x")
	}()
	text := log.Text() + fmt.Sprintf("%#v", all)
	<-done
	assert.Contains(t, text, "testutil.FaultConn")
	assert.Contains(t, text, server.Remote())
	assert.Contains(t, text, "testutil.PipeListener")
	assert.Contains(t, text, "testutil.Server's connection")
}
