package server

import (
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/server/diag"
	"github.com/candor-plane/candor/server/read"
)

var (
	catchUpStates = []candor.CatchUpState{
		candor.CatchUpFresh, candor.CatchUpLagging, candor.CatchUpBootstrapRequired, candor.CatchUpRecovering, candor.CatchUpUnavailable,
	}
	catchUpActions = []candor.CatchUpAction{
		candor.CatchUpNone, candor.CatchUpAdvance, candor.CatchUpReload, candor.CatchUpBootstrap, candor.CatchUpReject,
	}
	degradedModes = []candor.DegradedMode{
		candor.ModeHealthy, candor.ModeCoordinatorDegraded, candor.ModeRootLagging, candor.ModeRootUnavailable, candor.ModeViewOnly,
	}
)

// conditionFindings are what an operator should know of a node's condition, at
// most two. That no leader is known is a finding of its own, elsewhere.
func conditionFindings(name string, s *read.Status) []*candorv1.Finding {
	var out []*candorv1.Finding
	find := func(severity, reason, message, next string) {
		out = append(out, &candorv1.Finding{Severity: severity, Subject: name, Reason: reason, Message: message, NextAction: next})
	}
	watch := "candor watch-catchup " + name
	switch c := &s.Condition; c.Reason {
	case freshness.ReasonQuarantined:
		find("critical", string(c.Mode), "its state differs from a majority's: it is quarantined, and refuses strong and bounded reads",
			"candor diagnostics "+name+" says how repairs go; candor node repair "+name)
	case freshness.ReasonRemoved:
		find("warning", string(c.Mode), "the leader says that it is no member: it refuses strong and bounded reads",
			"stop it; to have it back, start it with an empty data directory")
	case freshness.ReasonOperator:
		find("warning", string(c.Mode), "an operator has it refuse strong and bounded reads", "candor node view-only "+name+" --off")
	case freshness.ReasonNoView:
		find("warning", string(c.Mode), "it has no view yet, and serves no reads", watch)
	case freshness.ReasonNoProof:
		find("warning", string(c.Mode), "it cannot prove how far it is behind, and refuses bounded reads"+because(s.Failure), "candor freshness "+name)
	case freshness.ReasonLag:
		find("warning", string(c.Mode), "it misses "+entries(s.Lag), watch)
	case freshness.ReasonProofAge:
		find("warning", string(c.Mode), "its newest applied proof is older than the policy allows"+because(s.Failure), "candor freshness "+name)
	default:
	}
	switch s.Condition.CatchUp {
	case candor.CatchUpBootstrapRequired:
		find("warning", string(s.Condition.CatchUp), "the leader's log no longer holds what it misses: a snapshot must come", watch)
	case candor.CatchUpRecovering:
		find("warning", string(s.Condition.CatchUp), "its view is being rebuilt: it refuses strong and bounded reads", watch)
	default:
	}
	return out
}

func because(failure string) string {
	if failure == "" {
		return ""
	}
	return ": " + failure
}

func entries(lag *uint64) string {
	if lag == nil {
		return "entries of the log"
	}
	return fmt.Sprintf("%d entries of the log at least", *lag)
}

// conditionMetrics reports a node's condition. A bound, a lag or a state that is
// not proven has no series, or none that is 1.
func conditionMetrics(s *read.Status, emit func(diag.Metric)) {
	gauge := func(name, help string, value float64, labels ...string) {
		emit(diag.Metric{Name: name, Help: help, Value: value, Labels: labels})
	}
	counter := func(name, help string, value float64, labels ...string) {
		emit(diag.Metric{Name: name, Help: help, Value: value, Counter: true, Labels: labels})
	}
	if s.ProofAge != nil {
		gauge("proof_age_seconds", "How old the newest applied proof is: everything acknowledged longer ago is in the view. Absent without one.", s.ProofAge.Seconds())
	}
	if s.NewestAge != nil {
		gauge("newest_proof_age_seconds", "How old the newest proof is, applied or not. Absent without one.", s.NewestAge.Seconds())
	}
	if s.Lag != nil {
		gauge("root_lag", "How many log entries the view misses, at least. Absent when not proven.", float64(*s.Lag))
	}
	for _, state := range catchUpStates {
		gauge("catch_up_state", "1 for the state that the view is in; none when not known.", truth(s.Condition.CatchUp == state), "state", string(state))
	}
	for _, action := range catchUpActions {
		gauge("catch_up_action", "1 for what the node does to catch up.", truth(s.Condition.Action == action), "action", string(action))
	}
	for _, mode := range degradedModes {
		gauge("degraded_mode", "1 for the mode that the node is in.", truth(s.Condition.Mode == mode), "mode", string(mode))
	}
	counter("probes_total", "Proofs that were asked for.", float64(s.Probes))
	counter("probes_failed_total", "Proofs that were asked for and not given.", float64(s.ProbesFailed))
	for _, r := range s.Reads {
		counter("reads_total", "Reads served, by class and by how their freshness was established.", float64(r.Count), "freshness", string(r.Class), "mechanism", string(r.Mechanism))
	}
}
