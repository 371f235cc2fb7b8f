package reconnect_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/dialer"
	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// certificate makes one that signs itself, and a pool that trusts it.
func certificate(t testing.TB, name string, valid time.Duration) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-2 * time.Hour),
		NotAfter:     time.Now().Add(valid),
		DNSNames:     []string{name},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if name != "server.test" {
		template.IPAddresses = nil
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}

// tlsEcho serves TLS as cfg says when the connection comes.
func tlsEcho(t testing.TB, network string, cfg *atomic.Pointer[tls.Config]) *testutil.Server {
	return testutil.NewServer(t, network, func(conn net.Conn) {
		testutil.Echo(tls.Server(conn, cfg.Load()))
	})
}

// muteTLSPipe is a server that does the handshake and says nothing more, and reads
// nothing, until the test ends.
func muteTLSPipe(t *testing.T) (*testutil.PipeListener, *x509.CertPool) {
	cert, pool := certificate(t, "server.test", time.Hour)
	stop := make(chan struct{})
	p := newPipe(t, func(conn net.Conn) {
		_ = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}}).Handshake()
		<-stop
	})
	t.Cleanup(func() { close(stop) })
	return p, pool
}

func serverConfig(cert tls.Certificate) *atomic.Pointer[tls.Config] {
	p := new(atomic.Pointer[tls.Config])
	p.Store(&tls.Config{Certificates: []tls.Certificate{cert}})
	return p
}

func TestTLSRunsOverTCPAndUnixSockets(t *testing.T) {
	cert, pool := certificate(t, "server.test", time.Hour)
	onStreams(t, func(t *testing.T, network string) {
		s := tlsEcho(t, network, serverConfig(cert))
		cfg := &tls.Config{RootCAs: pool}
		if network == "unix" {
			cfg.ServerName = "server.test"
		}
		states := make(chan tls.ConnectionState, 10)
		c := newClient(t, &reconnect.Config{Remote: s.Remote(), TLSConfig: cfg,
			WaitReconnect: reconnect.NewImmediateErrorWaiter(nil),
			OnConnect: func(_ context.Context, conn net.Conn) error {
				states <- conn.(*tls.Conn).ConnectionState()
				return nil
			}}, patient)
		require.NoError(t, c.Connect())
		for range 3 {
			require.NoError(t, c.WaitConnected(guarded(t)))
			state := receive(t, states)
			assert.True(t, state.HandshakeComplete)
			assert.GreaterOrEqual(t, state.Version, uint16(tls.VersionTLS12))
			talk(t, c, 5)
			version := c.Status().Version
			require.NoError(t, c.Close())
			_, err := c.WaitStatus(guarded(t), version)
			require.NoError(t, err)
		}
		require.NoError(t, c.Shutdown(guarded(t)))
		require.NoError(t, s.WaitOpen(guarded(t), 0))
	})
}

func TestTLSOfABadServerStopsTheClientWithTheCertificatesError(t *testing.T) {
	good, pool := certificate(t, "server.test", time.Hour)
	wrong, wrongPool := certificate(t, "wrong.test", time.Hour)
	old, oldPool := certificate(t, "server.test", -time.Hour)
	for name, tc := range map[string]struct {
		cert  tls.Certificate
		pool  *x509.CertPool
		check func(*testing.T, error)
	}{
		"unknown authority": {good, wrongPool, func(t *testing.T, err error) {
			var target x509.UnknownAuthorityError
			require.ErrorAs(t, err, &target)
		}},
		"wrong name": {wrong, wrongPool, func(t *testing.T, err error) {
			var target x509.HostnameError
			require.ErrorAs(t, err, &target)
		}},
		"expired": {old, oldPool, func(t *testing.T, err error) {
			var target x509.CertificateInvalidError
			require.ErrorAs(t, err, &target)
			require.Equal(t, x509.Expired, target.Reason)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := tlsEcho(t, "tcp", serverConfig(tc.cert))
			c := newClient(t, &reconnect.Config{Remote: s.Remote(), TLSConfig: &tls.Config{RootCAs: tc.pool}})
			err := c.Connect()
			tc.check(t, err)
			require.ErrorContains(t, err, s.Remote())
			require.Equal(t, err, waitDone(t, c))
			var verification *tls.CertificateVerificationError
			require.ErrorAs(t, err, &verification)
			require.Zero(t, c.Status().Sessions)
			require.NoError(t, s.WaitOpen(guarded(t), 0))
		})
	}
	_ = pool
}

