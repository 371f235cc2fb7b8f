package dialer_test

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"
	"darvaza.org/x/net/dialer"
)

// serveTLS runs a server that completes the handshake, tells what came of it
// to shaken (if any), and holds the connection.
func serveTLS(t testing.TB, ln net.Listener, cfg *tls.Config, shaken func(tls.ConnectionState, error)) {
	t.Helper()
	serve(t, ln, func(conn net.Conn) {
		secure := tls.Server(conn, cfg)
		err := secure.Handshake()
		if shaken != nil {
			shaken(secure.ConnectionState(), err)
		}
		hold(secure)
	})
}

// watched notes the connections that a dialer opened, and whether they were closed.
type watched struct {
	dialer.Dialer
	open atomic.Int32
}

func (w *watched) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := w.Dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w.open.Add(1)
	return &watchedConn{Conn: conn, owner: w}, nil
}

type watchedConn struct {
	net.Conn
	owner  *watched
	closed atomic.Bool
}

func (c *watchedConn) Close() error {
	if !c.closed.Swap(true) {
		c.owner.open.Add(-1)
	}
	return c.Conn.Close()
}

func plain() *watched { return &watched{Dialer: dialer.New(dialer.Config{})} }

func TestWithTLSTakesTheServerNameFromTheAddress(t *testing.T) {
	ca := newAuthority(t)

	for host, network := range map[string]string{"127.0.0.1": "tcp", "localhost": "tcp4"} {
		ln := listenTCP(t)
		names := make(chan string, 1)
		serveTLS(t, ln, &tls.Config{Certificates: []tls.Certificate{ca.issue(t, host, time.Hour)}},
			func(state tls.ConnectionState, err error) {
				assert.NoError(t, err)
				names <- state.ServerName
			})

		d := dialer.WithTLS(plain(), &tls.Config{RootCAs: ca.pool}, 0)
		conn := mustDial(t, d, network, net.JoinHostPort(host, portOf(t, ln.Addr().String())))
		secure, ok := conn.(*tls.Conn)
		require.True(t, ok)
		assert.True(t, secure.ConnectionState().HandshakeComplete)
		if name := <-names; net.ParseIP(host) == nil {
			assert.Equal(t, host, name, "the server is told")
		}
	}
}

func TestWithTLSStripsBracketsAndZone(t *testing.T) {
	ca := newAuthority(t)
	ln := listenTCP(t)
	serveTLS(t, ln, &tls.Config{Certificates: []tls.Certificate{ca.issue(t, "fe80::1", time.Hour)}}, nil)

	detour := dialer.Func(func(ctx context.Context, _, _ string) (net.Conn, error) {
		return plain().DialContext(ctx, "tcp", ln.Addr().String())
	})
	for _, address := range []string{"[fe80::1%eth0]:443", "[fe80::1]:443"} {
		mustDial(t, dialer.WithTLS(detour, &tls.Config{RootCAs: ca.pool}, 0), "tcp6", address)
	}
}

func TestWithTLSKeepsTheServerNameItWasGiven(t *testing.T) {
	ca := newAuthority(t)
	server := &tls.Config{Certificates: []tls.Certificate{ca.issue(t, "given.test", time.Hour)}}

	for _, ln := range []net.Listener{listenTCP(t), listenUnix(t)} {
		serveTLS(t, ln, server, nil)
		d := dialer.WithTLS(plain(), &tls.Config{RootCAs: ca.pool, ServerName: "given.test"}, 0)
		mustDial(t, d, ln.Addr().Network(), ln.Addr().String())
	}
}

