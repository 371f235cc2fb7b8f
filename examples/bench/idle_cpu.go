package main

import "time"

// idleWindow is how long a fleet is watched, and idleQuiet how long it is left
// alone before.
const (
	idleWindow = time.Second
	idleQuiet  = 200 * time.Millisecond
)

// idleScenarios are about the CPU time of clients that have nothing to do.
func idleScenarios() []scenario {
	const unit = "ms/s"
	return []scenario{
		idleScenario(waiting, off, figure{
			name: "idle-cpu/off", title: "CPU time per second of idle clients, timeouts off",
			unit: unit, judge: added, must: 0.3, aim: 0.1,
		}),
		idleScenario(waiting, defaults, figure{
			name: "idle-cpu/default", title: "CPU time per second of idle clients, default timeouts",
			unit: unit, judge: added, must: 1, aim: 0.1,
		}),
		// whoever asks every two seconds whether there is something pays for it
		// on both sides; no limit is set
		idleScenario(reading, defaults, figure{
			name: "idle-cpu/reading", title: "the same while each runs into ReadTimeout again and again",
			unit: unit,
		}),
	}
}

func idleScenario(kind idleKind, t timeouts, f figure) scenario {
	return scenario{
		cost:    slow,
		figures: []figure{f},
		prepare: func(e *env, s side) (batch, func(), error) {
			window := idleWindow
			if kind == reading {
				window *= 2 // as long as the timeout, to catch each once
			}
			if e.quick {
				window /= 100
			}
			return func() ([]float64, error) {
				fleet, err := newIdleFleet(e, s, kind, t, e.clients)
				if err != nil {
					return nil, err
				}
				defer fleet.close()
				settle()
				e.rest(min(idleQuiet, window))

				start, cpu := time.Now(), cpuTime()
				e.rest(window)
				used := cpuTime() - cpu
				return []float64{ms(used) / time.Since(start).Seconds()}, nil
			}, nil, nil
		},
	}
}
