package evidence

import (
	"github.com/candor-plane/candor/verify/determinism"
	"github.com/candor-plane/candor/verify/durability"
	"github.com/candor-plane/candor/verify/history"
	"github.com/candor-plane/candor/verify/lineage"
	"github.com/candor-plane/candor/verify/placements"
	"github.com/candor-plane/candor/verify/watches"
)

// Each refuses a record without what it is about. What a system may have answered
// wrongly is for the checks.

func checkFloor(f *watches.Floor) error {
	return want(f.Revision != 0 && f.Token.Index != 0, "a floor needs a revision and a token")
}

func checkNumber(n *Number) error {
	if n.Told.Before(n.Asked) {
		return invalid("numbers told at %s and asked for at %s: want them told no earlier", n.Told, n.Asked)
	}
	return want(n.Duty != "" && n.Holder != "" && n.Count != 0 && n.First+n.Count > n.First, "numbers need a duty, a holder and a range of at least one")
}

func checkBelief(b *lineage.Belief) error {
	if err := checkInterval(b.From, b.To); err != nil {
		return err
	}
	return want(b.Holder != "" && b.Duty != "" && b.Era != 0, "a belief needs a holder, a duty and an era")
}

func checkAct(a *lineage.Act) error {
	return want(a.Holder != "" && a.Duty != "" && a.Era != 0 && a.Revision != 0, "an act needs a holder, a duty, an era and a revision")
}

func checkFinal(f *durability.Final) error {
	seen := map[string]bool{}
	for i := range f.Items {
		key := f.Items[i].Key
		if key == "" || seen[key] {
			return invalid("final: key %q: want each key of the list once", key)
		}
		seen[key] = true
	}
	return want(f.Scope != "" && f.Revision != 0, "final: want the scope of the list and its revision")
}

func checkRepeat(r *durability.Repeat) error {
	return want(r.RequestID != "" && r.First.Revision != 0, "a repeat needs a request ID and the first acknowledgement's token")
}

func checkClaim(c *placements.Claim) error {
	if err := checkInterval(c.From, c.To); err != nil {
		return err
	}
	return want(c.Instance != "" && c.Node != "", "a claim needs an instance and a node")
}

func checkDecision(d *placements.Decision) error {
	return want(d.ID != "" && d.Same == (d.Reason == ""), "a decision needs an ID, and a reason exactly where it is not the same again")
}

func checkDigest(d *determinism.Digest) error {
	return want(d.Node != "" && d.Index != 0 && d.Digest != "", "a digest needs a node, an index and the digest")
}

func checkReplay(r *determinism.Replay) error {
	return want(r.From != "" && r.Index != 0 && r.Digest != "", "a replay needs what it is from, an index and the digest")
}

func checkTurns(t *determinism.Turns) error {
	return want(t.Node != "", "turns need a node")
}

func checkInterval(from, to history.Stamp) error {
	return want(to.IsZero() || !to.Before(from), "an interval ends before it begins")
}

func want(holds bool, otherwise string) error {
	if !holds {
		return invalid("%s", otherwise)
	}
	return nil
}