func TestTLSWithClientCertificates(t *testing.T) {
	cert, pool := certificate(t, "server.test", time.Hour)
	mine, mineToo := certificate(t, "client.test", time.Hour)
	server := serverConfig(cert)
	server.Store(&tls.Config{Certificates: []tls.Certificate{cert},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: mineToo})
	s := tlsEcho(t, "tcp", server)
	c := newClient(t, &reconnect.Config{Remote: s.Remote(),
		TLSConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{mine}}}, patient)
	require.NoError(t, c.Connect())
	talk(t, c, 3)
	require.NoError(t, c.Shutdown(guarded(t)))

	// TLS 1.3 tells of the missing certificate at the first read only.
	c = newClient(t, &reconnect.Config{Remote: s.Remote(), TLSConfig: &tls.Config{RootCAs: pool}}, patient)
	if err := c.Connect(); err == nil {
		_, err = readOne(c)
		require.Error(t, err)
	}
	require.ErrorContains(t, waitDone(t, c), "certificate", "an alert is final")
}

func TestTLSServerThatIsSilentIsBoundedByTheDialTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
		begin := time.Now()
		cfg := pipeConfig(p)
		cfg.DialTimeout = 3 * time.Second
		cfg.TLSConfig = &tls.Config{}
		cfg.WaitReconnect = untilDone
		c := newClient(t, cfg)
		require.NoError(t, c.Connect(), "worth another try")
		assert.Equal(t, 3*time.Second, time.Since(begin))
		assert.ErrorIs(t, c.Status().LastError, context.DeadlineExceeded)
		assert.Zero(t, p.Open())
	})
}

func TestCertificateRotatedBetweenSessionsIsCheckedAnew(t *testing.T) {
	first, pool := certificate(t, "server.test", time.Hour)
	second, _ := certificate(t, "server.test", time.Hour)
	third, _ := certificate(t, "server.test", time.Hour)
	pool.AddCert(second.Leaf)
	server := serverConfig(first)
	s := tlsEcho(t, "tcp", server)
	serials := make(chan *big.Int, 10)
	c := newClient(t, &reconnect.Config{Remote: s.Remote(), TLSConfig: &tls.Config{RootCAs: pool},
		WaitReconnect: reconnect.NewImmediateErrorWaiter(nil),
		OnConnect: func(_ context.Context, conn net.Conn) error {
			serials <- conn.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber
			return nil
		}})
	require.NoError(t, c.Connect())
	require.Equal(t, first.Leaf.SerialNumber, receive(t, serials))
	server.Store(&tls.Config{Certificates: []tls.Certificate{second}})
	require.NoError(t, c.Reconnect())
	require.Equal(t, second.Leaf.SerialNumber, receive(t, serials))
	server.Store(&tls.Config{Certificates: []tls.Certificate{third}})
	require.NoError(t, c.Reconnect())
	var unknown x509.UnknownAuthorityError
	require.ErrorAs(t, waitDone(t, c), &unknown)
}

func TestTLSReadsAreBoundedAndTheConnectionSurvives(t *testing.T) {
	cert, pool := certificate(t, "server.test", time.Hour)
	s := tlsEcho(t, "tcp", serverConfig(cert))
	c := newClient(t, &reconnect.Config{Remote: s.Remote(), TLSConfig: &tls.Config{RootCAs: pool},
		ReadTimeout: 30 * time.Millisecond}, patient)
	require.NoError(t, c.Connect())
	for range 5 {
		begin := time.Now()
		_, err := readOne(c)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.GreaterOrEqual(t, time.Since(begin), 30*time.Millisecond)
		require.NoError(t, c.SetReadDeadline(-1))
		talk(t, c, 3)
		require.NoError(t, c.ResetReadDeadline())
	}
	require.EqualValues(t, 1, c.Status().Sessions)
}

