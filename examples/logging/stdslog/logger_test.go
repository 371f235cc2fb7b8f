package stdslog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	std "log/slog"

	"darvaza.org/slog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/examples/logging/stdslog"
)

// untimed drops the time, which no test can know.
func untimed(_ []string, a std.Attr) std.Attr {
	if a.Key == std.TimeKey {
		return std.Attr{}
	}
	return a
}

func text(w io.Writer, level std.Level) slog.Logger {
	return stdslog.New(std.NewTextHandler(w, &std.HandlerOptions{Level: level, ReplaceAttr: untimed}))
}

func TestEachLevelHasItsCounterpart(t *testing.T) {
	var out bytes.Buffer
	log := text(&out, std.LevelDebug)
	log.Debug().Print("a")
	log.Info().Print("b")
	log.Warn().Print("c")
	log.Error().Print("d")
	log.Print("e")
	log.WithLevel(slog.Debug + 1).Print("f")
	log.Warn().WithLevel(slog.UndefinedLevel).Print("g")
	log.Warn().WithLevel(-1).Print("h")
	assert.Equal(t, `level=DEBUG msg=a
level=INFO msg=b
level=WARN msg=c
level=ERROR msg=d
level=INFO msg=e
level=DEBUG msg=f
level=WARN msg=g
level=WARN msg=h
`, out.String())
}

func TestALevelThatIsOffIsNeitherPrintedNorFormatted(t *testing.T) {
	var out bytes.Buffer
	log := text(&out, std.LevelWarn)
	for _, off := range []slog.Logger{log, log.Debug(), log.Info()} {
		_, ok := off.WithEnabled()
		assert.False(t, ok)
		off.Print(unprintable{t})
		off.Println(unprintable{t})
		off.Printf("%s", unprintable{t})
	}
	assert.Empty(t, out.String())
	assert.True(t, log.Warn().Enabled())
}

type unprintable struct{ t *testing.T }

func (u unprintable) String() string {
	u.t.Error("was formatted")
	return ""
}

func TestPrintMethodsFormatAsThoseOfFmt(t *testing.T) {
	var out bytes.Buffer
	log := text(&out, std.LevelInfo)
	log.Print("a", 1, 2)
	log.Println("a", 1, 2)
	log.Printf("a%d", 1)
	assert.Equal(t, "level=INFO msg=\"a1 2\"\nlevel=INFO msg=\"a 1 2\"\nlevel=INFO msg=a1\n", out.String())
}

func TestFieldsBecomeAttributesAndBranchesDoNotMix(t *testing.T) {
	var out bytes.Buffer
	log := text(&out, std.LevelInfo).WithField("a", 1)
	left := log.WithField("b", errors.New("oops"))
	right := log.WithFields(map[string]any{"z": 3, "a": 2, "": 0})
	left.Print("left")
	right.Print("right")
	log.Print("log")
	assert.Same(t, log, log.WithField("", 1))
	assert.Same(t, log, log.WithFields(nil))
	assert.Equal(t, `level=INFO msg=left a=1 b=oops
level=INFO msg=right a=2 z=3
level=INFO msg=log a=1
`, out.String())
}

func TestTheSourceIsTheLineThatPrints(t *testing.T) {
	var out bytes.Buffer
	log := stdslog.New(std.NewJSONHandler(&out, &std.HandlerOptions{AddSource: true}))
	for _, print := range []func(){
		func() { log.Print("x") },
		func() { log.Println("x") },
		func() { log.Printf("x") },
	} {
		out.Reset()
		print()
		var line struct{ Source std.Source }
		require.NoError(t, json.Unmarshal(out.Bytes(), &line))
		assert.Contains(t, line.Source.Function, "TestTheSourceIsTheLineThatPrints.func")
	}
}

func TestAStackBeginsWhereItIsAskedFor(t *testing.T) {
	var out bytes.Buffer
	log := stdslog.New(std.NewJSONHandler(&out, nil))
	stack := func(skip int) []string {
		out.Reset()
		log.WithStack(skip).Print("x")
		var line map[string]string
		require.NoError(t, json.Unmarshal(out.Bytes(), &line))
		return strings.Split(line[stdslog.StackKey], "\n")
	}
	whole := stack(0)
	assert.Contains(t, whole[0], "TestAStackBeginsWhereItIsAskedFor.func1 ")
	assert.Contains(t, stack(1)[0], "TestAStackBeginsWhereItIsAskedFor ")
	assert.Equal(t, []string{""}, stack(1000))
	assert.Contains(t, stack(-5)[0], ".WithStack ", "as far in as there is")
}

func TestThePanicLevelPanicsWithTheMessage(t *testing.T) {
	var out bytes.Buffer
	log := text(&out, stdslog.LevelPanic)
	assert.PanicsWithValue(t, "over", func() { log.Panic().Println("over") })
	assert.Equal(t, "level=ERROR+8 msg=over\n", out.String())

	silent := stdslog.New(nil)
	assert.True(t, silent.Panic().Enabled())
	assert.False(t, silent.Error().Enabled())
	assert.PanicsWithValue(t, "over", func() { silent.Panic().Print("over") })
}

func printFatal() {
	text(os.Stdout, std.LevelInfo).Fatal().Print("over")
}

func TestTheFatalLevelEndsTheProgram(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asFatal+"=1")
	out, err := cmd.Output()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 1, exit.ExitCode())
	assert.Equal(t, "level=ERROR+4 msg=over\n", string(out))
}

// failing is a handler that can't write.
type failing struct{ std.Handler }

func (failing) Enabled(context.Context, std.Level) bool  { return true }
func (failing) Handle(context.Context, std.Record) error { return io.ErrShortWrite }

func TestAHandlerThatFailsHarmsNobody(t *testing.T) {
	stdslog.New(failing{}).Error().Print("nobody will know")
}

func TestALoggerMayBeUsedByMany(t *testing.T) {
	var out bytes.Buffer
	log := text(&out, std.LevelInfo).WithField("a", 1)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 100 {
				log.WithField("i", i).Warn().Print("x")
			}
		})
	}
	all.Wait()
	assert.Equal(t, 800, strings.Count(out.String(), "level=WARN msg=x a=1 i="))
}

func ExampleNew() {
	handler := std.NewTextHandler(os.Stdout, &std.HandlerOptions{ReplaceAttr: untimed})
	log := stdslog.New(handler)
	log.Info().WithField("addr", "example.com:7").Print("connected")
	log.Debug().Print("not shown")
	// Output: level=INFO msg=connected addr=example.com:7
}
