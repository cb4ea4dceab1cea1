package fsm

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/mvcc"
)

// DryRun runs a write's turn on a view, rules and invariants, and commits
// nothing: what it answers holds for that view only. Of a transition's event it is
// the verdict. Any goroutine may call
// it, and says what its wall clock shows (nanoseconds since 1970). The result's versions belong to no state.
func (v *View) DryRun(c *command.Command, wall int64) Result {
	m := &Machine{state: v.state(), policy: v.policy}
	d := new(draft)
	d.reset(m, environment{term: v.token.Term, index: v.token.Index + 1, wall: wall}, c)
	switch c.Type {
	case command.TypeWrite:
	case command.TypeTransition:
		assessed := *c
		assessed.Transition.Assess = true
		d.cmd = &assessed
	default:
		return m.refused(candor.Errorf(candor.ReasonInvalid, "only a write, or the event of a transition, can be tried without being done"))
	}
	if err := d.permitted(); err != nil {
		return m.refused(err)
	}
	if err := d.run(); err != nil {
		return m.refused(err)
	}
	if broken := d.check(); broken != nil {
		return m.refused(&candor.Error{Reason: candor.ReasonInvariantViolated, Subject: broken.Subject, Message: "invariant " + broken.Invariant + " would block the turn: " + broken.Detail})
	}
	res := Result{Token: v.token, Revision: v.token.Revision, Changed: len(d.changes) > 0, Succeeded: d.succeeded, Verdict: d.verdict}
	for _, op := range d.ops {
		out := OpResult{Version: op.version, Changed: op.changed}
		if op.changed {
			c := &d.changes[op.change]
			out.Version = &mvcc.Version{Key: c.Ref.Key(), Data: encode(c.final), Revision: d.revision(), Deleted: c.After == nil}
		}
		res.Ops = append(res.Ops, out)
	}
	return res
}

// state wraps the view for a draft, which reads and never writes it.
func (v *View) state() *state {
	s := &state{
		clusterID: v.clusterID, historyID: v.historyID, token: v.token, time: v.time, level: v.level,
		leaderTerm: v.leaderTerm, floor: v.floor, cursor: v.cursor, kindIndex: v.kindIndex, history: v.history,
		owners: v.owners, cascades: v.cascades, nextCascade: v.nextCascade, members: v.members, records: v.records,
		requests: v.requests, accessEpoch: v.accessEpoch, tenures: v.tenures,
		configuration: v.configuration, leaderID: v.configuration.Leader, transitions: v.transitions,
		accounts: v.accounts, leases: v.leases,
	}
	for i := range v.kinds {
		k := &v.kinds[i]
		s.kinds = append(s.kinds, &kind{name: k.name, tree: k.tree, live: k.live, touched: k.touched})
	}
	return s
}
