// Package dialer turns a remote, the text that names the other end of a
// connection, into a connection.
//
// [ParseRemote] tells what the text means: "example.com:8080" is TCP,
// "/run/app.sock" a Unix socket. [Config] holds the settings of a dial and
// [New] makes a [Dialer] of them: one that gives every address of a name its
// try, and notices a dead peer by keep-alive. [Config.Export] makes a
// [net.Dialer] of the same settings for code that asks for one. [WithTLS] runs
// TLS over any Dialer, and [Func] makes a Dialer of a function. [UserTimeout]
// is a ready-made Config.OnSocket against peers that vanish while data is on
// its way to them.
//
// Settings that are wrong, be it a remote or a server's name that is missing,
// are reported by errors that match [darvaza.org/core.ErrInvalid]; [ErrNameEmpty] and
// [ErrNameTooLong] tell two of them apart.
//
// The package opens connections and is done with them. It doesn't keep them,
// pool them, or open them again, and it doesn't listen.
package dialer