func TestWithTLSWantsAServerNameForUnix(t *testing.T) {
	never := dialer.Func(func(context.Context, string, string) (net.Conn, error) {
		t.Error("dialled all the same")
		return nil, errOnSocket
	})
	for network, address := range map[string]string{"unix": "/run/a.sock", "tcp": "nonsense", "tcp4": ":443"} {
		_, err := dialer.WithTLS(never, nil, 0).DialContext(t.Context(), network, address)
		assert.ErrorIs(t, err, core.ErrInvalid)
		assert.ErrorContains(t, err, address)
		assert.ErrorContains(t, err, "ServerName")
	}

	ca := newAuthority(t)
	ln := listenUnix(t)
	serveTLS(t, ln, &tls.Config{Certificates: []tls.Certificate{ca.issue(t, "any.test", time.Hour)}}, nil)
	d := dialer.WithTLS(plain(), &tls.Config{InsecureSkipVerify: true}, 0)
	mustDial(t, d, "unix", ln.Addr().String())
}

func TestFailedHandshakeNamesTheAddressAndKeepsTheCause(t *testing.T) {
	ca, stranger := newAuthority(t), newAuthority(t)

	for name, tc := range map[string]struct {
		cert  tls.Certificate
		check func(error)
	}{
		"wrong name": {ca.issue(t, "other.test", time.Hour), func(err error) {
			assert.ErrorAs(t, err, new(x509.HostnameError))
		}},
		"expired": {ca.issue(t, "127.0.0.1", -time.Minute), func(err error) {
			var invalid x509.CertificateInvalidError
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, x509.Expired, invalid.Reason)
		}},
		"unknown authority": {stranger.issue(t, "127.0.0.1", time.Hour), func(err error) {
			assert.ErrorAs(t, err, new(x509.UnknownAuthorityError))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			ln := listenTCP(t)
			serveTLS(t, ln, &tls.Config{Certificates: []tls.Certificate{tc.cert}}, nil)

			raw := plain()
			conn, err := dialer.WithTLS(raw, &tls.Config{RootCAs: ca.pool}, 0).
				DialContext(t.Context(), "tcp", ln.Addr().String())
			assert.Nil(t, conn)
			require.Error(t, err)
			tc.check(err)
			assert.ErrorAs(t, err, new(*tls.CertificateVerificationError))
			assert.ErrorContains(t, err, "dialer: TLS handshake with "+ln.Addr().String()+": ")
			assert.Zero(t, raw.open.Load(), "the connection has leaked")
		})
	}
}

func TestWithTLSRefusesVersionsBefore12(t *testing.T) {
	ca := newAuthority(t)
	ln := listenTCP(t)
	serveTLS(t, ln, &tls.Config{
		Certificates: []tls.Certificate{ca.issue(t, "127.0.0.1", time.Hour)},
		MinVersion:   tls.VersionTLS10,
		MaxVersion:   tls.VersionTLS11,
	}, nil)

	cfg := &tls.Config{RootCAs: ca.pool, MinVersion: tls.VersionTLS10}
	_, err := dialer.WithTLS(plain(), cfg, 0).DialContext(t.Context(), "tcp", ln.Addr().String())
	assert.ErrorContains(t, err, "TLS handshake")
	assert.EqualValues(t, tls.VersionTLS10, cfg.MinVersion, "the caller's own is not touched")
	assert.Empty(t, cfg.ServerName)
}

