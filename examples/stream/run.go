package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"darvaza.org/x/net/testutil"
)

// A chat is the story of two members.
type chat struct {
	out        io.Writer
	alice, bob *member
}

// run starts the server and both clients, and lets them talk. It ends early,
// with an error that matches context.Canceled, when ctx does.
func run(ctx context.Context, out io.Writer) (err error) {
	server, err := testutil.StartServer("tcp", "", newRoom().serve)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()

	c := &chat{out: out}
	if c.alice, err = newMember(ctx, server.Remote(), "alice"); err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, c.alice.shutdown()) }()
	if c.bob, err = newMember(ctx, server.Remote(), "bob"); err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, c.bob.shutdown()) }()

	if err := c.alice.client.Connect(); err != nil {
		return err
	}
	if err := c.bob.client.Connect(); err != nil {
		return err
	}
	return c.play()
}

// play is what is said, and when bob is away.
func (c *chat) play() error {
	if err := c.talk(c.alice, "hello, is anybody there?", c.alice, c.bob); err != nil {
		return err
	}
	if err := c.talk(c.bob, "hello alice", c.alice, c.bob); err != nil {
		return err
	}

	if err := c.bob.leave(); err != nil {
		return err
	}
	c.show("bob loses his connection")
	if err := c.talk(c.alice, "you know what?", c.alice); err != nil {
		return err
	}
	if err := c.talk(c.alice, "it has begun to snow", c.alice); err != nil {
		return err
	}

	c.show("bob is back")
	if err := c.bob.comeBack(); err != nil {
		return err
	}
	for range 2 {
		if err := c.listen(c.bob); err != nil {
			return err
		}
	}
	return c.talk(c.bob, "I see", c.alice, c.bob)
}

// talk has one member say something, and waits until all those who are there
// have heard it.
func (c *chat) talk(who *member, text string, there ...*member) error {
	c.show("%s says %q", who.name, text)
	if err := who.say(text); err != nil {
		return err
	}
	for _, m := range there {
		if err := c.listen(m); err != nil {
			return err
		}
	}
	return nil
}

// listen shows the next thing that a member hears.
func (c *chat) listen(m *member) error {
	text, err := m.hear()
	if err == nil {
		c.show("  %-5s hears %q", m.name, text)
	}
	return err
}

func (c *chat) show(format string, args ...any) {
	_, _ = fmt.Fprintf(c.out, format+"\n", args...)
}
