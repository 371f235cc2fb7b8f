package main

import (
	"errors"
	"io"
	"net"
	"strconv"
	"time"
)

// What SOCKS5 (RFC 1928) has numbers for.
const (
	version5 = 5

	methodNone    = 0x00
	methodRefused = 0xff

	commandConnect = 1

	addressIPv4 = 1
	addressName = 3
	addressIPv6 = 4

	replyGranted     = 0
	replyNotAllowed  = 2
	replyUnreachable = 4
	replyNoCommand   = 7
	replyNoAddress   = 8
)

// patience is how long the proxy waits for a client's request, and for a server.
const patience = 5 * time.Second

var errRefused = errors.New("refused")

// A proxyServer is as small as a SOCKS5 proxy can be: it asks for no password,
// knows one command, and connects to the places it has been told of, no others.
type proxyServer struct {
	places map[string]string // where to connect for a host:port
}

// serve does what one client asks for.
func (p *proxyServer) serve(conn net.Conn) {
	_ = conn.SetDeadline(time.Now().Add(patience))
	if err := greet(conn); err != nil {
		return
	}
	place, reply, err := readRequest(conn)
	if err != nil {
		if reply != replyGranted {
			_ = writeReply(conn, reply)
		}
		return
	}
	address, ok := p.places[place]
	if !ok {
		_ = writeReply(conn, replyNotAllowed)
		return
	}
	server, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		_ = writeReply(conn, replyUnreachable)
		return
	}
	defer func() { _ = server.Close() }()
	if err := writeReply(conn, replyGranted); err != nil {
		return
	}
	_ = conn.SetDeadline(time.Time{})
	relay(conn, server)
}

// greet agrees on a method of authentication: none.
func greet(conn net.Conn) error {
	head := make([]byte, 2)
	if _, err := io.ReadFull(conn, head); err != nil {
		return err
	}
	if head[0] != version5 {
		return errRefused
	}
	methods := make([]byte, head[1])
	if _, err := io.ReadFull(conn, methods); err != nil {
		return err
	}
	for _, method := range methods {
		if method == methodNone {
			_, err := conn.Write([]byte{version5, methodNone})
			return err
		}
	}
	_, _ = conn.Write([]byte{version5, methodRefused})
	return errRefused
}

// readRequest gives the host:port that the client wants to be connected to. With
// an error comes the reply, unless there is nobody left to get one.
func readRequest(conn net.Conn) (place string, reply byte, err error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(conn, head); err != nil {
		return "", replyGranted, err
	}
	switch {
	case head[0] != version5:
		return "", replyGranted, errRefused
	case head[1] != commandConnect:
		return "", replyNoCommand, errRefused
	}

	size := make([]byte, 1)
	switch head[3] {
	case addressIPv4:
		size[0] = net.IPv4len
	case addressIPv6:
		size[0] = net.IPv6len
	case addressName:
		if _, err := io.ReadFull(conn, size); err != nil {
			return "", replyGranted, err
		}
	default:
		return "", replyNoAddress, errRefused
	}
	rest := make([]byte, int(size[0])+2)
	if _, err := io.ReadFull(conn, rest); err != nil {
		return "", replyGranted, err
	}

	host, port := rest[:size[0]], rest[size[0]:]
	name := string(host)
	if head[3] != addressName {
		name = net.IP(host).String()
	}
	return net.JoinHostPort(name, strconv.Itoa(int(port[0])<<8|int(port[1]))), replyGranted, nil
}

// writeReply answers a request. The address in it is of no use to clients that
// connect, and left at zero.
func writeReply(conn net.Conn, reply byte) error {
	_, err := conn.Write([]byte{version5, reply, 0, addressIPv4, 0, 0, 0, 0, 0, 0})
	return err
}

// relay passes on bytes in both directions until either side ends.
func relay(client, server net.Conn) {
	done := make(chan struct{})
	go func() { // relay waits for it
		defer close(done)
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	_, _ = io.Copy(client, server)
	_ = client.Close()
	<-done
}
