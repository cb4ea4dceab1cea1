package sim

import (
	"fmt"

	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
)

// Options of a run; the zero value runs and says nothing.
type Options struct {
	// Observe is told of every turn that the root accepts or refuses, and of every
	// configuration entry, once, in order.
	// Each entry then carries one command, so that a view stands before and after
	// every turn; the run is therefore another one than without.
	Observe func(*Turn)
	// Log is told what happens, a line each.
	Log func(line string)

	mistake mistake
}

// Turn is one turn as the first replica that applied it has it. Nothing of it may be
// kept but the views, nor changed.
type Turn struct {
	Before, After *fsm.View
	// Index is the log's.
	Index uint64
	// Command and Result are nil for a configuration entry.
	Command *command.Command
	Result  *fsm.Result
}

// Failure is the first check that a run did not pass.
type Failure struct {
	// Check names it, Detail says what was seen.
	Check  string `json:"check"`
	Detail string `json:"detail"`
	// Choice is the number of the last choice before it, Turns how many turns the root
	// had made, At the virtual time in nanoseconds.
	Choice int   `json:"choice"`
	Turns  int   `json:"turns"`
	At     int64 `json:"at"`
}

// String is the failure for people.
func (f *Failure) String() string {
	return fmt.Sprintf("%s: %s (after choice %d and %d turns)", f.Check, f.Detail, f.Choice, f.Turns)
}

// Result is what a run came to.
type Result struct {
	Seed    uint64 `json:"seed,string"`
	Choices int    `json:"choices"`
	// Entries and Turns are the root's, Applied counts the turns of all replicas and
	// replays, Events everything that happened.
	Entries int `json:"entries"`
	Turns   int `json:"turns"`
	Applied int `json:"applied"`
	Events  int `json:"events"`
	// Faults counts those that had an effect.
	Faults map[Do]int `json:"faults"`
	// Checked counts what the checks had to look at, by their names.
	Checked map[string]int `json:"checked"`
	// Trace is the digest of every event and of the state after every entry.
	Trace   uint64   `json:"trace,string"`
	Failure *Failure `json:"failure,omitempty"`
}

// Run runs the schedule of a seed.
func Run(seed uint64, steps int, o Options) Result {
	s := New(seed, steps)
	return s.Run(o)
}

// Run runs the schedule. It panics on one that Check refuses.
func (s *Schedule) Run(o Options) Result {
	if err := s.Check(); err != nil {
		panic(err)
	}
	w := newWorld(s, &o)
	w.run()
	return w.result
}
