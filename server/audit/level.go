package audit

import (
	candor "github.com/candor-plane/candor"
)

// Level is how much is recorded; each includes the one before.
type Level string

// The levels.
const (
	// LevelNone records nothing and keeps no file.
	LevelNone Level = "none"
	// LevelDenials records what was denied, and failed handshakes: those of the API and
	// of Raft, and of the debug listener those whose certificate proves nothing.
	LevelDenials Level = "denials"
	// LevelWrites adds writes and administration, whatever became of them.
	LevelWrites Level = "writes"
	// LevelAll adds reads, starts and ends of watches, and every handshake.
	LevelAll Level = "all"
)

// ParseLevel reads a level; the error has reason INVALID.
func ParseLevel(text string) (Level, error) {
	switch l := Level(text); l {
	case LevelNone, LevelDenials, LevelWrites, LevelAll:
		return l, nil
	default:
		return "", candor.Errorf(candor.ReasonInvalid, "audit level %q: want none, denials, writes or all", text)
	}
}

// Class is what kind of thing a record is about.
type Class uint8

// The classes.
const (
	// ClassRead is gets, lists, and the starts and ends of watches.
	ClassRead Class = iota + 1
	// ClassWrite is whatever changes something: objects, and all administration.
	ClassWrite
	// ClassHandshake is what happens before there is a request.
	ClassHandshake
)

// Wants says whether a record of that class and verdict belongs into a log of
// this level. It costs nothing: ask before any other work is done.
func (l Level) Wants(c Class, v Verdict) bool {
	switch l {
	case LevelAll:
		return true
	case LevelWrites:
		return c == ClassWrite || refused(c, v)
	case LevelDenials:
		return refused(c, v)
	default:
		return false
	}
}

// refused: a request that failed for another reason than its right, as for want
// of a leader, is no denial; a handshake has no other reason to fail.
func refused(c Class, v Verdict) bool {
	return v == Denied || c == ClassHandshake && v != Allowed
}
