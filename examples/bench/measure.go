package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/pprof"
)

// measureAll measures the scenarios that have a figure asked for, and reports
// each as soon as it is known, then all of them.
func measureAll(ctx context.Context, e *env, stdout, lines io.Writer) error {
	var all []result
	var errs []error
	for _, sc := range scenarios() {
		if !e.wants(&sc) {
			continue
		}
		if err := ctx.Err(); err != nil {
			errs = append(errs, err)
			break
		}
		rs, err := measure(ctx, e, &sc)
		if err != nil {
			err = fmt.Errorf("%s: %w", sc.figures[0].name, err)
			errs = append(errs, err)
			if ctx.Err() != nil {
				break
			}
			e.notice("%v", err)
			continue
		}
		for _, r := range rs {
			if err := writeLine(lines, r); err != nil {
				return err
			}
			e.notice("%s: %s", r.Name, r.verdict())
		}
		all = append(all, rs...)
	}
	if err := writeTable(stdout, all); err != nil {
		return err
	}
	if e.strict {
		errs = append(errs, strictness(all))
	}
	return errors.Join(errs...)
}

// strictness makes an error of each figure that misses what it must reach.
func strictness(rs []result) error {
	var errs []error
	for i := range rs {
		if rs[i].verdict() == missed {
			errs = append(errs, fmt.Errorf("%s: %s", rs[i].Name, missed))
		}
	}
	return errors.Join(errs...)
}

func (e *env) wants(sc *scenario) bool {
	for _, f := range sc.figures {
		if e.run.MatchString(f.name) {
			return true
		}
	}
	return false
}

// measure runs a scenario. Each of its rounds has a batch of every side, and
// every other round has them in the opposite order, which takes the drift of
// the machine out of the differences.
func measure(ctx context.Context, e *env, sc *scenario) ([]result, error) {
	groups, each := sc.rounds(e)
	s := newSamples(sc)
	for range groups {
		if err := measureGroup(ctx, e, sc, each, s); err != nil {
			return nil, err
		}
	}
	return s.results(), nil
}

func measureGroup(ctx context.Context, e *env, sc *scenario, rounds int, s *samples) error {
	order := []side{rawSide, clientSide, againSide}
	if sc.solo {
		order = []side{clientSide}
	}

	var batches [sides]batch
	for _, who := range order {
		var run batch
		var undo func()
		var err error
		labels := pprof.Labels("figure", sc.figures[0].name, "side", who.String())
		pprof.Do(ctx, labels, func(context.Context) {
			run, undo, err = sc.prepare(e, who)
		})
		if undo != nil {
			defer undo()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", who, err)
		}
		batches[who] = labelled(ctx, labels, run)
	}

	runtime.GC()
	if !e.quick && sc.cost < costly {
		for _, who := range order { // to warm up
			if _, err := batches[who](); err != nil {
				return fmt.Errorf("%s: %w", who, err)
			}
		}
	}
	for i := range rounds {
		var row [sides][]float64
		for j := range order {
			who := order[j]
			if i%2 != 0 {
				who = order[len(order)-1-j]
			}
			values, err := batches[who]()
			if err != nil {
				return fmt.Errorf("%s: %w", who, err)
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			row[who] = values
		}
		s.add(row)
	}
	return nil
}

// labelled marks a batch in CPU profiles, its goroutines included.
func labelled(ctx context.Context, labels pprof.LabelSet, run batch) batch {
	return func() (values []float64, err error) {
		pprof.Do(ctx, labels, func(context.Context) {
			values, err = run()
		})
		return values, err
	}
}
