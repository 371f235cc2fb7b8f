package main

import (
	"fmt"
	"runtime"
	"time"
)

// smallPart is how much smaller the fleet is that shows what a member costs in
// a small one.
const smallPart = 5

// fleetScenarios are about many clients at once.
func fleetScenarios() []scenario {
	var all []scenario
	for _, network := range []string{"unix", "tcp"} {
		all = append(all, lifeScenario(network), inTurnScenario(network))
	}
	return append(all, growthScenario("unix"))
}

// A life is what a fleet goes through, in wall time and in CPU time.
type life struct {
	connect, restart, stop          time.Duration
	connectCPU, restartCPU, stopCPU time.Duration
	hung                            int
	failed                          uint64 // attempts, while connecting
}

// live takes a fleet of n members of one side through its life.
func live(e *env, s side, network string, n int, inTurn bool) (l life, err error) {
	f, err := newFleet(e, s, network, n)
	if err != nil {
		return life{}, err
	}
	defer f.server.close()
	runtime.GC()

	cpu := cpuTime()
	l.connect, err = f.connect(inTurn)
	l.connectCPU = lap(&cpu)
	if err == nil {
		l.restart, err = f.restart()
		l.restartCPU = lap(&cpu)
	}
	for _, m := range f.members {
		l.failed += m.failures()
	}
	cpu = cpuTime()
	l.stop, l.hung = f.stop()
	l.stopCPU = lap(&cpu)
	return l, err
}

// lap returns the CPU time since last, and sets that to now.
func lap(last *time.Duration) time.Duration {
	now := cpuTime()
	took := now - *last
	*last = now
	return took
}

func lifeScenario(network string) scenario {
	named := func(name, title string) figure {
		return figure{name: "many/" + network + "/" + name, title: title + ", " + network, unit: "ms"}
	}
	limited := func(name, title string, must, aim float64) figure {
		f := named(name, title)
		f.judge, f.must, f.aim = ratio, must, aim
		return f
	}
	hung := named("hung", "clients that a Shutdown leaves behind")
	hung.unit, hung.judge, hung.worst = "", value, true
	failed := named("failed", "attempts that failed: the figures above are only good without")
	failed.unit, failed.worst = "", true
	return scenario{
		cost: costly,
		figures: []figure{
			limited("connect", "all connect at once", 1.15, 1.05),
			limited("restart", "all back after a restart of the server", 1.15, 1.05),
			limited("shutdown", "all shut down at once", 2, 1.2),
			hung,
			failed,
			named("connect/cpu", "CPU time, server included, of the connect"),
			named("restart/cpu", "CPU time, server included, of the restart"),
			named("shutdown/cpu", "CPU time of the shutdown"),
		},
		prepare: func(e *env, s side) (batch, func(), error) {
			return func() ([]float64, error) {
				l, err := live(e, s, network, e.clients, false)
				return []float64{
					ms(l.connect), ms(l.restart), ms(l.stop), float64(l.hung), float64(l.failed),
					ms(l.connectCPU), ms(l.restartCPU), ms(l.stopCPU),
				}, err
			}, nil, nil
		},
	}
}

func inTurnScenario(network string) scenario {
	return scenario{
		cost: costly,
		figures: []figure{{
			name:  "many/" + network + "/connect-in-turn",
			title: "all connect, one after the other, " + network,
			unit:  "ms", judge: ratio, must: 1.15, aim: 1.05,
		}},
		prepare: func(e *env, s side) (batch, func(), error) {
			return func() ([]float64, error) {
				f, err := newFleet(e, s, network, e.clients)
				if err != nil {
					return nil, err
				}
				defer f.server.close()
				runtime.GC()
				took, err := f.connect(true)
				f.stop()
				return []float64{ms(took)}, err
			}, nil, nil
		},
	}
}

// growthScenario compares what a member of a large fleet costs to what one of a
// small fleet costs: 1 is linear. The raw side shows how linear the machine is; where
// that gets cheaper with size the client doesn't have to.
func growthScenario(network string) scenario {
	grows := func(name string) figure {
		return figure{
			name:  "growth/" + name,
			title: fmt.Sprintf("cost per member in a fleet against one a fifth of its size: %s, %s", name, network),
			unit:  "x", judge: growth, must: 1.25, aim: 1.1,
		}
	}
	return scenario{
		cost:    costly,
		figures: []figure{grows("connect"), grows("restart"), grows("shutdown")},
		prepare: func(e *env, s side) (batch, func(), error) {
			return func() ([]float64, error) { return grow(e, s, network) }, nil, nil
		},
	}
}

// grow lives several small lives, as a single one is too short to be sure of.
func grow(e *env, s side, network string) ([]float64, error) {
	small := max(e.clients/smallPart, 1)
	var connect, restart, stop []float64
	for range e.size(smallPart) {
		l, err := live(e, s, network, small, false)
		if err != nil {
			return nil, err
		}
		connect = append(connect, ms(l.connect))
		restart = append(restart, ms(l.restart))
		stop = append(stop, ms(l.stop))
	}
	l, err := live(e, s, network, e.clients, false)
	if err != nil {
		return nil, err
	}
	scale := float64(small) / float64(e.clients)
	return []float64{
		ms(l.connect) * scale / median(connect),
		ms(l.restart) * scale / median(restart),
		ms(l.stop) * scale / median(stop),
	}, nil
}

func ms(d time.Duration) float64 {
	return float64(d) / float64(time.Millisecond)
}
