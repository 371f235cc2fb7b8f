// Package clientmetrics shows the state of a reconnecting client to Prometheus.
//
// [New] makes a collector of anything that has a Status, as a
// [reconnect.Client] has; register it, and each scrape takes one snapshot. The
// client isn't slowed down between scrapes, and no goroutine is needed.
//
// The names of the metrics begin with "reconnect_client_". A program of several
// clients tells them apart by a label:
//
//	orders := prometheus.WrapRegistererWith(prometheus.Labels{"client": "orders"}, registry)
//	orders.MustRegister(clientmetrics.New(client))
//
// Neither the text of an error nor the reason of a stop is a metric: they have no
// bounds, and belong into a log.
package clientmetrics
