package main

import (
	"encoding/json"
	"io"
	"math"
	"slices"
)

// A result is what is reported of a figure, as a line of JSON or of the
// table. What doesn't apply to a figure is nil.
type result struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Unit  string `json:"unit"`
	Pairs int    `json:"pairs"`

	Raw    *float64 `json:"raw,omitempty"`
	Client *float64 `json:"client,omitempty"`
	// of the pairs client and raw, within a round
	Added *quartiles `json:"added,omitempty"`
	Ratio *quartiles `json:"ratio,omitempty"`
	// of the pairs raw and raw: the noise floor
	NoiseAdded *quartiles `json:"noise_added,omitempty"`
	NoiseRatio *quartiles `json:"noise_ratio,omitempty"`

	Judged    string   `json:"judged,omitempty"` // what the limits are about
	Judge     *float64 `json:"value,omitempty"`
	Must      *float64 `json:"must,omitempty"`
	Aim       *float64 `json:"aim,omitempty"`
	MeetsMust *bool    `json:"meets_must,omitempty"`
	MeetsAim  *bool    `json:"meets_aim,omitempty"`

	judge judgement
}

func newResult(f figure, pairs int, column func(side) []float64) result {
	r := result{Name: f.name, Title: f.title, Unit: f.unit, Pairs: pairs, judge: f.judge}
	client := column(clientSide)
	r.Client = finite(summary(f, client))
	if raw := column(rawSide); raw != nil {
		again := column(againSide)
		r.Raw = finite(summary(f, raw))
		r.Added = spread(pairwise(client, raw, minus))
		r.Ratio = spread(pairwise(client, raw, over))
		r.NoiseAdded = spread(pairwise(again, raw, minus))
		r.NoiseRatio = spread(pairwise(again, raw, over))
	}
	r.limit(f)
	return r
}

func summary(f figure, values []float64) float64 {
	if f.worst {
		return slices.Max(values)
	}
	return newQuartiles(values).P50
}

// limit holds the figure against its limits.
func (r *result) limit(f figure) {
	sign := 1.0
	switch f.judge {
	case noLimit:
		return
	case added:
		r.Judged, r.Judge = "added", middle(r.Added)
	case ratio:
		r.Judged, r.Judge = "ratio", middle(r.Ratio)
	case share:
		r.Judged, r.Judge = "share", middle(r.Ratio)
		sign = -1
	case value:
		r.Judged, r.Judge = "value", r.Client
	case growth:
		r.Judged, r.Judge = "growth", lesser(r.Client, middle(r.Ratio))
	}
	r.Must, r.Aim = &f.must, &f.aim
	if r.Judge == nil {
		return
	}
	must := sign**r.Judge <= sign*f.must
	aim := sign**r.Judge <= sign*f.aim
	r.MeetsMust, r.MeetsAim = &must, &aim
}

// verdict says in a word how the figure does.
func (r *result) verdict() string {
	switch {
	case r.MeetsMust == nil:
		return "-"
	case *r.MeetsAim:
		return "aim"
	case *r.MeetsMust:
		return "must"
	default:
		return missed
	}
}

// missed is the verdict that matters.
const missed = "MISSED"

// finite returns a pointer to what JSON can express, or nil.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// spread is nil unless all of it is finite.
func spread(values []float64) *quartiles {
	q := newQuartiles(values)
	if finite(q.P25) == nil || finite(q.P50) == nil || finite(q.P75) == nil {
		return nil
	}
	return &q
}

func middle(q *quartiles) *float64 {
	if q == nil {
		return nil
	}
	return &q.P50
}

// lesser is nil unless both are known.
func lesser(a, b *float64) *float64 {
	if a == nil || b == nil {
		return nil
	}
	return finite(min(*a, *b))
}

func writeLine(w io.Writer, line any) error {
	return json.NewEncoder(w).Encode(line)
}
