package gossip

import candor "github.com/candor-plane/candor"

// Stats is what metrics and diagnostics show of gossip. Counters start at 0
// with the process.
type Stats struct {
	Members   map[State]int // each state is present
	Conflicts int

	Refused  map[candor.Reason]uint64 // announcements and exchanges not let in
	Refusals []Refusal                // the latest such peers, newest first

	// Keys are those of the key ring; none without one.
	Keys []KeyInfo
	// DecryptFailures are packets and streams that no key on the ring opened.
	// While plaintext is accepted, packets are not among them.
	DecryptFailures uint64

	QueueDrops uint64 // notes of conflicts and refusals for which there was no room
	EventDrops uint64 // events that slow subscribers did not get
	LogDrops   uint64 // debug lines of the library that were not written

	HintUpdates    uint64 // calls of Update
	HintsPublished uint64 // announcements made of them
	JoinAttempts   uint64
	JoinFailures   uint64

	// HealthScore is the library's doubt in this node's own timeliness; 0 is none.
	HealthScore int
}

// Stats reads the counters; each is exact, together they are not one moment.
func (g *Gossip) Stats() Stats {
	v := g.view.Load()
	s := Stats{
		Members:        map[State]int{StateAlive: 0, StateSuspect: 0, StateDead: 0, StateLeft: 0},
		Conflicts:      len(v.conflicts),
		Refused:        g.delegate.refused.byReason(),
		Refusals:       append([]Refusal(nil), v.refusals...),
		QueueDrops:     g.box.dropped(),
		EventDrops:     g.subs.dropped(),
		LogDrops:       g.lines.drops.Load(),
		HintUpdates:    g.hintUpdates.Load(),
		HintsPublished: g.hintsPublished.Load(),
		JoinAttempts:   g.joinAttempts.Load(),
		JoinFailures:   g.joinFailures.Load(),
		HealthScore:    g.list.GetHealthScore(),
	}
	s.DecryptFailures = g.unreadable.failed.Load()
	if g.cfg.Keyring != nil {
		s.Keys = g.cfg.Keyring.Keys()
	}
	for _, m := range v.members {
		s.Members[m.State]++
	}
	return s
}
