package clientmetrics

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"darvaza.org/x/net/reconnect"
)

// A Source tells what there is to measure. [reconnect.Client] is one. Its Status
// may be called by several goroutines at once and should not block.
type Source interface {
	Status() reconnect.Status
}

// A Collector is a [prometheus.Collector] of one client. All its methods may be
// called concurrently.
type Collector struct {
	source Source
}

var _ prometheus.Collector = (*Collector)(nil)

var errNoSource = errors.New("clientmetrics: the source is nil")

// New makes a collector of the client's Status. With a nil source it can be
// registered, but fails every scrape.
func New(source Source) *Collector {
	return &Collector{source: source}
}

// Describe implements [prometheus.Collector]. All collectors of this package
// describe the same metrics, so a registry takes a second one only where labels
// tell them apart.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range descs {
		ch <- d
	}
}

// Collect implements [prometheus.Collector]. Everything it reports comes from
// the same snapshot. Times that there aren't, such as that of an error where
// nothing failed so far, are left out.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	if c.source == nil {
		ch <- prometheus.NewInvalidMetric(up, errNoSource)
		return
	}
	st := c.source.Status()

	ch <- gauge(up, one(st.State == reconnect.Connected))
	for _, state := range states {
		ch <- gauge(inState, one(st.State == state), state.String())
	}
	ch <- gauge(remote, 1, st.Remote)
	ch <- gauge(attempt, float64(st.Attempt))

	ch <- counter(attempts, st.Attempts)
	ch <- counter(failures, st.Failures)
	ch <- counter(sessions, st.Sessions)
	ch <- counter(bytesRead, st.BytesRead)
	ch <- counter(bytesWritten, st.BytesWritten)

	moment(ch, stateSince, st.Since)
	moment(ch, connectedSince, st.ConnectedSince)
	moment(ch, lastError, st.LastErrorAt)
	moment(ch, nextAttempt, st.NextAttempt)
}

func gauge(desc *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return metric(desc, prometheus.GaugeValue, value, labels...)
}

func counter(desc *prometheus.Desc, value uint64) prometheus.Metric {
	return metric(desc, prometheus.CounterValue, float64(value))
}

// metric turns what can't be reported, such as a remote that isn't UTF-8, into
// an error of the scrape.
func metric(desc *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) prometheus.Metric {
	m, err := prometheus.NewConstMetric(desc, kind, value, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(desc, err)
	}
	return m
}

func moment(ch chan<- prometheus.Metric, desc *prometheus.Desc, t time.Time) {
	if !t.IsZero() {
		ch <- gauge(desc, float64(t.UnixMicro())/1e6)
	}
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
