package evidence

import (
	"github.com/candor-plane/candor/verify/history"
	"github.com/candor-plane/candor/verify/lineage"
	"github.com/candor-plane/candor/verify/placements"
)

// Belief is a holder's belief that it holds a duty, while it lasts.
type Belief struct {
	recorder *Recorder
	belief   lineage.Belief
}

// Believes records that a holder has begun to believe that it holds a duty. Call it
// once the holder does, and Ceases before it stops to: the interval must only hold time
// for which the belief is sure. holder is as it stands in tenures ("server/ID").
func (r *Recorder) Believes(holder, duty string, era uint64) *Belief {
	b := &Belief{recorder: r, belief: lineage.Belief{Holder: holder, Duty: duty, Era: era, From: r.Stamp()}}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.beliefs = append(r.beliefs, b)
	return b
}

// Ceases ends the belief; later calls do nothing.
func (b *Belief) Ceases() {
	now := b.recorder.Stamp()
	b.recorder.mu.Lock()
	defer b.recorder.mu.Unlock()
	if b.belief.To.IsZero() {
		b.belief.To = now
	}
}

// Believed records that a holder said, asked twice, that it believes that it holds a duty
// in one era: from is the moment at which it had said so first, to that at which it was
// asked again. Whatever it believed between, no later era could be believed in meanwhile.
func (r *Recorder) Believed(holder, duty string, era uint64, from, to history.Stamp) *Belief {
	b := &Belief{recorder: r, belief: lineage.Belief{Holder: holder, Duty: duty, Era: era, From: from, To: to}}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.beliefs = append(r.beliefs, b)
	return b
}

// Still prolongs a belief that was told of by its holder: when it was asked once more, at
// this moment, it said the same.
func (b *Belief) Still(at history.Stamp) {
	b.recorder.mu.Lock()
	defer b.recorder.mu.Unlock()
	b.belief.To = at
}

// Claim is the time for which a machine runs an instance's process, while it lasts.
type Claim struct {
	recorder *Recorder
	claim    placements.Claim
}

// Claims records that a machine runs an instance's process now: call it once that has
// begun, and Ends before it has ended. uid is the instance's and name its
// "namespace/name"; node is the machine, session that of its worker.
func (r *Recorder) Claims(uid, name, node, session string) *Claim {
	c := &Claim{recorder: r, claim: placements.Claim{Instance: uid, Name: name, Node: node, Session: session, From: r.Stamp()}}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.claims = append(r.claims, c)
	return c
}

// Ends ends the claim; later calls do nothing.
func (c *Claim) Ends() {
	now := c.recorder.Stamp()
	c.recorder.mu.Lock()
	defer c.recorder.mu.Unlock()
	if c.claim.To.IsZero() {
		c.claim.To = now
	}
}
