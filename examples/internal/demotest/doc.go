// Package demotest has what the tests of the example programs share.
//
// [Main] makes a test binary able to be the program it tests, which [Program],
// [Output] and [Interrupt] then run in a process of its own. [Story], [Prints],
// [StopAtEveryLine] and [ReadmeShows] check a program against the story that it
// is to tell. A [Page] is what a program writes to within the test's process.
//
// It is for tests alone. Failures are those of the test that is passed in.
package demotest
