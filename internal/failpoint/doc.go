// Package failpoint lets a test end, stop or fail a real server at a named place.
//
// A build without the tag failpoints has none of it: Hit is empty and inlined, Fail is
// nil, and no name reaches the binary. In a build with the tag a point does nothing
// until it is armed, by the environment variable CANDOR_FAILPOINTS:
//
//	handover/sealed=crash            at each hit
//	handover/finish[tso]=crash@2     at the second, of the subject tso alone
//	tenure/renew[tso]=pause:5s@1, duty/run=panic, tenure/answered=error
//
// A value that begins with @ names a file that holds the rest and is read again at each
// hit, so that a running server can be armed; hits count from then on. A crash is a
// SIGKILL that the process sends itself. What is armed and not a point is refused with
// a panic.
//
// CANDOR_CLOCK_OFFSET, a duration or @ and a file that holds one, shifts the wall clock
// of such a build, and no other clock.
//
// Packages coordinator, server and server/replica hit points; the deterministic core
// has none. The package imports the standard library alone.
package failpoint
