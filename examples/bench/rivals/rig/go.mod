module darvaza.org/x/net/examples/bench/rivals/rig

go 1.25.0
