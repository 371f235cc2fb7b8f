module darvaza.org/x/net/worker

go 1.25.0

require darvaza.org/core v0.21.2

require golang.org/x/sync v0.22.0

require (
	golang.org/x/net v0.57.0 // indirect
	golang.org/x/text v0.40.0 // indirect
)
