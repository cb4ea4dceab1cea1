package monitor

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/informer"
)

// Watch follows every change of a copy, and finds what only the way from one version to
// the next shows. It is not safe for concurrent use.
type Watch struct {
	ledger ledger
	fights fights
	// incidents are what happened lately, and when.
	incidents map[Key]happened
	newest    *Decided
}

type happened struct {
	claim Claim
	at    int64
}

// Decided is a decision, and the version of the instance that it came with.
type Decided struct {
	Version  candor.VersionRef
	Decision *candor.Decision
}

// NewWatch begins with the copy as it is.
func NewWatch(now *informer.Reader) *Watch {
	w := &Watch{ledger: newLedger(), fights: newFights(), incidents: map[Key]happened{}}
	for _, kind := range [...]candor.KindName{candor.KindNodes, candor.KindInstances} {
		for item := range now.List(kind, "") {
			w.ledger.take(nil, item)
		}
	}
	w.ledger.settle()
	return w
}

// Follow takes changes in the order in which they were made, at the cluster time now.
func (w *Watch) Follow(changes []informer.Change, now int64) {
	for at := range changes {
		c := &changes[at]
		if at > 0 && changes[at-1].Revision != c.Revision {
			w.close(now)
		}
		w.ledger.take(c.Before, c.After)
		w.moved(c, now)
		w.decided(c)
		if claim, found := w.fights.take(c, now); found {
			w.happen(claim, now)
		}
	}
	w.close(now)
}

// close judges the ledger after a whole revision.
func (w *Watch) close(now int64) {
	for _, claim := range w.ledger.settle() {
		w.happen(claim, now)
	}
}

// Report is something that was found elsewhere, and is shown for as long as what Follow
// finds.
func (w *Watch) Report(claim Claim, now int64) { w.happen(claim, now) }

func (w *Watch) happen(claim Claim, now int64) {
	claim.Within, claim.From = 0, 0
	w.incidents[claim.Key()] = happened{claim: claim, at: now}
}

// Claims are what happened lately.
func (w *Watch) Claims(now int64) []Claim {
	var out []Claim
	for key, x := range w.incidents {
		if now-x.at > int64(incident) {
			delete(w.incidents, key)
			continue
		}
		out = append(out, x.claim)
	}
	return out
}

// Newest is the newest decision that was seen since it was last asked for; nil for none.
func (w *Watch) Newest() *Decided {
	d := w.newest
	w.newest = nil
	return d
}

// decided notes a decision that the version before did not have.
func (w *Watch) decided(c *informer.Change) {
	if c.Ref.Kind != candor.KindInstances || c.After == nil {
		return
	}
	is, err := informer.Status[candor.InstanceStatus](c.After)
	if err != nil || is.Decision == nil {
		return
	}
	if c.Before != nil {
		was, err := informer.Status[candor.InstanceStatus](c.Before)
		if err == nil && was.Decision != nil && was.Decision.ID == is.Decision.ID && was.Decision.Digest == is.Decision.Digest {
			return
		}
	}
	w.newest = &Decided{Version: c.After.Version(), Decision: is.Decision}
}

// moved: an instance keeps its place and its end.
func (w *Watch) moved(c *informer.Change, now int64) {
	if c.Ref.Kind != candor.KindInstances || c.Before == nil || c.After == nil || c.Before.Metadata.UID != c.After.Metadata.UID {
		return
	}
	was, err := kinds.ReadInstance(c.Before)
	if err != nil {
		return
	}
	is, err := kinds.ReadInstance(c.After)
	if err != nil {
		return
	}
	a, b := was.Status, is.Status
	var message string
	switch {
	case was.Placed() && (a.Node != b.Node || a.NodeUID != b.NodeUID):
		message = "it moved from node " + a.Node + " to node " + b.Node
	case was.Ended() && a.Phase != b.Phase:
		message = "it had ended as " + string(a.Phase) + " and is " + string(b.Phase)
	default:
		return
	}
	w.happen(Claim{
		Promise: OneLivePlacementPerInstance, Subject: c.Ref, Step: is.Meta().UID, Message: message,
		Cause: "written by " + writerOf(c.After.Object), Owner: writerOf(c.After.Object), Repair: history(c.Ref) + "; report it",
	}, now)
}
