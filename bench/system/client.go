package system

import (
	"context"
	"time"
)

// Client does single operations. An answer without error was acknowledged as
// durable on a majority (writes) or carried the object's whole spec (reads).
// A returned Reading is the position that the operation reached.
type Client interface {
	// Create writes an object that must not exist yet.
	Create(ctx context.Context, o Object) (Reading, error)
	// Update writes an object's spec whatever its version is.
	Update(ctx context.Context, o Object) (Reading, error)
	// Swap writes an object's spec if its version still is the one given, and
	// answers an error otherwise.
	Swap(ctx context.Context, o Object, version uint64) (Reading, error)
	// Read fetches one object.
	Read(ctx context.Context, o Object, how Consistency) (Reading, error)
}

// Bulk does what touches many objects.
type Bulk interface {
	// Load creates the first count objects of the corpus as fast as the
	// system's client can, and returns when all are acknowledged.
	Load(ctx context.Context, corpus Corpus, count int) error
	// List fetches every object of the corpus at one revision, streamed or in
	// pages as the system's client does it best, and answers how many came.
	List(ctx context.Context, corpus Corpus) (int, error)
	// Watch hands every version of one object, from now on, to deliver, in order
	// and once each, until ctx ends, and then answers nil. It calls ready once
	// the server has confirmed the watch: no version after that is missed.
	Watch(ctx context.Context, o Object, ready func(), deliver func(version uint64)) error
	// Snapshot takes one whole snapshot of the state on the connected member and
	// returns when it is durable, in a file under dir or in the member's own
	// directory.
	Snapshot(ctx context.Context, dir string) error
}

// Consistency is the promise of a read.
type Consistency int

const (
	// Strong reads see every write acknowledged before they were sent.
	Strong Consistency = iota
	// Local reads answer from what the asked member has applied.
	Local
	// Bounded reads answer from what the asked member has applied, within the
	// system's usual bound on how old that may be; as Local where there is none.
	Bounded
	// StrongHere reads promise what Strong ones do, of whichever member is asked.
	StrongHere
)

// Reading is the position of one answer.
type Reading struct {
	// Version is the revision that wrote the object.
	Version uint64
	// Revision is the newest revision that the answering member had applied.
	Revision uint64
	// Bound is what the answer claims of its own age: it holds everything that was
	// acknowledged longer ago. Nil where it claims nothing.
	Bound *time.Duration
}
