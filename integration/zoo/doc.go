// Package zoo sees that every mistake of internal/zoo is found: by the explorer of
// models, the core simulator or a drill in virtual time, whichever is the cheapest, and
// by the check that is there for it. It has tests alone, behind the tag zoo; `make zoo`
// runs all of them and prints how soon each was, and docs/zoo.md says what they found.
package zoo
