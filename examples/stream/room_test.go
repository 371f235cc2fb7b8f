package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/testutil"
)

func TestEveryMemberHearsTheSameInTheSameOrder(t *testing.T) {
	const members, each = 4, 50
	server := testutil.NewServer(t, "tcp", newRoom().serve)

	heard := make([][]string, members)
	var wg sync.WaitGroup
	for i := range members {
		conn, err := net.Dial("tcp", server.Remote())
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		wg.Go(func() {
			var all strings.Builder
			all.WriteString(formatJoin(fmt.Sprint("m", i), 0))
			for n := range each {
				_, _ = fmt.Fprintln(&all, n)
			}
			_, err := io.WriteString(conn, all.String())
			assert.NoError(t, err)
			for lines := bufio.NewScanner(conn); len(heard[i]) < members*each && lines.Scan(); {
				heard[i] = append(heard[i], lines.Text())
			}
		})
	}
	wg.Wait()
	assert.Len(t, heard[0], members*each)
	for _, other := range heard[1:] {
		assert.Equal(t, heard[0], other)
	}
}

func TestALineThatIsCutOffIsNotSaid(t *testing.T) {
	server := testutil.NewServer(t, "tcp", newRoom().serve)
	alice, err := net.Dial("tcp", server.Remote())
	require.NoError(t, err)
	defer func() { _ = alice.Close() }()
	_, err = io.WriteString(alice, formatJoin("alice", 0))
	require.NoError(t, err)
	bob, err := net.Dial("tcp", server.Remote())
	require.NoError(t, err)
	_, err = io.WriteString(bob, formatJoin("bob", 0)+"I pay\nI would never pay you 1000")
	require.NoError(t, err)
	require.NoError(t, bob.Close())

	heard := bufio.NewReader(alice)
	line, err := heard.ReadString('\n')
	require.NoError(t, err)
	assert.Contains(t, line, "I pay")
	require.NoError(t, server.WaitOpen(t.Context(), 1))
	_, err = io.WriteString(alice, "what?\n")
	require.NoError(t, err)
	line, err = heard.ReadString('\n')
	require.NoError(t, err)
	assert.Contains(t, line, "what?")
}

func TestALineThatIsTooLongEndsTheConnection(t *testing.T) {
	server := testutil.NewServer(t, "tcp", newRoom().serve)
	conn, err := net.Dial("tcp", server.Remote())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, formatJoin("mallory", 0)+strings.Repeat("x", maxLine+1)+"\n")
	require.NoError(t, err)
	line, err := bufio.NewReader(conn).ReadString('\n')
	assert.Error(t, err)
	assert.Empty(t, line)
}

func TestAJoinIsUnderstoodAsItIsWritten(t *testing.T) {
	name, seen, ok := parseJoin(strings.TrimSuffix(formatJoin("alice", 7), "\n"))
	assert.True(t, ok)
	assert.Equal(t, "alice", name)
	assert.Equal(t, 7, seen)

	for _, line := range []string{
		"", "join", "join alice", "join alice x", "join alice -1", "join alice 1 2", "join  alice 1", "join a:b 1",
		"join alice 99999999999999999999", "leave alice 1",
	} {
		_, _, ok := parseJoin(line)
		assert.False(t, ok, "%q", line)
	}
}

func TestWhoHasHeardMoreThanWasSaidHearsNothingOldButAllThatIsNew(t *testing.T) {
	r := newRoom()
	r.say("a")
	server := testutil.NewServer(t, "tcp", r.serve)
	m, err := newMember(t.Context(), server.Remote(), "bob")
	require.NoError(t, err)
	m.seen = 2 // in a room that is gone
	require.NoError(t, m.client.Connect())
	require.NoError(t, m.say("b"))
	heard, err := m.hear()
	require.NoError(t, err)
	assert.Equal(t, "bob: b", heard)
	require.NoError(t, m.client.Shutdown(t.Context()))
}

func TestTheLongestLineIsHeardByAll(t *testing.T) {
	server := testutil.NewServer(t, "tcp", newRoom().serve)
	name, text := strings.Repeat("n", maxLine-len("join  0")), strings.Repeat("x", maxLine)
	for _, who := range []string{name, "bob", "carol"} {
		m, err := newMember(t.Context(), server.Remote(), who)
		require.NoError(t, err)
		require.NoError(t, m.client.Connect())
		if who == name {
			require.NoError(t, m.say(text))
		}
		heard, err := m.hear()
		require.NoError(t, err, who)
		assert.Equal(t, name+": "+text, heard)
		require.NoError(t, m.client.Shutdown(t.Context()))
	}
}
