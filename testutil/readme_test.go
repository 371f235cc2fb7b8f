package testutil_test

import (
	"io"
	"net"
	"testing"

	"darvaza.org/x/net/testutil"
)

// TestClientSeesTheServerHangUp is the one in the README.
func TestClientSeesTheServerHangUp(t *testing.T) {
	testutil.CheckLeaks(t)
	server := testutil.NewEchoServer(t, "tcp")

	for range 2 {
		conn, err := net.Dial(server.Network(), server.Remote())
		if err != nil {
			t.Fatal(err)
		}
		if err := server.WaitOpen(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		server.HangUp()
		if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("read: %v", err)
		}
		_ = conn.Close()
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
	}
}
