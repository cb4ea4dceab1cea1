package replica

import (
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor/fsm"
)

// auditPatience is how many rounds an index is compared for before a newer one
// is: a voter that is away must not hold the comparison up.
const auditPatience = 32

// audit compares the voters' state digests, one index at a time, with the
// answers to a leader's confirmations (docs/protocol.md, section 6). It belongs
// to the confirmer's goroutine, but for what it publishes.
type audit struct {
	serverID raft.ServerID
	// index is what is being compared; 0 is nothing.
	index  uint64
	rounds int
	voters map[raft.ServerID]bool
	heard  map[raft.ServerID]fsm.Digest
	// agreed is the newest index at which a majority had one digest.
	agreed    fsm.IndexDigest
	differing map[raft.ServerID]bool

	published atomic.Pointer[AuditStatus]
}

// AuditStatus is what a leader's comparisons found.
type AuditStatus struct {
	Agreed fsm.IndexDigest
	// Differing are the voters whose newest compared digest was not the majority's.
	Differing []raft.ServerID
	// Alarm says that digests differ and none has a majority.
	Alarm string
}

// begin goes on with an index, or takes the newest one that this server has
// applied. Its own digest counts if it is a voter.
func (a *audit) begin(machine *fsm.Machine, servers []raft.Server) {
	a.rounds++
	if a.index != 0 && a.rounds <= auditPatience {
		return
	}
	if a.index != 0 {
		a.giveUp()
	}
	own, ok := machine.DigestAt(machine.View().Token().Index)
	if !ok || own.Index <= a.agreed.Index {
		a.index = 0
		return
	}
	a.index, a.rounds, a.heard, a.voters = own.Index, 0, map[raft.ServerID]fsm.Digest{}, map[raft.ServerID]bool{}
	for _, s := range servers {
		if s.Suffrage == raft.Voter {
			a.voters[s.ID] = true
		}
	}
	maps.DeleteFunc(a.differing, func(id raft.ServerID, _ bool) bool { return !a.voters[id] })
	a.hear(a.serverID, own)
}

// hear takes a server's digest.
func (a *audit) hear(id raft.ServerID, d fsm.IndexDigest) {
	switch {
	case d.Index == 0 || !a.voters[id]:
	case d.Index == a.index:
		a.heard[id] = d.Digest
		a.judge()
	case d.Index == a.agreed.Index:
		a.compare(id, d.Digest)
		a.publish(a.status().Alarm)
	}
}

// question is the index to ask for: the one that is being compared, or, as long
// as a voter differs, the last one again, so that a repair shows where nothing
// is written.
func (a *audit) question() uint64 {
	if a.index == 0 && len(a.differing) > 0 {
		return a.agreed.Index
	}
	return a.index
}

// judge ends the comparison once a majority agrees, or can no longer.
func (a *audit) judge() {
	votes, most := map[fsm.Digest]int{}, 0
	for _, d := range a.heard {
		votes[d]++
		most = max(most, votes[d])
	}
	for digest, n := range votes {
		if n <= len(a.voters)/2 {
			continue
		}
		a.agreed, a.index = fsm.IndexDigest{Index: a.index, Digest: digest}, 0
		for id, d := range a.heard {
			a.compare(id, d)
		}
		a.publish("")
		return
	}
	if most+len(a.voters)-len(a.heard) <= len(a.voters)/2 {
		a.giveUp()
	}
}

// giveUp ends a comparison without a majority: an alarm, if states differ.
func (a *audit) giveUp() {
	states := map[fsm.Digest]bool{}
	for _, d := range a.heard {
		states[d] = true
	}
	if len(states) > 1 {
		a.publish(fmt.Sprintf("%d of %d voters told their state at index %d: there are %d different ones and none has a majority",
			len(a.heard), len(a.voters), a.index, len(states)))
	}
	a.index = 0
}

func (a *audit) compare(id raft.ServerID, d fsm.Digest) {
	if d == a.agreed.Digest {
		delete(a.differing, id)
		return
	}
	if a.differing == nil {
		a.differing = map[raft.ServerID]bool{}
	}
	a.differing[id] = true
}

func (a *audit) publish(alarm string) {
	a.published.Store(&AuditStatus{Agreed: a.agreed, Differing: slices.Sorted(maps.Keys(a.differing)), Alarm: alarm})
}

// status is what was found so far.
func (a *audit) status() AuditStatus {
	if s := a.published.Load(); s != nil {
		return *s
	}
	return AuditStatus{}
}
