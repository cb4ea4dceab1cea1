// Package evidence is everything that was recorded of one run, in one file, and the
// nine checks that hold it against the promises of docs/protocol.md.
//
// It guarantees that all records of a run have one clock and one order, that a file
// reads back as what was written and in no other way, and that Check says PASS of a
// promise only where something was there to be checked: a check that was demanded and
// found nothing is INCONCLUSIVE. Each violation names the records that cannot all be.
//
// It refuses files that contradict themselves, naming the line, and talks to no
// cluster: a Recorder is told what happened. Drills and tests record with it, and the
// command line checks files (candor verify history). A Recorder may be used
// concurrently, Evidence may be once nobody changes it. The package starts no
// goroutines. DESIGN.md has the format of the file and the argument of each check.
package evidence
