// Package readme holds the code of the repository's README as tests, so that
// all of it compiles and does what the page says. A test sees to it that no
// snippet of that page is missing here, nor one of a module's README among the
// tests of that module.
package readme
