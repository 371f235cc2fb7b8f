module darvaza.org/x/net/examples/bench/rivals/autopaho

go 1.25.0

require (
	darvaza.org/x/net/examples/bench/rivals/rig v0.0.0
	github.com/eclipse/paho.golang v0.23.0
)

require (
	github.com/gorilla/websocket v1.5.3 // indirect
	golang.org/x/net v0.43.0 // indirect
)

replace darvaza.org/x/net/examples/bench/rivals/rig => ../rig
