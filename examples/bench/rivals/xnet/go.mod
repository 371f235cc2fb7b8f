module darvaza.org/x/net/examples/bench/rivals/xnet

go 1.25.0

require (
	darvaza.org/x/net v0.8.2
	darvaza.org/x/net/examples/bench/rivals/rig v0.0.0
)

require (
	darvaza.org/core v0.20.0 // indirect
	darvaza.org/slog v0.10.0 // indirect
	darvaza.org/slog/handlers/discard v0.8.0 // indirect
	darvaza.org/x/fs v0.7.0 // indirect
	darvaza.org/x/sync v0.5.1 // indirect
	github.com/amery/defaults v0.1.0 // indirect
	github.com/gobwas/glob v0.2.3 // indirect
	golang.org/x/net v0.57.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
	golang.org/x/text v0.40.0 // indirect
)

replace darvaza.org/x/net/examples/bench/rivals/rig => ../rig
