// Command rnc is a netcat that reconnects: it sends what it reads from the
// standard input to a remote, writes what comes back to the standard output, and
// connects again whenever the connection is lost.
//
//	rnc [options] host:port
//	rnc [options] host port
//	rnc [options] /path/to/socket
//
// rnc -h shows the options, and README.md says what happens to data around the
// loss of a connection.
//
// For readers of the code: main.go and run.go start and end it, options.go has
// what can be asked for, netcat.go is the session, input.go keeps what was read
// and not yet sent, wait.go decides whether there is to be another connection.
package main
