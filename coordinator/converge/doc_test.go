// Package converge checks the built-in controllers together, in a world that is made for
// it: objects that are written with optimistic concurrency, workers that run what they
// are given, somebody who places, and a clock that only moves when it is told to. It
// holds tests alone; the transcripts in testdata read as stories.
package converge