func TestWithTLSRunsEncryptedClientHelloWithoutAMinVersion(t *testing.T) {
	const outer, inner = "public.test", "127.0.0.1"
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	config := echConfig(key.PublicKey(), outer)
	ca := newAuthority(t)
	ln := listenTCP(t)
	serveTLS(t, ln, &tls.Config{
		Certificates: []tls.Certificate{ca.issue(t, inner, time.Hour)},
		EncryptedClientHelloKeys: []tls.EncryptedClientHelloKey{
			{Config: config, PrivateKey: key.Bytes()},
		},
	}, nil)

	cfg := &tls.Config{
		RootCAs:                        ca.pool,
		EncryptedClientHelloConfigList: append([]byte{byte(len(config) >> 8), byte(len(config))}, config...),
	}
	conn, err := dialer.WithTLS(plain(), cfg, 0).DialContext(t.Context(), "tcp", ln.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	assert.True(t, conn.(*tls.Conn).ConnectionState().ECHAccepted)
}

// echConfig is an ECHConfig for X25519, HKDF-SHA256 and AES-128-GCM.
func echConfig(key *ecdh.PublicKey, public string) []byte {
	contents := []byte{0, 0, 0x20, 0, byte(len(key.Bytes()))}
	contents = append(contents, key.Bytes()...)
	contents = append(contents, 0, 4, 0, 1, 0, 1, 0, byte(len(public)))
	contents = append(contents, public...)
	contents = append(contents, 0, 0)
	return append([]byte{0xfe, 0x0d, byte(len(contents) >> 8), byte(len(contents))}, contents...)
}

func TestWithTLSCopiesItsConfig(t *testing.T) {
	ca := newAuthority(t)
	ln := listenTCP(t)
	serveTLS(t, ln, &tls.Config{Certificates: []tls.Certificate{ca.issue(t, "127.0.0.1", time.Hour)}}, nil)

	cfg := &tls.Config{RootCAs: ca.pool}
	d := dialer.WithTLS(plain(), cfg, 0)
	cfg.ServerName = "changed.test"
	mustDial(t, d, "tcp", ln.Addr().String())
}

func TestWithTLSPresentsTheClientCertificateOfTheDay(t *testing.T) {
	ca := newAuthority(t)
	ln := listenTCP(t)
	presented := make(chan string, 1)
	serveTLS(t, ln, &tls.Config{
		Certificates: []tls.Certificate{ca.issue(t, "127.0.0.1", time.Hour)},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    ca.pool,
	}, func(state tls.ConnectionState, err error) {
		if err != nil {
			presented <- err.Error()
			return
		}
		presented <- state.PeerCertificates[0].Subject.CommonName
	})

	fixed := ca.issue(t, "fixed.test", time.Hour)
	mustDial(t, dialer.WithTLS(plain(), &tls.Config{
		RootCAs: ca.pool, Certificates: []tls.Certificate{fixed},
	}, 0), "tcp", ln.Addr().String())
	assert.Equal(t, "fixed.test", <-presented)

	// A certificate that is replaced now and then, with the same dialer.
	var current atomic.Pointer[tls.Certificate]
	rotating := dialer.WithTLS(plain(), &tls.Config{
		RootCAs: ca.pool,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return current.Load(), nil
		},
	}, 0)
	for _, name := range []string{"monday.test", "tuesday.test"} {
		cert := ca.issue(t, name, time.Hour)
		current.Store(&cert)
		mustDial(t, rotating, "tcp", ln.Addr().String())
		assert.Equal(t, name, <-presented)
	}
}

func TestWithTLSBoundsASilentServer(t *testing.T) {
	for _, ln := range []net.Listener{listenTCP(t), listenUnix(t)} {
		serve(t, ln, func(conn net.Conn) {
			// Take the greeting, answer nothing, leave with the peer.
			for buf := make([]byte, 1024); ; {
				if _, err := conn.Read(buf); err != nil {
					return
				}
			}
		})

		raw := plain()
		d := dialer.WithTLS(raw, &tls.Config{ServerName: "silent.test"}, 500*time.Millisecond)
		_, err := d.DialContext(t.Context(), ln.Addr().Network(), ln.Addr().String())
		assertTimeout(t, err)
		assert.ErrorContains(t, err, "TLS handshake with "+ln.Addr().String())
		assert.Zero(t, raw.open.Load())
	}
}

func TestOneTimeoutCoversDialAndHandshake(t *testing.T) {
	for setting, bound := range map[time.Duration]time.Duration{
		0: 2 * time.Second, 5 * time.Second: 5 * time.Second, -1: time.Hour,
	} {
		synctest.Test(t, func(t *testing.T) {
			client, server := net.Pipe()
			defer server.Close()

			// Half of the time goes into the dial, the rest into a handshake
			// that the other end of the pipe does not take part in.
			slow := dialer.Func(func(context.Context, string, string) (net.Conn, error) {
				time.Sleep(bound / 2)
				return client, nil
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()

			start := time.Now()
			_, err := dialer.WithTLS(slow, nil, setting).DialContext(ctx, "tcp", "a:1")
			assertTimeout(t, err)
			assert.Equal(t, bound, time.Since(start))
		})
	}
}

func TestCancelledHandshakeMatchesTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer server.Close()
		ctx, cancel := context.WithCancel(t.Context())

		d := dialer.WithTLS(dialer.Func(func(context.Context, string, string) (net.Conn, error) {
			return client, nil
		}), nil, -1)
		go func() {
			synctest.Wait() // the handshake is under way
			cancel()
		}()
		_, err := d.DialContext(ctx, "tcp", "a:1")
		assert.ErrorIs(t, err, context.Canceled)
		_, err = client.Write([]byte{0})
		assert.Error(t, err, "the connection has leaked")
	})
}

