module darvaza.org/x/net/examples/bench/rivals/ours

go 1.25.0

require (
	darvaza.org/x/net/examples/bench/rivals/rig v0.0.0
	darvaza.org/x/net/reconnect v0.1.0
)

require (
	darvaza.org/core v0.21.2 // indirect
	darvaza.org/slog v0.10.0 // indirect
	darvaza.org/slog/handlers/discard v0.8.0 // indirect
	darvaza.org/x/net/dialer v0.1.0 // indirect
	darvaza.org/x/net/lifecycle v0.1.0 // indirect
	darvaza.org/x/net/waiter v0.1.0 // indirect
	darvaza.org/x/net/worker v0.1.0 // indirect
	golang.org/x/net v0.57.0 // indirect
	golang.org/x/sync v0.22.0 // indirect
	golang.org/x/text v0.40.0 // indirect
)

replace (
	darvaza.org/x/net/dialer => ../../../../dialer
	darvaza.org/x/net/examples/bench/rivals/rig => ../rig
	darvaza.org/x/net/lifecycle => ../../../../lifecycle
	darvaza.org/x/net/reconnect => ../../../../reconnect
	darvaza.org/x/net/testutil => ../../../../testutil
	darvaza.org/x/net/waiter => ../../../../waiter
	darvaza.org/x/net/worker => ../../../../worker
)
