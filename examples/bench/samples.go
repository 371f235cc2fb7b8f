package main

import (
	"math"
	"slices"
)

// samples collects the rounds of a scenario.
type samples struct {
	sc   *scenario
	rows [][sides][]float64
}

func newSamples(sc *scenario) *samples {
	return &samples{sc: sc}
}

func (s *samples) add(row [sides][]float64) {
	s.rows = append(s.rows, row)
}

// results makes the report of each figure.
func (s *samples) results() []result {
	rs := make([]result, 0, len(s.sc.figures))
	for i, f := range s.sc.figures {
		rs = append(rs, newResult(f, len(s.rows), func(who side) []float64 {
			if s.sc.solo && !who.isClient() {
				return nil
			}
			column := make([]float64, 0, len(s.rows))
			for _, row := range s.rows {
				column = append(column, row[who][i])
			}
			return column
		}))
	}
	return rs
}

// quartiles sums a distribution up.
type quartiles struct {
	P25 float64 `json:"p25"`
	P50 float64 `json:"p50"`
	P75 float64 `json:"p75"`
}

func newQuartiles(values []float64) quartiles {
	values = slices.Clone(values)
	slices.Sort(values)
	return quartiles{
		P25: quantile(values, 0.25),
		P50: quantile(values, 0.50),
		P75: quantile(values, 0.75),
	}
}

// quantile interpolates in values that are sorted. There is none of nothing.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	at := q * float64(len(values)-1)
	i := int(at)
	if i+1 == len(values) {
		return values[i]
	}
	return values[i] + (at-float64(i))*(values[i+1]-values[i])
}

// median returns the middle of values, which it sorts.
func median(values []float64) float64 {
	slices.Sort(values)
	return quantile(values, 0.5)
}

// undisturbed returns the lower quartile of values, which it sorts. Of many
// times for the same few microseconds of work it is the one that nothing else
// got in the way of.
func undisturbed(values []float64) float64 {
	slices.Sort(values)
	return quantile(values, 0.25)
}

// pairwise applies fn to the values of two columns.
func pairwise(a, b []float64, fn func(a, b float64) float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = fn(a[i], b[i])
	}
	return out
}

func minus(a, b float64) float64 { return a - b }

// over is a ratio. Nothing by nothing is one: both sides are alike.
func over(a, b float64) float64 {
	if a == b {
		return 1
	}
	return a / b
}
