package fsm

import (
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/invariant"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/transition"
)

// draft is what one turn would change. It is dropped or committed whole.
type draft struct {
	m   *Machine
	env environment
	cmd *command.Command

	changes []change
	// index finds a change by object, once there are many.
	index map[candor.Ref]int
	ops   []opDraft
	bytes int

	succeeded bool
	// verdict is what becomes of a transition's event.
	verdict *transition.Verdict
	// items are what became of the placements or beats of the command, one each.
	items []ItemResult
	// effects on side tables, run at commit in order.
	effects []func(*state)

	turn invariant.Turn
}

// change is one object's.
type change struct {
	invariant.Change
	// final is the object as the version will hold it: After, or the last
	// state of an object that the turn removes.
	final *candor.Object
	// propagation of a removal.
	propagation candor.Propagation
	version     *mvcc.Version
}

// opDraft is the result of one operation: a change of the turn, or a version
// that stood before it.
type opDraft struct {
	change  int
	version *mvcc.Version
	changed bool
}

func (d *draft) reset(m *Machine, env environment, c *command.Command) {
	clear(d.changes)
	clear(d.effects)
	*d = draft{m: m, env: env, cmd: c, changes: d.changes[:0], ops: d.ops[:0], effects: d.effects[:0], succeeded: true, turn: invariant.Turn{Changes: d.turn.Changes[:0], Tenures: d.turn.Tenures[:0], Transitions: d.turn.Transitions[:0]}}
}

// revision is the one that the turn makes, if it changes an object.
func (d *draft) revision() uint64 { return d.m.state.token.Revision + 1 }

// changed finds the turn's own change of an object.
func (d *draft) changed(ref candor.Ref) (int, bool) {
	if d.index != nil {
		i, ok := d.index[ref]
		return i, ok
	}
	for i := range d.changes {
		if d.changes[i].Ref == ref {
			return i, true
		}
	}
	return 0, false
}

// live is the object as the turn leaves it so far, or nil.
func (d *draft) live(ref candor.Ref) *candor.Object {
	if i, ok := d.changed(ref); ok {
		return d.changes[i].After
	}
	o, _ := d.stored(ref)
	return o
}

// held is what live placements held of a node before the turn.
func (d *draft) held(node, uid string) candor.Resources {
	return heldOf(d.m.state.accounts, node, uid).Held
}

// stored is the live object before the turn, or nil.
func (d *draft) stored(ref candor.Ref) (*candor.Object, *mvcc.Version) {
	v := d.m.state.head(ref)
	if v == nil || v.Deleted {
		return nil, nil
	}
	return d.m.object(v), v
}

// mustDecode panics on a version that does not decode: the state encoded it.
func mustDecode(v *mvcc.Version) *candor.Object {
	o, err := v.Object()
	if err != nil {
		panic(err)
	}
	return o
}

// indexAbove is how many changes a linear search may take.
const indexAbove = 16

// put records one object's change. after is nil for a removal, whose last
// state is final.
func (d *draft) put(c change) (int, *candor.Error) {
	if len(d.changes) >= candor.MaxTurnObjects {
		return 0, candor.Errorf(candor.ReasonTurnTooLarge, "the turn would change more than %d objects: split it", candor.MaxTurnObjects)
	}
	size := objectSize(c.final)
	if size > candor.MaxObjectBytes {
		return 0, &candor.Error{Reason: candor.ReasonInvalid, Subject: c.Ref.String(),
			Message: sprintf("%s would take %d bytes; an object may take %d", c.Ref, size, candor.MaxObjectBytes)}
	}
	if d.bytes += size; d.bytes > candor.MaxTurnBytes {
		return 0, candor.Errorf(candor.ReasonTurnTooLarge, "the turn would write more than %d bytes: split it", candor.MaxTurnBytes)
	}
	d.changes = append(d.changes, c)
	i := len(d.changes) - 1
	if d.index != nil {
		d.index[c.Ref] = i
	} else if len(d.changes) > indexAbove {
		d.index = make(map[candor.Ref]int, len(d.changes)*2)
		for j := range d.changes {
			d.index[d.changes[j].Ref] = j
		}
	}
	return i, nil
}

// check runs every invariant over the draft.
func (d *draft) check() *invariant.Violation {
	s := d.m.state
	t := &d.turn
	t.TokenBefore = s.token
	t.TokenAfter = candor.Token{Term: d.env.term, Index: d.env.index, Revision: s.token.Revision}
	if d.m.skip&ruleToken != 0 {
		t.TokenAfter.Term = s.token.Term - 1
	}
	if len(d.changes) > 0 {
		t.TokenAfter.Revision++
	}
	for i := range d.changes {
		t.Changes = append(t.Changes, d.changes[i].Change)
	}
	t.Live = d.live
	t.Held = d.held
	for _, c := range invariant.All() {
		if v := c.Run(t); v != nil {
			return v
		}
	}
	return nil
}

// cause is the provenance of a version that replaces before.
func (d *draft) cause(before *candor.Object) *candor.Cause {
	c := d.cmd
	cause := &candor.Cause{Actor: c.Actor, Duty: c.Duty, Era: c.Era, ReadToken: c.ReadToken, Reason: c.Reason, Message: c.Message, Because: c.Because}
	if before != nil {
		cause.PriorRevision = before.Metadata.ResourceVersion
	}
	return cause
}

func clone(s string) string { return strings.Clone(s) }
