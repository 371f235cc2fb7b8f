module darvaza.org/x/net/examples

go 1.25.0

require (
	darvaza.org/core v0.21.2
	darvaza.org/slog v0.10.0
	darvaza.org/slog/handlers/zap v0.10.0
	darvaza.org/slog/handlers/zerolog v0.8.0
	darvaza.org/x/net/dialer v0.1.0
	darvaza.org/x/net/lifecycle v0.1.0
	darvaza.org/x/net/reconnect v0.1.0
	darvaza.org/x/net/testutil v0.1.0
	darvaza.org/x/net/waiter v0.1.0
	darvaza.org/x/net/worker v0.1.0
	github.com/mattn/go-isatty v0.0.22
	github.com/prometheus/client_golang v1.23.2
	github.com/rs/zerolog v1.35.1
	github.com/stretchr/testify v1.12.1
	go.uber.org/goleak v1.3.0
	go.uber.org/zap v1.28.0
	golang.org/x/net v0.57.0
)

require (
	darvaza.org/slog/handlers/discard v0.8.0 // indirect
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/kylelemons/godebug v1.1.0 // indirect
	github.com/mattn/go-colorable v0.1.15 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/prometheus/client_model v0.6.2 // indirect
	github.com/prometheus/common v0.66.1 // indirect
	github.com/prometheus/procfs v0.16.1 // indirect
	go.uber.org/multierr v1.11.0 // indirect
	go.yaml.in/yaml/v2 v2.4.2 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sync v0.22.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
	golang.org/x/text v0.40.0 // indirect
	google.golang.org/protobuf v1.36.8 // indirect
)

replace (
	darvaza.org/x/net/dialer => ../dialer
	darvaza.org/x/net/lifecycle => ../lifecycle
	darvaza.org/x/net/reconnect => ../reconnect
	darvaza.org/x/net/testutil => ../testutil
	darvaza.org/x/net/waiter => ../waiter
	darvaza.org/x/net/worker => ../worker
)
