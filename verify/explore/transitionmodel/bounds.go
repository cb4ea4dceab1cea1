package transitionmodel

import (
	"fmt"
	"strings"

	"github.com/candor-plane/candor/coordinator/topology"
	"github.com/candor-plane/candor/fsm/transition"
)

// Bounds are what a model leaves out: everything within is visited.
type Bounds struct {
	// Voters are the first members; the first of them leads. Those in Silent do not
	// answer at first; those in Fail may fall silent. All come back.
	Voters, Silent, Fail []string
	// Requests are what operators ask for, each once and in any order.
	Requests []Request
	// Eras is how many new ones faults may bring: by a crash, by a takeover from an
	// executor that goes on, and where Elects is set by another leader.
	Eras   int
	Elects bool
	// Supersedes lets a holder give a transition up for another that pends.
	Supersedes bool
	// InFlight is how many commands are on their way at once.
	InFlight int
}

// Request is one that an operator makes.
type Request struct {
	Change topology.Change
	Force  bool
	// Cancels gives the request before up, by number from 1, instead: of what pends
	// when it is asked, by its name, or, where Assessed is set, as whatever pends with
	// its intent, as assessed at a revision.
	Cancels  int
	Assessed bool
}

func (r *Request) String() string {
	switch {
	case r.Cancels != 0 && r.Assessed:
		return fmt.Sprintf("assess and cancel request %d", r.Cancels)
	case r.Cancels != 0:
		return fmt.Sprintf("cancel request %d", r.Cancels)
	case r.Change.With != "":
		return fmt.Sprintf("%s of %s by %s", r.Change.Kind, r.Change.Server, r.Change.With)
	default:
		return fmt.Sprintf("%s of %s", r.Change.Kind, r.Change.Server)
	}
}

// String is the bounds for people.
func (b *Bounds) String() string {
	var with []string
	for i := range b.Requests {
		with = append(with, b.Requests[i].String())
	}
	s := fmt.Sprintf("voters %s, requests: %s; 2 executors, %d new eras by faults, %d commands in flight, lost, repeated and late commands, lost answers",
		strings.Join(b.Voters, " "), strings.Join(with, ", "), b.Eras, b.InFlight)
	if b.Eras > 0 {
		s += ", crashes, takeovers"
	}
	if b.Elects {
		s += ", elections"
	}
	if len(b.Silent) > 0 {
		s += ", at first silent " + strings.Join(b.Silent, " ")
	}
	if len(b.Fail) > 0 {
		s += ", silence of " + strings.Join(b.Fail, " ")
	}
	if b.Supersedes {
		s += ", superseding"
	}
	return s
}

// Rules are what decides. Production's are those of Real; a test that takes one away
// must see the model fail.
type Rules struct {
	// Publish is the turn's rule for an event.
	Publish func(f transition.Facts, e *transition.Event, revision uint64) (transition.Entry, transition.Verdict)
	// End writes how a transition ended into its status.
	End func(s transition.Status, v transition.Verdict, e *transition.Event, revision uint64, now int64, report transition.Journal) transition.Status
	// ID names the transition of a planning turn.
	ID func(kind transition.Kind, target string, revision uint64) string
	// Changes says whether a change of members that expects a configuration is made on
	// the present one.
	Changes func(expected, present uint64) bool
	// Fenced says whether the root refuses a command of an era in another.
	Fenced func(era, present uint64) bool
	// Sees is what an executor is shown of what pends.
	Sees func(pending []transition.Transition) []transition.Transition
	// Late is a promise that production does not make: that a change which was given up
	// is not made afterwards.
	Late bool
	// Guarantees are checked over every change of a transition.
	Guarantees []transition.Guarantee
}

// Real are the rules of production.
func Real() Rules {
	return Rules{
		Publish:    transition.Publish,
		End:        transition.Status.End,
		ID:         transition.ID,
		Changes:    func(expected, present uint64) bool { return expected == 0 || expected == present },
		Fenced:     func(era, present uint64) bool { return era != present },
		Sees:       func(pending []transition.Transition) []transition.Transition { return pending },
		Guarantees: transition.Guarantees(),
	}
}
