package clientmetrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"darvaza.org/x/net/reconnect"
)

// A metric is what there is to say about one side of a Status.
type metric struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	// report emits as many samples as there are, also none.
	report func(st reconnect.Status, emit emitFunc)
}

// An emitFunc takes a sample, with a value for each label of its metric.
type emitFunc func(value float64, labels ...string)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName("reconnect", "client", name), help, labels, nil)
}

// labelled makes a gauge whose samples are told apart by a label.
func labelled(name, help, label string, report func(reconnect.Status, emitFunc)) metric {
	return metric{describe(name, help, label), prometheus.GaugeValue, report}
}

func gauge(name, help string, value func(reconnect.Status) float64) metric {
	return metric{describe(name, help), prometheus.GaugeValue,
		func(st reconnect.Status, emit emitFunc) { emit(value(st)) }}
}

func counter(name, help string, value func(reconnect.Status) uint64) metric {
	return metric{describe(name+"_total", help), prometheus.CounterValue,
		func(st reconnect.Status, emit emitFunc) { emit(float64(value(st))) }}
}

// moment makes a gauge of a point in time, in seconds since 1970. There is no
// sample while there is no such point.
func moment(name, help string, value func(reconnect.Status) time.Time) metric {
	return metric{describe(name+"_timestamp_seconds", help), prometheus.GaugeValue,
		func(st reconnect.Status, emit emitFunc) {
			if t := value(st); !t.IsZero() {
				emit(float64(t.UnixMicro()) / 1e6)
			}
		}}
}
