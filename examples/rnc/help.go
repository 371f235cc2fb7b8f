package main

// help is what -h shows.
const help = `rnc is a netcat that reconnects.

  rnc [options] host:port
  rnc [options] host port
  rnc [options] /path/to/socket      a Unix socket: also unix:path, ./app.sock,
                                     and @name for an abstract one (Linux)

It sends what it reads from the standard input, and writes what it receives to
the standard output. When the connection is lost, or can't be made, it tries
again. When the standard input ends it sends the rest, closes its half of the
connection, and ends with the connection. Ctrl-C ends it at once.

Input and end
  -q seconds           quit so long after all of the standard input was sent on
                       a connection, without waiting for the remote to hang up;
                       0: at once; also 1.5s; for a remote that can't be reached
                       see -once, -retries and -max-elapsed
  -d                   don't read the standard input: receive, and reconnect,
                       until stopped

Reconnecting
  -once, -no-reconnect one attempt, one connection, as a plain netcat
  -retries n           give up when n more attempts have failed (no limit); a
                       connection that lasted for 10s starts the count anew
  -max-elapsed time    give up after so long without such a connection
                       (no limit)
  -initial time        the first wait before another attempt (500ms); it doubles
  -max time            each time up to this (10s), with some jitter

Timeouts                                                0 turns one off
  -dial-timeout time   for look-up, connection and TLS handshake together (2s)
  -idle-timeout time   drop a connection with nothing sent or received for so
                       long (off); what counts is what the system takes, in
                       large steps, so leave time for a remote that reads slowly
  -keepalive time      probe a silent TCP connection after so long, and so
                       often; it is dead when the third probe is lost (5s)

TLS
  -tls                 run TLS over the connection
  -ca file             trust the certificates in this file, not the system's
  -cert file           present this certificate
  -key file            its private key; without it, both are in the -cert file
  -servername name     expect this name in the server's certificate; needed for
                       a Unix socket, otherwise that of the remote
  -insecure            accept any certificate

Messages, all on the standard error
  -v                   log connections and failures
  -vv                  log everything
  -status              show the state of the connection, also if that isn't a
                       terminal; -status=false never does
  -h                   show this

Exit codes
  0                    all input read by then was sent, and the last connection
                       ended in good order
  1                    anything else, wrong options included
  128+n                stopped by signal n, such as 130 for Ctrl-C

Data around a lost connection: see the README. In short, input that the system
hasn't taken for sending goes to the next connection, nothing is sent twice, and
what was under way when a connection broke may be lost.

Examples
  rnc -v localhost 8080
  tail -F app.log | rnc -keepalive 2s logs.example.com:5140
  printf 'GET / HTTP/1.0\r\n\r\n' | rnc -once -tls example.com:443
  rnc -d /run/events.sock > events
`
