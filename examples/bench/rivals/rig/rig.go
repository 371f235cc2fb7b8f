// Package rig measures any client that keeps a connection up: how soon it is
// back, what it takes while it is idle, and how long it takes to stop.
//
// [Main] does it all for a [Rival] and prints a line of JSON per figure. The
// server is part of the process; what its side takes is measured with bare
// connections and left out.
package rig

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"time"
)

// A Rival is a client to be measured.
type Rival struct {
	Name    string // of the module
	Module  string // its path, to find its version by
	Comment string // how its waits were set

	// Start starts a client of addr, a TCP address, and calls up each time
	// that it has connected. It need not wait for the first time. What it
	// returns stops the client and waits for its end.
	Start func(addr string, up func()) (stop func() error, err error)

	// Greet does what the server does when a connection comes up. Nil means
	// nothing.
	Greet func(net.Conn) error
	// Hello does what a client does when a connection comes up, by hand, for
	// the bare connections that are compared to. Nil means nothing.
	Hello func(net.Conn) error
	// Answer replies to what a client says later. Nil means that it says
	// nothing that has to be answered.
	Answer func(net.Conn)
}

// Line is a figure.
type Line struct {
	Rival   string  `json:"rival"`
	Version string  `json:"version"`
	Figure  string  `json:"figure"`
	Unit    string  `json:"unit"`
	Value   float64 `json:"value"`
	Count   int     `json:"count"` // of the samples, or of the clients
	Comment string  `json:"comment,omitempty"`
}

// Samples and clients, which an argument of "quick" makes few.
const (
	losses  = 200
	stops   = 200
	clients = 500
	quick   = 5
)

// Main runs the rival and exits.
func Main(r Rival) {
	scale := func(n int) int { return n }
	if slices.Contains(os.Args[1:], "quick") {
		scale = func(n int) int { return min(n, quick) }
	}
	if err := run(r, scale); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", r.Name, err)
		os.Exit(1)
	}
}

func run(r Rival, scale func(int) int) error {
	out := json.NewEncoder(os.Stdout)
	print := func(figure, unit string, value float64, count int) error {
		value, _ = strconv.ParseFloat(strconv.FormatFloat(value, 'g', 5, 64), 64)
		return out.Encode(Line{r.Name, version(r.Module), figure, unit, value, count, r.Comment})
	}

	n := scale(losses)
	back, err := reconnect(r, n)
	if err != nil {
		return fmt.Errorf("reconnect: %w", err)
	}
	if err := print("reconnect, p50", "us", us(back), n); err != nil {
		return err
	}

	n = scale(stops)
	stop, err := stopAll(r, n)
	if err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	if err := print("stop, p50", "us", us(stop), n); err != nil {
		return err
	}

	n = scale(clients)
	bare, err := weigh(r, bareStart(r), n)
	if err != nil {
		return fmt.Errorf("bare connections: %w", err)
	}
	full, err := weigh(r, r.Start, n)
	if err != nil {
		return fmt.Errorf("idle clients: %w", err)
	}
	if err := print("idle client, added to a bare connection", "KiB", (full.bytes-bare.bytes)/1024, n); err != nil {
		return err
	}
	return print("goroutines per idle client", "", full.goroutines-bare.goroutines, n)
}

func us(d time.Duration) float64 {
	return float64(d) / float64(time.Microsecond)
}

// version finds which version of a module this program was built with.
func version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		switch {
		case m.Path != module:
		case m.Replace != nil:
			return "this repository"
		default:
			return m.Version
		}
	}
	return ""
}

// limit is how long anything may take here.
const limit = 30 * time.Second

// reconnect returns the median time from the server's close to the next
// report of the client that it is up.
func reconnect(r Rival, n int) (time.Duration, error) {
	s, err := newServer(r)
	if err != nil {
		return 0, err
	}
	defer s.close()
	up := make(chan time.Time, 1)
	stop, err := r.Start(s.addr(), func() { up <- time.Now() })
	if err != nil {
		return 0, err
	}
	defer func() { _ = stop() }()

	if _, err := next(up); err != nil {
		return 0, err
	}
	var times []time.Duration
	for range n {
		conn, err := next(s.conns)
		if err != nil {
			return 0, err
		}
		start := time.Now()
		_ = conn.Close()
		at, err := next(up)
		if err != nil {
			return 0, err
		}
		times = append(times, at.Sub(start))
	}
	return median(times), nil
}

// stopAll returns the median time that the stop of a connected client takes.
func stopAll(r Rival, n int) (time.Duration, error) {
	s, err := newServer(r)
	if err != nil {
		return 0, err
	}
	defer s.close()
	var times []time.Duration
	for range n {
		up := make(chan struct{}, 1)
		stop, err := r.Start(s.addr(), func() { up <- struct{}{} })
		if err != nil {
			return 0, err
		}
		if _, err := next(up); err != nil {
			return 0, err
		}
		conn, err := next(s.conns)
		if err != nil {
			return 0, err
		}
		time.Sleep(200 * time.Microsecond) // to be idle, blocked in a read
		start := time.Now()
		if err := stop(); err != nil {
			return 0, err
		}
		times = append(times, time.Since(start))
		_ = conn.Close()
	}
	return median(times), nil
}

func next[T any](ch <-chan T) (v T, err error) {
	select {
	case v = <-ch:
		return v, nil
	case <-time.After(limit):
		return v, fmt.Errorf("nothing happens for %v", limit)
	}
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// weight is what a client takes.
type weight struct {
	bytes, goroutines float64
}

// weigh returns what each of n clients takes, together with its server's
// side.
func weigh(r Rival, start func(string, func()) (func() error, error), n int) (weight, error) {
	s, err := newServer(r)
	if err != nil {
		return weight{}, err
	}
	defer s.close()
	up := make(chan struct{}, n)
	before := usage()
	conns := make([]net.Conn, 0, n)
	stops := make([]func() error, 0, n)
	defer func() {
		for _, stop := range stops {
			_ = stop()
		}
		for _, conn := range conns {
			_ = conn.Close()
		}
	}()
	for range n {
		stop, err := start(s.addr(), func() { up <- struct{}{} })
		if err != nil {
			return weight{}, err
		}
		stops = append(stops, stop)
		if _, err := next(up); err != nil {
			return weight{}, err
		}
		conn, err := next(s.conns)
		if err != nil {
			return weight{}, err
		}
		conns = append(conns, conn)
	}
	after := usage()
	return weight{
		bytes:      (after.bytes - before.bytes) / float64(n),
		goroutines: (after.goroutines - before.goroutines) / float64(n),
	}, nil
}

func usage() weight {
	runtime.GC()
	debug.FreeOSMemory() // collects once more
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return weight{float64(m.HeapAlloc + m.StackInuse), float64(runtime.NumGoroutine())}
}

// bareStart connects and does nothing else.
func bareStart(r Rival) func(string, func()) (func() error, error) {
	return func(addr string, up func()) (func() error, error) {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return nil, err
		}
		if r.Hello != nil {
			if err := r.Hello(conn); err != nil {
				return conn.Close, err
			}
		}
		up()
		return conn.Close, nil
	}
}
