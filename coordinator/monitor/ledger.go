package monitor

import (
	"fmt"
	"maps"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/informer"
)

// ledger is what live placements hold, counted version by version, so that what a
// revision raised is told apart from capacity that shrank.
type ledger struct {
	nodes map[string]*account // by uid
	// raised are the accounts that the revision being taken has added to.
	raised map[string]candor.VersionRef
}

type account struct {
	node     candor.Ref
	here     bool
	capacity candor.Resources
	held     tally
	// before is what was held when the revision began; nil unless it adds something.
	before tally
}

func newLedger() ledger {
	return ledger{nodes: map[string]*account{}, raised: map[string]candor.VersionRef{}}
}

func (l *ledger) account(uid string) *account {
	a := l.nodes[uid]
	if a == nil {
		a = &account{held: tally{}}
		l.nodes[uid] = a
	}
	return a
}

// take takes a version in place of the one before; either may be nil.
func (l *ledger) take(before, after *informer.Item) {
	for _, item := range [...]*informer.Item{before, after} {
		if item == nil {
			continue
		}
		if item.KindName() == candor.KindNodes {
			l.node(item, item == after)
		}
		if item.KindName() == candor.KindInstances {
			l.instance(item, item == after)
		}
	}
}

// node follows a node; the account of one that is gone goes when nothing is held of it.
func (l *ledger) node(item *informer.Item, here bool) {
	n, err := kinds.ReadNode(item)
	if err != nil {
		return // looks count it
	}
	a := l.account(n.Meta().UID)
	a.node, a.here = n.Ref, here
	if a.capacity = nil; n.Observed != nil {
		a.capacity = n.Observed.Capacity
	}
	l.tidy(n.Meta().UID)
}

func (l *ledger) instance(item *informer.Item, is bool) {
	i, err := kinds.ReadInstance(item)
	if err != nil || !i.Holds() {
		return
	}
	uid := i.Status.NodeUID
	a := l.account(uid)
	if a.before == nil {
		a.before = maps.Clone(a.held)
		l.raised[uid] = item.Version()
	}
	if is {
		l.raised[uid] = item.Version()
		a.held.add(i.Spec.Resources, 1)
		return
	}
	a.held.add(i.Spec.Resources, -1)
}

// settle ends a revision, and says of which nodes it raised what is held above what they
// have.
func (l *ledger) settle() []Claim {
	var out []Claim
	for _, uid := range slices.Sorted(maps.Keys(l.raised)) {
		a, by := l.nodes[uid], l.raised[uid]
		for _, name := range slices.Sorted(maps.Keys(a.held)) {
			has := a.capacity.Get(name)
			if !a.here || a.held[name] <= a.before[name] || a.held[name] <= has {
				continue
			}
			out = append(out, Claim{
				Promise: CapacityNotExceeded, Subject: a.node, Step: uid,
				Message: fmt.Sprintf("revision %d raised what is held of %s from %s to %s, and it has %s", by.Revision, name,
					candor.FormatAmount(name, a.before[name]), candor.FormatAmount(name, a.held[name]), candor.FormatAmount(name, has)),
				Cause: "placement of " + by.String(), Owner: "duty " + tenure.DutySchedule,
				Repair: "candor node drain " + a.node.Name + "; report it with candor diagnostics --all",
			})
			break
		}
		a.before = nil
		l.tidy(uid)
	}
	clear(l.raised)
	return out
}

func (l *ledger) tidy(uid string) {
	a := l.nodes[uid]
	if a.here || a.before != nil {
		return
	}
	for _, held := range a.held {
		if held != 0 {
			return
		}
	}
	delete(l.nodes, uid)
}
