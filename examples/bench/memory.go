package main

import (
	"runtime"
	"sync"
)

// memoryScenarios are about what an idle client takes. Both ends of the
// connections are in this process, which the difference leaves out.
func memoryScenarios() []scenario {
	var all []scenario
	for _, v := range []struct {
		kind        idleKind
		name, title string
	}{
		{waiting, "waiting", "its session waiting for the context"},
		{reading, "reading", "its session in Read"},
		{sessions0, "no-session", "no session"},
	} {
		all = append(all, scenario{
			cost: slow,
			figures: []figure{
				{
					name: "memory/" + v.name, title: "heap and stack per idle client, " + v.title,
					unit: "KiB", judge: added, must: 1.75, aim: 1,
				},
				{
					name: "memory/" + v.name + "/heap", title: "of these the heap",
					unit: "KiB",
				},
				{
					name: "goroutines/" + v.name, title: "goroutines per connected client, " + v.title,
					unit: "", judge: value, must: 1, aim: 1,
				},
			},
			prepare: func(e *env, s side) (batch, func(), error) {
				return func() ([]float64, error) { return weigh(e, s, v.kind) }, nil, nil
			},
		})
	}
	return all
}

// weigh returns memory, heap and goroutines per connection of a side.
func weigh(e *env, s side, kind idleKind) ([]float64, error) {
	const kib = 1024
	defer newBallast().drop()
	n := min(e.clients, 2000)
	heap, stack, goroutines := usage()
	f, err := newIdleFleet(e, s, kind, defaults, n)
	if err != nil {
		return nil, err
	}
	defer f.close()
	heap2, stack2, goroutines2 := usage()
	per := func(before, after float64) float64 { return (after - before) / float64(n) }
	return []float64{
		per(heap+stack, heap2+stack2) / kib,
		per(heap, heap2) / kib,
		per(goroutines+berths, goroutines2), // the server's own left out
	}, nil
}

func usage() (heap, stack, goroutines float64) {
	settle()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc), float64(m.StackInuse), float64(runtime.NumGoroutine())
}

// ballast is many goroutines that do nothing. The runtime starts goroutines with
// as much stack as those of the last collection needed on average, so that each
// fleet would find larger stacks the larger those of the fleet before were. With
// the ballast all start from the least there is.
type ballast struct {
	done  chan struct{}
	group sync.WaitGroup
}

func newBallast() *ballast {
	b := &ballast{done: make(chan struct{})}
	for range 2000 {
		b.group.Go(func() { <-b.done })
	}
	return b
}

func (b *ballast) drop() {
	close(b.done)
	b.group.Wait()
}
