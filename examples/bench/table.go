package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// writeTable writes the results for people to read. Spread and noise are those
// of what the limits are about.
func writeTable(w io.Writer, rs []result) error {
	rows := [][]string{{
		"figure", "unit", "pairs", "raw", "client", "added", "ratio",
		"spread p25..p75", "noise raw-raw", "must", "aim", "meets",
	}}
	for i := range rs {
		rows = append(rows, rs[i].cells())
	}
	return writeAligned(w, rows, 2)
}

func (r *result) cells() []string {
	spread, noise := r.Added, r.NoiseAdded
	if r.judge == ratio || r.judge == share || r.judge == growth {
		spread, noise = r.Ratio, r.NoiseRatio
	}
	must, aim := limitText(r.judge, r.Must), limitText(r.judge, r.Aim)
	return []string{
		r.Name, r.Unit, fmt.Sprint(r.Pairs),
		number(r.Raw), number(r.Client), signed(middle(r.Added)), number(middle(r.Ratio)),
		between(spread), between(noise), must, aim, r.verdict(),
	}
}

func limitText(j judgement, limit *float64) string {
	switch {
	case limit == nil:
		return "-"
	case j == added:
		return "+" + number(limit)
	case j == ratio, j == growth:
		return "x" + number(limit)
	case j == share:
		return ">=x" + number(limit)
	default:
		return number(limit)
	}
}

func between(q *quartiles) string {
	if q == nil {
		return "-"
	}
	return number(&q.P25) + ".." + number(&q.P75)
}

func signed(v *float64) string {
	if v != nil && *v > 0 {
		return "+" + number(v)
	}
	return number(v)
}

// number has about four digits.
func number(v *float64) string {
	if v == nil {
		return "-"
	}
	switch a := math.Abs(*v); {
	case a == math.Trunc(a) && a < 1e6, a >= 1000:
		return fmt.Sprintf("%.0f", *v)
	case a >= 100:
		return fmt.Sprintf("%.1f", *v)
	case a >= 10:
		return fmt.Sprintf("%.2f", *v)
	default:
		return fmt.Sprintf("%.3f", *v)
	}
}

// writeAligned writes a table whose first columns are words and whose other
// ones are numbers.
func writeAligned(w io.Writer, rows [][]string, words int) error {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var out strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			switch {
			case i < words:
				out.WriteString(cell + pad)
			default:
				out.WriteString(pad + cell)
			}
			if i+1 < len(row) {
				out.WriteString("  ")
			}
		}
		out.WriteByte('\n')
	}
	_, err := io.WriteString(w, out.String())
	return err
}
