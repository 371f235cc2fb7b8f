module darvaza.org/x/net/testutil

go 1.25.0

require darvaza.org/core v0.21.2 // indirect

require darvaza.org/slog v0.10.0

require (
	golang.org/x/net v0.57.0 // indirect
	golang.org/x/text v0.40.0 // indirect
)
