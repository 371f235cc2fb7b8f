package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime/pprof"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C doesn't wait for anything

	opts, err := parseFlags(os.Args[1:], os.Stderr)
	if err != nil {
		os.Exit(2)
	}
	if err := run(ctx, opts, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options is the command line.
type options struct {
	run     *regexp.Regexp
	pairs   int
	clients int
	quick   bool
	strict  bool
	rivals  bool
	json    string
	profile string
}

func parseFlags(args []string, output io.Writer) (*options, error) {
	opts := new(options)
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(output)
	pattern := flags.String("run", "", "measure only figures whose name matches this `regexp`")
	flags.IntVar(&opts.pairs, "pairs", 20, "`number` that the pairs per figure go by: cheap figures take ten or fifty times as many, slow ones fewer")
	flags.IntVar(&opts.clients, "clients", 5000, "`number` of clients in the figures about many")
	flags.BoolVar(&opts.quick, "quick", false, "measure hardly anything, to see that it works")
	flags.BoolVar(&opts.strict, "strict", false, "fail when a figure misses what it must reach")
	flags.BoolVar(&opts.rivals, "rivals", false, "measure other reconnecting clients instead; needs the go command, the sources, and once the network")
	flags.StringVar(&opts.json, "json", "", "write a line of JSON per figure to this `file` as well")
	flags.StringVar(&opts.profile, "cpuprofile", "", "write a CPU profile to this `file`, labelled with figure and side")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}

	var err error
	if flags.NArg() > 0 {
		err = fmt.Errorf("%q is no flag; -run chooses figures", flags.Arg(0))
		fmt.Fprintln(output, "bench:", err)
		return nil, err
	}
	if opts.run, err = regexp.Compile(*pattern); err != nil {
		fmt.Fprintln(output, "bench: -run:", err)
		return nil, err
	}
	if opts.pairs < 1 || opts.clients < 5 {
		err = fmt.Errorf("-pairs %d, -clients %d: at least 1 and 5 are needed", opts.pairs, opts.clients)
		fmt.Fprintln(output, "bench:", err)
		return nil, err
	}
	return opts, nil
}

// run measures what the options ask for and reports it to stdout. Notices and
// progress go to stderr.
func run(ctx context.Context, opts *options, stdout, stderr io.Writer) (err error) {
	lines, closeLines, err := openLines(opts.json)
	if err != nil {
		return err
	}
	defer func() {
		if e := closeLines(); err == nil {
			err = e
		}
	}()
	if opts.rivals {
		return runRivals(ctx, opts, stdout, stderr, lines)
	}

	if opts.profile != "" {
		f, err := os.Create(opts.profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}

	e, err := newEnv(ctx, opts, stderr)
	if err != nil {
		return err
	}
	defer e.close()
	return measureAll(ctx, e, stdout, lines)
}

// openLines opens the file for JSON, if one is wanted.
func openLines(name string) (io.Writer, func() error, error) {
	if name == "" {
		return io.Discard, func() error { return nil }, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, nil, err
	}
	return f, f.Close, nil
}
