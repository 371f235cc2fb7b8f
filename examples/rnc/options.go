package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"darvaza.org/x/net/reconnect"
)

// options are what the command line asks for. Durations are as given: a zero
// turns a feature off.
type options struct {
	remote string

	quit quitAfter
	deaf bool // -d

	once       bool
	retries    int // negative: no limit
	maxElapsed time.Duration
	initial    time.Duration
	max        time.Duration

	dialTimeout time.Duration
	idleTimeout time.Duration
	keepAlive   time.Duration

	tls tlsOptions

	verbose, debug bool
	status         *bool // nil: on a terminal
}

// parse reads the command line. Options may also follow the remote, as those of
// netcat do. It returns flag.ErrHelp when help is asked for.
func parse(args []string) (*options, error) {
	o := &options{quit: quitAfter{never: true}}
	fs := flag.NewFlagSet("rnc", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // the errors say it all, and the help is our own
	o.register(fs)

	var operands []string
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		if fs.NArg() == 0 {
			break
		}
		operands = append(operands, fs.Arg(0))
		args = fs.Args()[1:]
	}
	switch len(operands) {
	case 0:
		return nil, errors.New("no remote to connect to")
	case 1:
		o.remote = operands[0]
	case 2:
		o.remote = net.JoinHostPort(operands[0], operands[1])
		if network, _, err := reconnect.ParseRemote(o.remote); err == nil && network != reconnect.NetworkTCP {
			return nil, fmt.Errorf("unexpected argument %q after a Unix socket", operands[1])
		}
	default:
		return nil, fmt.Errorf("unexpected argument %q", operands[2])
	}
	return o, o.check()
}

func (o *options) register(fs *flag.FlagSet) {
	fs.Var(&o.quit, "q", "")
	fs.BoolVar(&o.deaf, "d", false, "")

	fs.BoolVar(&o.once, "once", false, "")
	fs.BoolVar(&o.once, "no-reconnect", false, "")
	fs.IntVar(&o.retries, "retries", -1, "")
	fs.DurationVar(&o.maxElapsed, "max-elapsed", 0, "")
	fs.DurationVar(&o.initial, "initial", 500*time.Millisecond, "")
	fs.DurationVar(&o.max, "max", 10*time.Second, "")

	fs.DurationVar(&o.dialTimeout, "dial-timeout", reconnect.DefaultDialTimeout, "")
	fs.DurationVar(&o.idleTimeout, "idle-timeout", 0, "")
	fs.DurationVar(&o.keepAlive, "keepalive", reconnect.DefaultKeepAlive, "")

	fs.BoolVar(&o.tls.on, "tls", false, "")
	fs.StringVar(&o.tls.ca, "ca", "", "")
	fs.StringVar(&o.tls.cert, "cert", "", "")
	fs.StringVar(&o.tls.key, "key", "", "")
	fs.StringVar(&o.tls.serverName, "servername", "", "")
	fs.BoolVar(&o.tls.insecure, "insecure", false, "")

	fs.BoolVar(&o.verbose, "v", false, "")
	fs.BoolVar(&o.debug, "vv", false, "")
	fs.BoolFunc("status", "", func(s string) error {
		on, err := strconv.ParseBool(s)
		o.status = &on
		return err
	})
}

// check refuses what parses but makes no sense.
func (o *options) check() error {
	network, _, err := reconnect.ParseRemote(o.remote)
	if err != nil {
		return err
	}
	for _, flag := range []struct {
		name  string
		value time.Duration
	}{
		{"max-elapsed", o.maxElapsed},
		{"dial-timeout", o.dialTimeout},
		{"idle-timeout", o.idleTimeout},
		{"keepalive", o.keepAlive},
	} {
		if flag.value < 0 {
			return fmt.Errorf("-%s: %v is negative", flag.name, flag.value)
		}
	}
	switch {
	case o.initial <= 0:
		return fmt.Errorf("-initial: %v is not positive", o.initial)
	case o.max < o.initial:
		return fmt.Errorf("-max: %v is less than -initial, %v", o.max, o.initial)
	case o.deaf && !o.quit.never:
		return errors.New("-q: with -d there is no end of the standard input")
	}
	return o.tls.check(network)
}

// quitAfter is the value of -q: seconds, as netcat's, or a duration. Negative
// means never.
type quitAfter struct {
	after time.Duration
	never bool
}

func (q *quitAfter) String() string {
	if q.never {
		return "-1"
	}
	return q.after.String()
}

func (q *quitAfter) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil {
		d, err = time.ParseDuration(s + "s")
	}
	if err != nil {
		return errors.New("neither seconds nor a duration")
	}
	*q = quitAfter{after: d, never: d < 0}
	return nil
}
