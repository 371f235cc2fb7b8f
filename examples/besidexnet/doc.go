// Package besidexnet shows that darvaza.org/x/net and the leaf modules of this
// repository get along in one program: the listeners of its package bind, and
// its Dialer, which any of ours satisfies and the other way round.
//
// It is a module of its own because darvaza.org/x/net up to v0.8.2 has a package
// with the path of our module reconnect. A build that needs both doesn't know
// which one to take, and stops. The other modules aren't affected.
package besidexnet
