package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func parse(t *testing.T, args ...string) *options {
	t.Helper()
	opts, err := parseFlags(args, &strings.Builder{})
	require.NoError(t, err)
	return opts
}

func TestEveryFigureIsMeasuredAndReported(t *testing.T) {
	file := filepath.Join(t.TempDir(), "figures.jsonl")
	opts := parse(t, "-quick", "-pairs=1", "-clients=20", "-json="+file)
	var table, log bytes.Buffer
	require.NoError(t, run(context.Background(), opts, &table, &log), log.String())

	content, err := os.ReadFile(file)
	require.NoError(t, err)
	var reported []string
	for dec := json.NewDecoder(bytes.NewReader(content)); dec.More(); {
		var r result
		require.NoError(t, dec.Decode(&r))
		assert.NotNil(t, r.Client, r.Name)
		assert.Positive(t, r.Pairs, r.Name)
		if r.Judged != "" {
			assert.NotNil(t, r.Must, r.Name)
			assert.NotNil(t, r.Aim, r.Name)
		}
		reported = append(reported, r.Name)
		assert.Contains(t, table.String(), r.Name)
	}
	var wanted []string
	for _, sc := range scenarios() {
		for _, f := range sc.figures {
			wanted = append(wanted, f.name)
		}
	}
	assert.Equal(t, wanted, reported)
}

func TestNoFigureHasTheNameOfAnother(t *testing.T) {
	seen := make(map[string]bool)
	for _, sc := range scenarios() {
		for _, f := range sc.figures {
			assert.False(t, seen[f.name], f.name)
			assert.NotEmpty(t, f.title, f.name)
			seen[f.name] = true
		}
	}
}

func TestFiguresAreChosenByName(t *testing.T) {
	var table, log bytes.Buffer
	opts := parse(t, "-quick", "-run=^status$")
	require.NoError(t, run(context.Background(), opts, &table, &log))
	assert.Contains(t, table.String(), "status/allocs")
	assert.NotContains(t, table.String(), "echo")
}

func TestFlagsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, arg := range []string{"-run=(", "-pairs=0", "-clients=1", "-nothing", "redial"} {
		var out strings.Builder
		_, err := parseFlags([]string{arg}, &out)
		require.Error(t, err, arg)
		assert.NotEmpty(t, out.String(), arg)
	}
}

func TestAnInterruptedRunReportsWhatItHas(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var table, log bytes.Buffer
	err := run(ctx, parse(t, "-quick"), &table, &log)
	require.ErrorIs(t, err, context.Canceled)
	assert.Contains(t, table.String(), "figure")
}

// fake is a scenario whose sides take the values given.
func fake(f figure, values map[side]float64) *scenario {
	return &scenario{
		figures: []figure{f},
		prepare: func(_ *env, s side) (batch, func(), error) {
			return func() ([]float64, error) { return []float64{values[s]}, nil }, nil, nil
		},
	}
}

func measureFake(t *testing.T, sc *scenario) result {
	t.Helper()
	e := &env{options: parse(t, "-pairs=3")}
	rs, err := measure(context.Background(), e, sc)
	require.NoError(t, err)
	require.Len(t, rs, 1)
	return rs[0]
}

func TestLimitsAreHeldAgainstWhatTheyAreAbout(t *testing.T) {
	values := map[side]float64{rawSide: 100, clientSide: 110, againSide: 101}
	for _, tt := range []struct {
		judge     judgement
		must, aim float64
		verdict   string
	}{
		{added, 10, 5, "must"},
		{added, 9, 5, "MISSED"},
		{added, 20, 10, "aim"},
		{ratio, 1.2, 1.1, "aim"},
		{ratio, 1.09, 1, "MISSED"},
		{share, 1.2, 1.3, "MISSED"},
		{share, 0.9, 0.95, "aim"},
		{share, 1.1, 1.15, "must"},
		{value, 110, 109, "must"},
		{noLimit, 0, 0, "-"},
	} {
		r := measureFake(t, fake(figure{name: "fake", judge: tt.judge, must: tt.must, aim: tt.aim}, values))
		assert.Equal(t, tt.verdict, r.verdict(), "%+v", tt)
		assert.Equal(t, 10.0, r.Added.P50)
		assert.Equal(t, 1.0, r.NoiseAdded.P50)
	}
}

