package tenuremodel

import (
	"fmt"
	"slices"
	"time"

	"github.com/candor-plane/candor/coordinator/allocator"
	"github.com/candor-plane/candor/fsm/tenure"
)

const (
	maxHolders = 3
	// tick is the step of both clocks.
	tick = int64(time.Second)
)

var names = [maxHolders]string{"server/a", "server/b", "server/c"}

// World is everything at one moment. It is a value; what it refers to is never
// changed.
type World struct {
	Lineage *tenure.Lineage
	// Clock is cluster time and Real the holders' own, in ticks.
	Clock, Real int64
	Term        uint64
	Leader      int

	Processes [maxHolders]Process
	Wire      []Message
	Answers   []Answer
	// Drawn counts candidacies.
	Drawn uint64

	// What was seen from outside: the values handed out, one bit each, and the
	// highest timestamp; the newest era that the client took an answer of; and the
	// newest that ended.
	Used    uint64
	Highest uint64
	Seen    uint64
	Ended   uint64
}

// Process is what one holder keeps in memory. A crash leaves nothing of it; one that
// is down, or stopped, is one that takes no step.
type Process struct {
	// Era is the one it thinks that it holds; 0 for none. Window is of its numbers.
	Era    uint64
	Window allocator.Window
	// RenewSent is when its newest renewal, by what it knows, was sent.
	RenewSent int64
	// Leaving is the seal or release that it has sent or is about to send again.
	Leaving tenure.Event
	// Campaign is the one that it waits for, to follow era Expect, first sent at
	// AskedAt.
	Campaign  tenure.Event
	Expect    uint64
	Candidacy string
	AskedAt   int64
}

// Message is a command on its way to the root: an event, or a write under an era.
type Message struct {
	From  int
	Event tenure.Event
	// Write is the era of a write; Event is nil.
	Write uint64
	// SentAt is on the sender's clock.
	SentAt int64
	// Orphan: its sender has crashed since, so nobody waits for the answer.
	Orphan bool
}

// Answer is a value on its way to the client.
type Answer struct {
	Era, Value uint64
}

func (w *World) now() tenure.Now {
	return tenure.Now{ClusterTime: w.Clock * tick, Term: w.Term, Leader: names[w.Leader]}
}

// sent is the world with one more message; a message that is on its way already is
// not sent twice at once.
func (w World) sent(m Message) World {
	w.Wire = append(slices.Clip(w.Wire), m)
	return w
}

func (w World) without(i int) World {
	w.Wire = slices.Delete(slices.Clone(w.Wire), i, i+1)
	return w
}

func (w *World) underway(from int, e tenure.Event) bool {
	return slices.ContainsFunc(w.Wire, func(m Message) bool { return m.From == from && m.Event == e && m.Write == 0 && !m.Orphan })
}

func (w *World) writing(from int, era uint64) bool {
	return slices.ContainsFunc(w.Wire, func(m Message) bool { return m.From == from && m.Write == era && !m.Orphan })
}

// vacant says that no process acts under the duty.
func (w *World) vacant() bool {
	c := &w.Lineage.Current
	return c.State != tenure.StateActive || !slices.ContainsFunc(w.Processes[:], func(p Process) bool { return p.Era == c.Number })
}

// Abandoned says that a campaign is on its way whose candidate waits no more, and
// which may win: it would begin an era that nobody acts in.
func (w *World) Abandoned() bool {
	return slices.ContainsFunc(w.Wire, func(m Message) bool {
		var expect uint64
		switch e := m.Event.(type) {
		case tenure.Campaign:
			expect = e.Expect
		case tenure.Reattach:
			expect = e.Era
		default:
			return false
		}
		return expect == w.Lineage.Current.Number && w.Processes[m.From].Campaign != m.Event
	})
}

func (m Message) String() string {
	what := fmt.Sprintf("write of era %d", m.Write)
	switch e := m.Event.(type) {
	case nil:
	case tenure.Campaign:
		what = fmt.Sprintf("campaign %s, expecting era %d, start %s", e.Candidacy, e.Expect, e.Start)
	case tenure.Reattach:
		what = fmt.Sprintf("reattachment %s to era %d", e.Candidacy, e.Era)
	case tenure.Renew:
		what = fmt.Sprintf("renewal of era %d", e.Era)
	case tenure.Reserve:
		what = fmt.Sprintf("reservation up to %s in era %d", e.Bound, e.Era)
	case tenure.Seal:
		what = fmt.Sprintf("seal of era %d at %s", e.Era, e.Usage)
		if e.To != "" {
			what += " for " + e.To
		}
	case tenure.Release:
		what = fmt.Sprintf("release of era %d at %s", e.Era, e.Usage)
	case tenure.Confirm:
		what = fmt.Sprintf("confirmation of era %d by era %d", e.Predecessor, e.Era)
	case tenure.Close:
		what = fmt.Sprintf("close of era %d by era %d", e.Predecessor, e.Era)
	}
	return names[m.From] + "'s " + what
}
