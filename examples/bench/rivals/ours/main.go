// Command ours measures the reconnect of this repository beside its rivals.
package main

import (
	"context"

	"darvaza.org/x/net/examples/bench/rivals/rig"
	"darvaza.org/x/net/reconnect"
)

func main() {
	rig.Main(rig.Rival{
		Name:    "reconnect",
		Module:  "darvaza.org/x/net/reconnect",
		Comment: "a waiter that returns at once",
		Start:   start,
	})
}

func start(addr string, up func()) (func() error, error) {
	var c *reconnect.Client
	c, err := reconnect.New(&reconnect.Config{
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