func TestGrowthIsHeldAgainstLinearOrTheMachine(t *testing.T) {
	for _, tt := range []struct {
		raw, client float64
		verdict     string
	}{
		{0.8, 1.1, "aim"}, // linear, if the bare connection gets cheaper
		{1.5, 1.6, "aim"}, // as the machine
		{1.1, 1.3, "must"},
		{1, 1.3, "MISSED"},
	} {
		values := map[side]float64{rawSide: tt.raw, clientSide: tt.client, againSide: tt.raw}
		r := measureFake(t, fake(figure{name: "fake", judge: growth, must: 1.25, aim: 1.1}, values))
		assert.Equal(t, tt.verdict, r.verdict(), "%+v", tt)
	}
}

func TestRoundsTakeTurnsInBothOrders(t *testing.T) {
	var order []side
	sc := &scenario{
		cost:    costly,
		figures: []figure{{name: "order"}},
		prepare: func(_ *env, s side) (batch, func(), error) {
			return func() ([]float64, error) {
				order = append(order, s)
				return []float64{1}, nil
			}, nil, nil
		},
	}
	_, err := measure(context.Background(), &env{options: parse(t, "-pairs=4")}, sc)
	require.NoError(t, err)
	assert.Equal(t, []side{
		rawSide, clientSide, againSide,
		againSide, clientSide, rawSide,
	}, order)
}

func TestAnErrorNamesTheSideAndUndoesAll(t *testing.T) {
	broken := errors.New("broken")
	undone := 0
	sc := &scenario{
		figures: []figure{{name: "broken"}},
		prepare: func(_ *env, s side) (batch, func(), error) {
			run := func() ([]float64, error) { return []float64{1}, nil }
			if s.isClient() {
				run = func() ([]float64, error) { return nil, broken }
			}
			return run, func() { undone++ }, nil
		},
	}
	_, err := measure(context.Background(), &env{options: parse(t)}, sc)
	require.ErrorIs(t, err, broken)
	assert.ErrorContains(t, err, "client")
	assert.Equal(t, int(sides), undone)
}

func TestQuantilesInterpolate(t *testing.T) {
	q := newQuartiles([]float64{4, 1, 3, 2})
	assert.Equal(t, quartiles{P25: 1.75, P50: 2.5, P75: 3.25}, q)
	assert.Equal(t, quartiles{7, 7, 7}, newQuartiles([]float64{7}))
	assert.Nil(t, spread(nil), "there is none of nothing")
}

func TestTheWorstOfAllRoundsCountsWhereAsked(t *testing.T) {
	assert.Equal(t, 3.0, summary(figure{worst: true}, []float64{0, 3, 0}))
	assert.Equal(t, 0.0, summary(figure{}, []float64{0, 3, 0}))
}

func TestStrictFailsForAMiss(t *testing.T) {
	r := measureFake(t, fake(figure{name: "fake", judge: value, must: 1}, map[side]float64{clientSide: 2}))
	require.NotNil(t, r.MeetsMust)
	assert.False(t, *r.MeetsMust)
	assert.Error(t, strictness([]result{r}))
	assert.NoError(t, strictness(nil))
}

func TestRivalsAreFoundByThePatternAlone(t *testing.T) {
	opts := parse(t, "-rivals", "-run=^nobody$")
	var table, log bytes.Buffer
	require.NoError(t, run(context.Background(), opts, &table, &log), log.String())
	assert.Contains(t, table.String(), "rival")
}

func TestRivalsAreReportedByTheMedianOfTheirTurns(t *testing.T) {
	var table, lines bytes.Buffer
	require.NoError(t, writeRivals(&table, &lines, []rivalLine{
		{Rival: "a", Figure: "one", Value: 1},
		{Rival: "b", Figure: "one", Value: 7},
		{Rival: "a", Figure: "one", Value: 30},
		{Rival: "a", Figure: "one", Value: 2},
		{Rival: "b", Figure: "two", Value: 5},
	}))
	var found []rivalLine
	for dec := json.NewDecoder(&lines); dec.More(); {
		var l rivalLine
		require.NoError(t, dec.Decode(&l))
		found = append(found, l)
	}
	assert.Equal(t, []rivalLine{
		{Rival: "a", Figure: "one", Value: 2},
		{Rival: "b", Figure: "one", Value: 7},
		{Rival: "b", Figure: "two", Value: 5},
	}, found)
	assert.Equal(t, 4, strings.Count(table.String(), "\n"))
}

func TestARestEndsWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		e := &env{done: ctx.Done()}
		began := time.Now()
		e.rest(time.Second)
		assert.Equal(t, time.Second, time.Since(began))
		e.rest(time.Hour)
		assert.Equal(t, time.Minute, time.Since(began))
	})
}
