module darvaza.org/x/net/examples

go 1.25.0

require (
	darvaza.org/slog v0.10.0
	darvaza.org/x/net/dialer v0.1.0
	darvaza.org/x/net/lifecycle v0.1.0
	darvaza.org/x/net/reconnect v0.1.0
	darvaza.org/x/net/testutil v0.1.0
	darvaza.org/x/net/waiter v0.1.0
	darvaza.org/x/net/worker v0.1.0
	github.com/stretchr/testify v1.12.1
	go.uber.org/goleak v1.3.0
)

replace (
	darvaza.org/x/net/dialer => ../dialer
	darvaza.org/x/net/lifecycle => ../lifecycle
	darvaza.org/x/net/reconnect => ../reconnect
	darvaza.org/x/net/testutil => ../testutil
	darvaza.org/x/net/waiter => ../waiter
	darvaza.org/x/net/worker => ../worker
)
