// Package examples is the home of programs that use the modules next door:
//
//   - quickstart is the place to begin: a client against a server that fails on
//     schedule. It is what make demo runs.
//   - readme has the snippets of the repository's README, as tests.
//   - besidexnet is a module of its own that uses darvaza.org/x/net together
//     with ours.
//
// There is nothing here to import.
package examples
