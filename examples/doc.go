// Package examples is the home of programs that use the modules next door.
//
// The one to begin with is quickstart: a client against a server that fails on
// schedule. Then, by what they are about:
//
//   - sessions: supervised has several workers, stream exchanges messages;
//   - connections: unixsocket, tls, failover and socks5;
//   - running it: health and logging;
//   - rnc, a netcat that reconnects, and bench, which measures what a client
//     costs;
//   - readme, with the snippets of the repository's README as tests, and
//     besidexnet, a module of its own that uses darvaza.org/x/net as well.
//
// There is nothing here to import.
package examples
