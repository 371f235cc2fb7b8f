package main

import (
	"context"
	"time"

	"darvaza.org/x/net/reconnect"
)

// ownScenarios are about what only the client does: there is no raw side.
func ownScenarios() []scenario {
	var sink reconnect.Status
	var text string
	var delay time.Duration
	all := []scenario{
		ownScenario("new-shutdown", "New and Shutdown of a client that never connects", 200, 4000, 2000, 20, 12, func(*reconnect.Client) error {
			c, err := reconnect.New(&reconnect.Config{Remote: "127.0.0.1:1"})
			if err != nil {
				return err
			}
			return c.Shutdown(context.Background())
		}),
		ownScenario("status", "Status", 1000, 100, 100, 0, 0, func(c *reconnect.Client) error {
			sink = c.Status()
			return nil
		}),
		ownScenario("backoff-delay", "Backoff.Delay of a late attempt", 1000, 30, 30, 0, 0, func(*reconnect.Client) error {
			delay = reconnect.Backoff{}.Delay(12)
			return nil
		}),
	}
	for _, remote := range []struct{ name, text string }{
		{"ip", "192.0.2.17:8080"},
		{"name", "node-7.db.example.com:5432"},
		{"unix", "unix:///run/app/app.sock"},
	} {
		all = append(all, ownScenario("parse-remote/"+remote.name, "ParseRemote of "+remote.text, 1000, 200, 200, 0, 0,
			func(*reconnect.Client) (err error) {
				_, text, err = reconnect.ParseRemote(remote.text)
				return err
			}))
	}
	_, _, _ = sink, text, delay
	return all
}

// ownScenario measures time and allocations of fn, which runs calls times for
// each of the times that the lower quartile is taken of. The client that fn gets is
// connected.
func ownScenario(name, title string, calls int, ns, nsAim, allocs, allocsAim float64,
	fn func(*reconnect.Client) error) scenario {
	return scenario{
		solo: true,
		figures: []figure{
			{name: name, title: title, unit: "ns", judge: value, must: ns, aim: nsAim},
			{name: name + "/allocs", title: title + ": allocations", unit: "allocs", judge: value, must: allocs, aim: allocsAim},
		},
		prepare: func(e *env, s side) (batch, func(), error) {
			l, err := newIdleLink(s)
			if err != nil {
				return nil, nil, err
			}
			c := l.ReadWriter.(*reconnect.Client)
			return func() ([]float64, error) {
				n := e.size(10)
				times := make([]float64, 0, n)
				before := mallocs()
				for range n {
					start := time.Now()
					for range calls {
						if err := fn(c); err != nil {
							return nil, err
						}
					}
					times = append(times, float64(time.Since(start))/float64(calls))
				}
				return []float64{undisturbed(times), float64((mallocs() - before) / uint64(n*calls))}, nil
			}, l.close, nil
		},
	}
}
