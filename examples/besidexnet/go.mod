module darvaza.org/x/net/examples/besidexnet

go 1.25.0

require (
	darvaza.org/x/net v0.8.2
	darvaza.org/x/net/dialer v0.1.0
	darvaza.org/x/net/waiter v0.1.0
	go.uber.org/goleak v1.3.0
)

require (
	darvaza.org/core v0.21.2 // indirect
	golang.org/x/net v0.57.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
	golang.org/x/text v0.40.0 // indirect
)

replace (
	darvaza.org/x/net/dialer => ../../dialer
	darvaza.org/x/net/waiter => ../../waiter
)
