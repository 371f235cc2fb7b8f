package main

// A side is who does the work of a batch.
type side int

const (
	rawSide    side = iota
	clientSide      // what is measured
	againSide       // raw once more, on connections of its own: the noise
	sides
)

func (s side) String() string {
	return [...]string{"raw", "client", "again"}[s]
}

func (s side) isClient() bool {
	return s == clientSide
}

// A batch does a scenario's work for a few milliseconds and returns a value
// for each of the scenario's figures, in their order.
type batch func() ([]float64, error)

// A scenario is some work that both sides can do.
type scenario struct {
	figures []figure

	// cost is how long a batch takes, and thereby how often it is repeated
	cost cost
	// solo work is the client's alone: there is nothing to compare it to
	solo bool

	// prepare gets a side ready. What it returns last undoes that, and may be
	// nil.
	prepare func(e *env, s side) (batch, func(), error)
}

// A cost is a size of batches.
type cost int

const (
	cheap  cost = iota // milliseconds: ten times as many pairs as asked for
	tiny               // one millisecond: fifty times
	costly             // most of a second: half as many
	slow               // seconds: a quarter
)

// A figure is one number of interest, with its limits.
type figure struct {
	name  string
	title string
	unit  string
	judge judgement
	must  float64 // the limits, of what the judgement is about
	aim   float64
	worst bool // the largest value of all rounds counts, not the median
}

// A judgement says which of a figure's numbers its limits are about.
type judgement int

const (
	noLimit judgement = iota
	added             // client less raw, at most
	ratio             // client by raw, at most
	share             // client by raw, at least
	value             // client, at most
	growth            // client, or client by raw, whichever is less, at most
)

// rounds returns how many rounds a scenario takes, and in how many groups: each
// group has connections of its own, since no two sockets are quite alike.
// Costly batches make their connections themselves.
func (sc *scenario) rounds(e *env) (groups, each int) {
	switch {
	case e.quick:
		return 1, e.pairs
	case sc.cost == costly:
		return 1, (e.pairs + 1) / 2
	case sc.cost == slow:
		return 1, (e.pairs + 3) / 4
	case sc.cost == tiny:
		return 10, 5 * e.pairs
	default:
		return 5, 2 * e.pairs
	}
}

// scenarios lists all there is, in the order of the report.
func scenarios() []scenario {
	var all []scenario
	for _, part := range [][]scenario{
		callScenarios(),
		emptyScenarios(),
		bulkScenarios(),
		echoScenarios(),
		redialScenarios(),
		stopScenarios(),
		ownScenarios(),
		memoryScenarios(),
		fleetScenarios(),
		idleScenarios(),
		streamScenarios(),
	} {
		all = append(all, part...)
	}
	return all
}
