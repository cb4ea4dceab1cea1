package fsm

import (
	"runtime/debug"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/invariant"
	"github.com/candor-plane/candor/internal/zoo"
)

// turn runs one command on a draft and commits or drops it.
func (m *Machine) turn(env environment, c *command.Command) (res Result) {
	d := &m.draft
	d.reset(m, env, c)
	defer func() {
		if p := recover(); p != nil {
			res = m.fault(env, c, p)
		}
	}()
	if done, remembered := m.remembered(env, c); done {
		return remembered
	}
	if err := d.permitted(); err != nil {
		return m.refused(err)
	}
	if err := d.run(); err != nil {
		res := m.refused(err)
		res.Verdict = d.verdict
		return res
	}
	if v := d.check(); v != nil {
		return m.violated(env, c, v)
	}
	return m.commit(d)
}

// remembered answers a request that was accepted before, and refuses one that
// is late, foreign or over the table's bound.
func (m *Machine) remembered(env environment, c *command.Command) (bool, Result) {
	if c.RequestID == "" {
		return false, Result{}
	}
	s := m.state
	if err := s.requests.admissible(c, s.time); err != nil {
		return true, m.refused(err)
	}
	r, ok := s.requests.find(c.Actor, c.RequestID)
	if !ok || zoo.Enabled && zoo.Has(zoo.DedupOff) {
		return false, Result{}
	}
	if r.digest != c.Digest {
		return true, m.refused(&candor.Error{
			Reason: candor.ReasonInvalid, Subject: c.RequestID,
			Message: "request ID " + c.RequestID + " was used for another request: make a new ID for every new request",
		})
	}
	res := m.replay(r)
	m.placedAgain(c, &res)
	if c.Type == command.TypeTransition {
		res.Verdict = m.verdictAgain(env, c, &res)
	}
	return true, res
}

func (m *Machine) refused(err *candor.Error) Result {
	if zoo.Enabled && zoo.Has(zoo.FailedTurnCounts) {
		m.state.token.Revision++
	}
	revision := err.Revision
	if revision == 0 {
		revision = m.state.token.Revision
	}
	return Result{Reason: err.Reason, Message: err.Message, Subject: err.Subject, Fields: err.Fields, Revision: revision,
		Token: candor.Token{Revision: m.state.token.Revision}}
}

// fault drops the draft of a turn that panicked. Every replica panics the same
// way, at every replay, so it is the turn that fails and not the node.
func (m *Machine) fault(env environment, c *command.Command, p any) Result {
	r := Record{Index: env.index, Ordinal: env.ordinal, Reason: candor.ReasonTurnFault, Actor: clone(c.Actor), Detail: c.Type.String()}
	if len(c.Then) > 0 {
		r.Subject = clone(c.Then[0].Ref().String())
	}
	m.state.faults++
	m.state.record(r)
	if m.config.OnFault != nil {
		m.config.OnFault(FaultReport{Record: r, Panic: p, Stack: debug.Stack()})
	}
	return m.refused(&candor.Error{Reason: candor.ReasonTurnFault, Subject: r.Subject,
		Message: "the turn failed on every server and changed nothing; see `candor diagnostics` for the record"})
}

func (m *Machine) violated(env environment, c *command.Command, v *invariant.Violation) Result {
	m.state.violations++
	m.state.record(Record{
		Index: env.index, Ordinal: env.ordinal, Reason: candor.ReasonInvariantViolated,
		Invariant: v.Invariant, Subject: clone(v.Subject), Actor: clone(c.Actor), Detail: clone(v.Detail),
	})
	return m.refused(&candor.Error{Reason: candor.ReasonInvariantViolated, Subject: v.Subject,
		Message: "invariant " + v.Invariant + " blocked the turn: " + v.Subject + ": " + v.Detail})
}

func (s *state) record(r Record) {
	if len(s.records) >= maxRecords {
		s.records = append([]Record(nil), s.records[1:]...)
	}
	s.records = append(slices.Clip(s.records), r)
}
