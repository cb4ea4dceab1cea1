package server

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/server/diag"
)

// The stages that a transition's latency is told of: from each to the next, and in all.
const (
	stageAdmitted  = "ADMITTED"
	stageApplied   = "APPLIED"
	stagePublished = "PUBLISHED"
	stageTotal     = "TOTAL"
)

// latencyBounds are in seconds: a leader transfer takes milliseconds, a replacement
// whatever a snapshot takes.
func latencyBounds() []float64 {
	return []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800}
}

// ends count how transitions ended, whoever carried them out, since this server's view
// was first as good as the root. Each server counts them all, so a sum over servers
// counts each as often as there are servers. They come from the objects, which say when
// each phase began: what an executor knew and did not report is not in them.
type ends struct {
	mu      sync.Mutex
	began   bool
	seen    uint64 // every end up to this revision is counted
	phases  map[kindAnd]uint64
	latency map[kindAnd]*diag.Distribution
}

// kindAnd is a kind with a phase or a stage.
type kindAnd struct {
	kind transition.Kind
	word string
}

// look counts what has ended since the last look. Until fresh is true for the first
// time the view shows what ended before, and nothing is counted.
func (e *ends) look(view *fsm.View, fresh bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	newest := view.Token().Revision
	if !e.began {
		e.began, e.seen = fresh, newest
		return
	}
	if view.Touched(candor.KindTransitions) <= e.seen {
		return
	}
	_ = view.List(candor.KindTransitions, "", "", 0, func(v *mvcc.Version) bool {
		if v.Revision > e.seen {
			e.count(v)
		}
		return true
	})
	e.seen = newest
}

func (e *ends) count(v *mvcc.Version) {
	o, err := v.Object()
	if err != nil {
		return
	}
	p, bad := transition.ReadSpec(o.Spec)
	if bad != nil {
		return
	}
	s, bad := transition.ReadStatus(o.Status)
	if bad != nil || !s.Phase.Terminal() || s.Revision <= e.seen {
		return
	}
	if e.phases == nil {
		e.phases, e.latency = map[kindAnd]uint64{}, map[kindAnd]*diag.Distribution{}
	}
	e.phases[kindAnd{p.Kind, string(s.Phase)}]++
	t := &s.Times
	e.took(p.Kind, stageAdmitted, t.Planned, t.Admitted)
	e.took(p.Kind, stageApplied, t.Admitted, t.Applied)
	if s.Phase.Succeeded() {
		e.took(p.Kind, stagePublished, t.Applied, t.Ended)
		e.took(p.Kind, stageTotal, t.Planned, t.Ended)
	}
}

// took counts a stage whose beginning and end are both known. Cluster time stands still
// without a leader: of a transfer of leadership it may not tell.
func (e *ends) took(kind transition.Kind, stage string, from, to int64) {
	if from == 0 || to == 0 || kind == transition.LeaderTransfer && to <= from {
		return
	}
	of := kindAnd{kind, stage}
	if e.latency[of] == nil {
		e.latency[of] = diag.NewDistribution(latencyBounds())
	}
	e.latency[of].Observe(time.Duration(to - from).Seconds())
}

// collect reports what was counted.
func (e *ends) collect(emit func(diag.Metric)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for of, n := range e.phases {
		emit(diag.Metric{
			Name: "transitions_ended_total", Help: "Transitions that ended, on any server, since this one was first as good as the root.",
			Counter: true, Value: float64(n), Labels: []string{"kind", string(of.kind), "phase", of.word},
		})
	}
	for of, d := range e.latency {
		emit(diag.Metric{
			Name: "transition_latency_seconds", Help: "Cluster time from plan to ADMITTED, on to APPLIED, on to PUBLISHED, and in TOTAL of those that succeeded; of those that transitions_ended_total counts.",
			Distribution: d.Clone(), Labels: []string{"kind", string(of.kind), "stage", of.word},
		})
	}
}

// transitionMetrics tell how transitions go.
func (s *Server) transitionMetrics(emit func(diag.Metric)) {
	s.countEnds()
	s.ends.collect(emit)
	pending := map[kindAnd]int{}
	for _, t := range s.underWay() {
		pending[kindAnd{t.Plan.Kind, string(t.Status.Phase)}]++
	}
	for of, n := range pending {
		emit(diag.Metric{
			Name: "transitions_pending", Help: "Transitions that have not ended. Phases after PLANNED are known to the server that carries them out.",
			Value: float64(n), Labels: []string{"kind", string(of.kind), "phase", of.word},
		})
	}
	if !s.replica.Leading() {
		return
	}
	stalled := map[transition.Cause]int{}
	for _, t := range s.stalled() {
		stalled[t.Stalled.Cause]++
	}
	for _, cause := range transition.Causes() {
		emit(diag.Metric{
			Name: "transitions_stalled", Help: "Transitions that are past their deadline and have not ended, by cause; told by the leader.",
			Value: float64(stalled[cause]), Labels: []string{"cause", string(cause)},
		})
	}
}

func (s *Server) countEnds() {
	s.ends.look(s.machine.View(), s.replica.Recovered() && s.reader.Status().Condition.CatchUp == candor.CatchUpFresh)
}

// underWay are the transitions that have not ended, with what this node's executor knows
// of them, in the order of their plans.
func (s *Server) underWay() []transition.Transition {
	journals := s.executor.Journals()
	pending := s.machine.View().PendingTransitions("", mostPending)
	for i := range pending {
		pending[i] = transition.Merge(pending[i].Plan, pending[i].Status, journals...)
	}
	slices.SortFunc(pending, func(a, b transition.Transition) int {
		if a.Plan.Revision < b.Plan.Revision {
			return -1
		}
		return 1
	})
	return pending
}

// stalled are those of them that are past their deadline.
func (s *Server) stalled() []transition.Transition {
	view, now := s.machine.View(), (&candidate{s}).Now().ClusterTime
	var out []transition.Transition
	for _, t := range s.underWay() {
		duty, bad := tenure.DutyOf(carriedOutBy(&t.Plan))
		held := bad == nil && view.Tenure(duty).Current.State == tenure.StateActive
		if t.Stalled = t.Overdue(now, held); t.Stalled != nil {
			out = append(out, t)
		}
	}
	return out
}

// carriedOutBy is the duty that ends a transition.
func carriedOutBy(p *transition.Plan) string {
	if p.Kind.Derived() {
		return tenure.DutyTopology
	}
	return p.Duty
}

// atAStandstill are findings of what is stalled, by the word of the leader, where the
// executor is.
func (s *Server) atAStandstill(find func(severity, subject, reason, message, next string)) {
	if !s.replica.Leading() {
		return
	}
	now := (&candidate{s}).Now().ClusterTime
	for _, t := range s.stalled() {
		p, x := &t.Plan, t.Stalled
		target := p.Target
		if name, _ := s.whereIs(target); name != "" {
			target = name
		}
		message := fmt.Sprintf("%s of %s has been %s for %s: %s", p.Kind, target, t.Status.Phase, time.Duration(now-x.Since).Round(100*time.Millisecond), x.Cause)
		if t.Status.Message != "" {
			message += "; " + t.Status.Message
		}
		next := "candor transition get " + p.ID()
		if x.Next == transition.NextOperator {
			next += "; it moves no more by itself: mend what it says, or candor transition cancel " + p.ID()
		}
		find("warning", "transition "+p.ID(), "STALLED", message, next)
	}
}
