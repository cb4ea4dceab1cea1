package sim

import (
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
)

var (
	changes = []transition.Kind{transition.MemberAdd, transition.MemberPromote, transition.MemberRemove, transition.LeaderTransfer}
	targets = []string{"s8", "s9"}
)

// changeTransition has somebody plan a change of members, or give one up.
func (w *world) changeTransition(d *dice) {
	s := w.anyServer(d)
	if !s.up {
		return
	}
	v := s.m.View()
	kind, target := changes[d.upto(len(changes))], targets[d.upto(len(targets))]
	if kind == transition.LeaderTransfer {
		target = w.anyServer(d).name
	}
	m := transition.Membership{}
	if kind == transition.MemberAdd && d.chance(95) {
		m.Address = "a-" + target
	}
	p := &transition.Plan{Kind: kind, Target: target, Intent: m.Intent(), Source: v.Token(), Actor: "ana", Reason: "WANTED", Message: "because"}
	if d.chance(50) {
		p.Configuration = v.Configuration().Index
	}
	c := command.Plan(p, "")
	if d.chance(25) {
		if x := v.Transition(kind, target); d.chance(50) {
			p.Revision = x.Pending.Planned
		}
		c = command.Cancel("ana", p, "GIVEN_UP", "because")
	}
	c.Transition.Assess = d.chance(10)
	w.propose(s, c, d, func(outcome) {})
}

// execute has the holder of the duty topology carry out what pends: the change of
// members by the leader's hand, and its end.
func (w *world) execute(d *dice) {
	h := w.actor(tenure.DutyTopology, d)
	if h == nil {
		return
	}
	s := h.s
	pending := s.m.View().PendingTransitions(changes[d.upto(len(changes))], 4)
	if len(pending) == 0 {
		return
	}
	p := &pending[d.upto(len(pending))].Plan
	if w.log.leader == s && s.ready && d.chance(60) {
		w.reconfigure(p, d)
	}
	phase := [...]transition.Phase{transition.PhasePublished, transition.PhasePublished, transition.PhaseFailed, transition.PhaseAborted}[d.upto(4)]
	report := &transition.Journal{Times: transition.Times{Admitted: s.m.View().ClusterTime()}, Outcome: transition.OutcomeApplied, Message: "done"}
	if phase != transition.PhasePublished {
		report.Outcome, report.Reason = transition.OutcomeFailed, candor.ReasonQuorumAtRisk
	}
	w.after(d.span(4*millisecond), func() {
		if s.awake() && h.era != 0 {
			w.propose(s, command.End(h.duty, h.era, s.holder, p, phase, report), d, func(outcome) {})
		}
	})
}

// reconfigure appends the configuration entry of a change, unless it is refused as the
// executor and Raft refuse it: it is so already, nobody is promoted or taken out who is
// no member, and one change is committed before the next begins. The members are names:
// who makes up a majority of the simulated servers stays the same.
func (w *world) reconfigure(p *transition.Plan, d *dice) {
	if slices.ContainsFunc(w.log.entries[w.log.commit:], func(e *entry) bool { return e.Configuration }) {
		return
	}
	members := slices.Clone(w.log.members)
	at := slices.IndexFunc(members, func(x transition.Server) bool { return x.ID == p.Target })
	switch {
	case p.Kind == transition.MemberAdd && at < 0:
		members = append(members, transition.Server{ID: p.Target, Address: "a-" + p.Target})
	case p.Kind == transition.MemberPromote && at >= 0 && !members[at].Voter:
		members[at].Voter = true
	case p.Kind == transition.MemberRemove && at >= 0:
		members = slices.Delete(members, at, at+1)
	default:
		return
	}
	w.log.members = members
	w.append(&entry{Committed: fsm.Committed{Configuration: true, Servers: members}, draw: d.source.Uint64()})
}

// transition checks that one that has ended stays as it ended.
func (r *root) transition(x *mvcc.Version, o *candor.Object) {
	r.w.checked("versions of transitions", 1)
	was, ended := r.endings[x.Key]
	if x.Deleted {
		if !ended {
			r.w.fail("NoHiddenDrop", "%s was removed at revision %d and had not ended", x.Key, x.Revision)
		}
		return
	}
	status, err := transition.ReadStatus(o.Status)
	if err != nil {
		r.w.fail("decoding", "%s: %v", x.Key, err)
		return
	}
	if ended && was != string(status.Phase) {
		r.w.fail("ForwardOnlyOutcome", "%s ended as %s and is %s at revision %d", x.Key, was, status.Phase, x.Revision)
	}
	if status.Phase.Terminal() {
		r.endings[x.Key] = string(status.Phase)
	}
}
