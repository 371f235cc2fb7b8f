// Command layers checks that every module of the repository needs no more than
// its layer allows, so that a user of one module gets that module and little
// else.
//
// Usage:
//
//	layers [-root DIR]
//
// It looks at what the files of a module import, for whichever system, processor
// or tag they are; at what its packages, tests left out, need on each
// supported system; at what the tests of a leaf import of its siblings; and at
// the Go version that go.mod asks for. What it finds wrong goes to standard
// output, one line each, and the exit code is 1.
//
// It runs the go command in every module, with the workspace switched off. The
// table of what is allowed is in rules.go.
package main
