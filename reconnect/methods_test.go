package reconnect_test

import (
	"bytes"
	"context"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"darvaza.org/x/net/reconnect"
)

// A method is a call of one of the client's methods.
type method struct {
	name string
	call func(*reconnect.Client)
}

// harmlessMethods are those that neither drop the connection nor stop the client,
// in an order in which none blocks for long: what reads does so after a deadline
// in the past was set. Reads and writes are of n bytes.
func harmlessMethods(n int) []method {
	return []method{
		{"Connect", func(c *reconnect.Client) { _ = c.Connect() }},
		{"Config", func(c *reconnect.Client) { _ = c.Config() }},
		{"Context", func(c *reconnect.Client) { _ = c.Context() }},
		{"Err", func(c *reconnect.Client) { _ = c.Err() }},
		{"Done", func(c *reconnect.Client) { _ = c.Done() }},
		{"State", func(c *reconnect.Client) { _ = c.State() }},
		{"Status", func(c *reconnect.Client) { _ = c.Status() }},
		{"LocalAddr", func(c *reconnect.Client) { _ = c.LocalAddr() }},
		{"RemoteAddr", func(c *reconnect.Client) { _ = c.RemoteAddr() }},
		{"SetDeadline", func(c *reconnect.Client) { _ = c.SetDeadline(time.Second, 0) }},
		{"SetReadDeadline", func(c *reconnect.Client) { _ = c.SetReadDeadline(1) }},
		{"SetWriteDeadline", func(c *reconnect.Client) { _ = c.SetWriteDeadline(-1) }},
		{"Read", func(c *reconnect.Client) { _, _ = c.Read(make([]byte, n)) }},
		{"Write", func(c *reconnect.Client) { _, _ = c.Write(make([]byte, n)) }},
		{"ReadFrom", func(c *reconnect.Client) { _, _ = c.ReadFrom(bytes.NewReader(make([]byte, n))) }},
		{"WriteTo", func(c *reconnect.Client) { _, _ = c.WriteTo(io.Discard) }},
		{"ResetReadDeadline", func(c *reconnect.Client) { _ = c.ResetReadDeadline() }},
		{"ResetWriteDeadline", func(c *reconnect.Client) { _ = c.ResetWriteDeadline() }},
		{"ResetDeadline", func(c *reconnect.Client) { _ = c.ResetDeadline() }},
		{"Go", func(c *reconnect.Client) { c.Go(func(context.Context) error { return nil }) }},
		{"GoCatch", func(c *reconnect.Client) {
			c.GoCatch(func(context.Context) error { return io.EOF }, reconnect.NewCatchFunc(io.EOF))
		}},
		{"WithDebug", func(c *reconnect.Client) { _, _ = c.WithDebug(c.RemoteAddr()) }},
		{"WithInfo", func(c *reconnect.Client) { _, _ = c.WithInfo(c.RemoteAddr()) }},
		{"WithError", func(c *reconnect.Client) { _, _ = c.WithError(c.RemoteAddr(), io.EOF) }},
		{"Reload", func(c *reconnect.Client) { _ = c.Reload() }},
		{"WaitConnected", func(c *reconnect.Client) { _ = c.WaitConnected(over()) }},
		{"WaitStatus", func(c *reconnect.Client) { _, _ = c.WaitStatus(over(), 1<<60) }},
	}
}

// droppingMethods end the connection, and the client goes on.
func droppingMethods() []method {
	return []method{
		{"Close", func(c *reconnect.Client) { _ = c.Close() }},
		{"CloseWrite", func(c *reconnect.Client) { _ = c.CloseWrite() }},
		{"Reconnect", func(c *reconnect.Client) { _ = c.Reconnect() }},
	}
}

// stoppingMethods stop the client, and don't wait for its end.
func stoppingMethods() []method {
	return []method{
		{"Cancel", func(c *reconnect.Client) { c.Cancel(nil) }},
		{"Shutdown", func(c *reconnect.Client) { _ = c.Shutdown(over()) }},
	}
}

// waitMethod waits for the end.
var waitMethod = method{"Wait", func(c *reconnect.Client) { _ = c.Wait() }}

func callAll(c *reconnect.Client, methods []method) {
	for _, m := range methods {
		m.call(c)
	}
}

func TestListsOfMethodsLackNone(t *testing.T) {
	all := append(harmlessMethods(0), droppingMethods()...)
	all = append(all, stoppingMethods()...)
	all = append(all, waitMethod)
	var listed, has []string
	for _, m := range all {
		listed = append(listed, m.name)
	}
	client := reflect.TypeFor[*reconnect.Client]()
	for i := range client.NumMethod() {
		has = append(has, client.Method(i).Name)
	}
	assert.ElementsMatch(t, has, listed)
}
