// Command xnet measures the reconnect of darvaza.org/x/net v0.8.2.
package main

import (
	"context"

	"darvaza.org/x/net/examples/bench/rivals/rig"
	"darvaza.org/x/net/reconnect"
)

func main() {
	rig.Main(rig.Rival{
		Name:    "x/net/reconnect",
		Module:  "darvaza.org/x/net",
		Comment: "a waiter that returns at once",
		Start:   start,
	})
}

func start(addr string, up func()) (func() error, error) {
	var c *reconnect.Client
	c, err := reconnect.New(&reconnect.Config{
		Context:       context.Background(),
		Remote:        addr,
		ReadTimeout:   -1,
		WaitReconnect: reconnect.NewImmediateErrorWaiter(nil),
		OnSession: func(context.Context) error {
			up()
			var buf [64]byte
			for {
				if _, err := c.Read(buf[:]); err != nil {
					return err
				}
			}
		},
	})
	if err != nil {
		return nil, err
	}
	return func() error { return c.Shutdown(context.Background()) }, c.Connect()
}
