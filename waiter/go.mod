module darvaza.org/x/net/waiter

go 1.25.0