func TestTLSInMemoryOverTheConfiguredDialer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cert, pool := certificate(t, "server.test", time.Hour)
		p := newPipe(t, func(conn net.Conn) {
			testutil.Echo(tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}}))
		})
		c := connectPipe(t, p, func(cfg *reconnect.Config) { cfg.TLSConfig = &tls.Config{RootCAs: pool} })
		talk(t, c, 3)
		require.Equal(t, pipeRemote, c.RemoteAddr().String(), "the name comes from the remote")
		require.NoError(t, c.Shutdown(context.Background()))
	})
}

func TestTLSWriteThatTimedOutHasBrokenTheConnectionWhichIsNoticed(t *testing.T) {
	for name, secure := range map[string]func(*reconnect.Config, *tls.Config){
		"TLSConfig": func(cfg *reconnect.Config, config *tls.Config) { cfg.TLSConfig = config },
		"in a wrapper": func(cfg *reconnect.Config, config *tls.Config) {
			cfg.Dialer = wrapped(dialer.WithTLS(cfg.Dialer, config, 0), func(conn net.Conn) net.Conn { return struct{ net.Conn }{conn} })
		},
	} {
		bubble(t, name, func(t *testing.T) {
			p, pool := muteTLSPipe(t)
			c := connectPipe(t, p, func(cfg *reconnect.Config) { secure(cfg, &tls.Config{RootCAs: pool}) })
			_, err := c.Write([]byte("nobody reads it"))
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			assert.EqualValues(t, 1, c.Status().Sessions)
			_, err = c.Write([]byte("and a record has been cut in two"))
			require.Error(t, err)
			time.Sleep(5 * bound) // TLS tries to say goodbye
			assert.EqualValues(t, 2, c.Status().Sessions)
			require.NoError(t, c.Shutdown(context.Background()))
		})
	}
}

// A deadline that comes early in the middle of a write, and is only then moved,
// does no harm on a pipe, but over TLS it is the end of the connection.
func TestTLSWriteThatBlocksForLessThanItsBoundIsNotCutByAnEarlierDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cert, pool := certificate(t, "server.test", time.Hour)
		p := newPipe(t, func(conn net.Conn) {
			server := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}})
			_ = server.Handshake()
			for i := 0; ; i++ {
				time.Sleep(time.Duration(i%16) * bound / 16)
				if _, err := io.ReadFull(server, make([]byte, 100)); err != nil {
					return
				}
			}
		})
		c := connectPipe(t, p, func(cfg *reconnect.Config) { cfg.TLSConfig = &tls.Config{RootCAs: pool} })
		for range 100 {
			_, err := c.Write(make([]byte, 100))
			require.NoError(t, err)
		}
		require.EqualValues(t, 1, c.Status().Sessions)
	})
}

// A Read over TLS writes when the peer asks for new keys.
func TestTLSReadThatHasToWriteFindsNoDeadlineThatAWriteHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cert, pool := certificate(t, "server.test", time.Hour)
		p := newPipe(t, func(conn net.Conn) {
			testutil.Echo(tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}}))
		})
		c := connectPipe(t, p, func(cfg *reconnect.Config) { cfg.TLSConfig = &tls.Config{RootCAs: pool} })
		conn := fakeConn(t, p)
		armed := conn.WriteDeadlines()
		talk(t, c, 2)
		require.Greater(t, conn.WriteDeadlines(), armed, "a write is bounded")
		require.Zero(t, conn.WriteDeadline())
		require.NoError(t, c.SetDeadline(bound, bound))
		require.NotZero(t, conn.WriteDeadline())
		talk(t, c, 1)
		require.NotZero(t, conn.WriteDeadline(), "the user's stays")
		require.NoError(t, c.ResetDeadline())
		require.Zero(t, conn.WriteDeadline())
	})
}
