module darvaza.org/x/net/reconnect

go 1.25.0

require (
	darvaza.org/core v0.21.2
	darvaza.org/slog v0.10.0
	darvaza.org/slog/handlers/discard v0.8.0
	darvaza.org/x/net/dialer v0.1.0
	darvaza.org/x/net/lifecycle v0.1.0
	darvaza.org/x/net/testutil v0.1.0
	darvaza.org/x/net/waiter v0.1.0
	darvaza.org/x/net/worker v0.1.0
	github.com/stretchr/testify v1.12.1
	go.uber.org/goleak v1.3.0
)

require (
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/net v0.57.0 // indirect
	golang.org/x/sync v0.22.0 // indirect
	golang.org/x/text v0.40.0 // indirect
)

replace (
	darvaza.org/x/net/dialer => ../dialer
	darvaza.org/x/net/lifecycle => ../lifecycle
	darvaza.org/x/net/testutil => ../testutil
	darvaza.org/x/net/waiter => ../waiter
	darvaza.org/x/net/worker => ../worker
)
