package clientmetrics

import (
	"errors"

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
	for _, m := range metrics {
		ch <- m.desc
	}
}

// Collect implements [prometheus.Collector]. Everything it reports comes from
// the same snapshot. Times that there aren't, such as that of an error where
// nothing failed so far, are left out.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	if c.source == nil {
		ch <- prometheus.NewInvalidMetric(metrics[0].desc, errNoSource)
		return
	}
	st := c.source.Status()
	for _, m := range metrics {
		m.report(st, func(value float64, labels ...string) {
			ch <- sample(m, value, labels...)
		})
	}
}

// sample turns what can't be reported, such as a remote that isn't UTF-8, into
// an error of the scrape.
func sample(m metric, value float64, labels ...string) prometheus.Metric {
	s, err := prometheus.NewConstMetric(m.desc, m.kind, value, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(m.desc, err)
	}
	return s
}