func TestEndOfTheContextLeavesTheSecureConnectionAlone(t *testing.T) {
	ca := newAuthority(t)
	ln := listenTCP(t)
	serve(t, ln, func(conn net.Conn) {
		secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{ca.issue(t, "127.0.0.1", time.Hour)}})
		buf := make([]byte, 4)
		n, _ := secure.Read(buf)
		_, _ = secure.Write(buf[:n])
	})

	ctx, cancel := context.WithCancel(t.Context())
	conn, err := dialer.WithTLS(plain(), &tls.Config{RootCAs: ca.pool}, 0).DialContext(ctx, "tcp", ln.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	cancel()

	_, err = conn.Write([]byte("echo"))
	require.NoError(t, err)
	buf := make([]byte, 4)
	_, err = conn.Read(buf)
	require.NoError(t, err)
	assert.Equal(t, "echo", string(buf))
}

func TestWithTLSPassesOnWhatTheDialerAnswers(t *testing.T) {
	for _, want := range []error{nil, errors.New("not today")} {
		d := dialer.WithTLS(dialer.Func(func(context.Context, string, string) (net.Conn, error) {
			return nil, want
		}), nil, 0)
		conn, err := d.DialContext(t.Context(), "tcp", "a:1")
		assert.Nil(t, conn)
		assert.Equal(t, want, err)
	}
}

func TestWithTLSWithoutADialerIsAnError(t *testing.T) {
	_, err := dialer.WithTLS(nil, nil, 0).DialContext(t.Context(), "tcp", "a:1")
	assert.ErrorIs(t, err, core.ErrInvalid)

	var none *watched
	_, err = dialer.WithTLS(none, nil, 0).DialContext(t.Context(), "tcp", "a:1")
	assert.ErrorAs(t, err, new(*core.PanicError))
}

func TestPanicUnderTLSIsAnError(t *testing.T) {
	d := dialer.WithTLS(dialer.Func(func(context.Context, string, string) (net.Conn, error) {
		return nil, panicWith(errOnSocket)
	}), nil, 0)
	conn, err := d.DialContext(t.Context(), "tcp", "a:1")
	assert.Nil(t, conn)
	assert.ErrorIs(t, err, errOnSocket)
	var panicErr *core.PanicError
	require.ErrorAs(t, err, &panicErr)
	assert.Contains(t, stackOf(panicErr), "panicWith")
}

func TestCallbackThatUnwindsTheHandshakeLeaksNoConnection(t *testing.T) {
	ca := newAuthority(t)
	ln := listenTCP(t)
	serveTLS(t, ln, &tls.Config{Certificates: []tls.Certificate{ca.issue(t, "127.0.0.1", time.Hour)}}, nil)

	raw := plain()
	dial := func(verify func(tls.ConnectionState) error) (net.Conn, error) {
		cfg := &tls.Config{RootCAs: ca.pool, VerifyConnection: verify}
		return dialer.WithTLS(raw, cfg, 0).DialContext(t.Context(), "tcp", ln.Addr().String())
	}

	_, err := dial(func(tls.ConnectionState) error { return panicWith("no") })
	assert.ErrorAs(t, err, new(*core.PanicError))
	assert.Zero(t, raw.open.Load())

	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = dial(func(tls.ConnectionState) error {
			runtime.Goexit()
			return nil
		})
		t.Error("Goexit ends the goroutine that dialled")
	}()
	<-done
	assert.Zero(t, raw.open.Load())
}
