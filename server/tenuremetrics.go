package server

import (
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/tenure"
)

// guarantees are those of tenures, by the invariant that a turn is blocked by where one
// does not hold.
var guarantees = map[string]string{
	"OneActiveTenurePerDuty": tenure.GuaranteePrimacy,
	"FrontierCovered":        tenure.GuaranteeInheritance,
	"SealedIsSilent":         tenure.GuaranteeSilence,
	"HandoverEnds":           tenure.GuaranteeFinality,
}

// tenureMetrics tell how duties go. What gates turn away is prevented and counted apart
// from what an invariant found, which is a guarantee that did not hold.
func (s *Server) tenureMetrics(gauge, counter func(name, help string, value float64, labels ...string)) {
	stages := map[string]uint64{}
	for _, d := range s.coordinator.Status() {
		gauge("tenure_held", "1 while this server acts under the duty.", truth(d.Acting), "duty", d.Duty)
		counter("tenure_grants_total", "Eras that this server won.", float64(d.Grants), "duty", d.Duty)
		counter("tenure_renewals_total", "Renewals by this server.", float64(d.Renewals), "duty", d.Duty)
		counter("tenure_given_up_total", "Times that this server gave the duty up because it went on failing.", float64(d.GivenUp), "duty", d.Duty)
		states := map[string]uint64{}
		for stage, count := range d.Stages {
			states[string(stage.State)] += count
			switch {
			case stage.State == tenure.StateActive:
			case stage.State == tenure.StateSealed && stage.Takeover:
				stages["SEALED_BOUND"] += count
			case stage.State == tenure.StateSealed:
				stages["SEALED_EXACT"] += count
			default:
				stages[string(stage.State)] += count
			}
		}
		for state, count := range states {
			counter("tenure_era_transitions_total", "States that eras reached, on any server, since this one began to look.", float64(count), "duty", d.Duty, "state", state)
		}
	}
	for stage, count := range stages {
		counter("handover_stage_transitions_total", "Stages that handovers reached, on any server: sealed by the holder or for it, confirmed, closed.", float64(count), "stage", stage)
	}
	for _, v := range s.vacancies() {
		gauge("tenure_vacant_seconds", "For how long nobody has held the duty; told by the leader.", v.since.Seconds(), "duty", v.duty)
	}
	s.gateMetrics(counter)
	s.allocMetrics(gauge, counter)
	for guarantee, count := range violations(s.machine.View().Records()) {
		counter("guarantee_violations_total", "Guarantees of tenures that a turn would have broken, among the newest 256 blocked turns. Prevented attempts are in gate_rejections_total.",
			float64(count), "guarantee", guarantee)
	}
}

func (s *Server) gateMetrics(counter func(name, help string, value float64, labels ...string)) {
	const help = "What was turned away of what this server proposed or was asked for under a tenure: prevented, and no harm done."
	s.gates.each(func(r rejection, count uint64) {
		counter("gate_rejections_total", help, float64(count), "gate", r.gate, "reason", string(r.reason))
	})
	counter("gate_rejections_total", help, float64(s.idsGiven.total().Refused+s.tsoGiven.total().Refused), "gate", gateAllocator, "reason", string(candor.ReasonSchedulerDegraded))
}

// allocMetrics tell what allocators handed out.
func (s *Server) allocMetrics(gauge, counter func(name, help string, value float64, labels ...string)) {
	for _, x := range []struct {
		duty    string
		account *allocated
	}{{tenure.DutyIDs, &s.idsGiven}, {tenure.DutyTSO, &s.tsoGiven}} {
		a := x.account.total()
		counter("alloc_calls_total", "Calls for numbers that were answered.", float64(a.Calls), "duty", x.duty)
		counter("alloc_numbers_total", "Numbers that were handed out.", float64(a.Numbers), "duty", x.duty)
		counter("alloc_waited_total", "Calls that waited for a reservation.", float64(a.Waited), "duty", x.duty)
		counter("alloc_reservations_total", "Reservations made durable.", float64(a.Reservations), "duty", x.duty)
		counter("alloc_reserve_failures_total", "Reservations that failed, as far as is known.", float64(a.ReserveFailures), "duty", x.duty)
		gauge("alloc_waiting", "Calls that wait for a reservation now.", float64(a.Waiting), "duty", x.duty)
	}
}

// violations counts blocked turns by the guarantee that they would have broken.
func violations(records []fsm.Record) map[string]uint64 {
	counts := map[string]uint64{}
	for _, guarantee := range guarantees {
		counts[guarantee] = 0
	}
	for i := range records {
		if guarantee, ok := guarantees[records[i].Invariant]; ok {
			counts[guarantee]++
		}
	}
	return counts
}

// vacancy is a duty that nobody holds.
type vacancy struct {
	duty  string
	since time.Duration
}

// vacancies are the duties of servers that nobody holds, by the word of the leader,
// which knows cluster time and what is in the root; nobody else says anything. A duty
// that was never held counts where this server may hold it.
func (s *Server) vacancies() []vacancy {
	now, leads := s.replica.ClusterTime()
	if !leads {
		return nil
	}
	var out []vacancy
	held := map[string]bool{}
	for _, l := range s.machine.View().Tenures() {
		held[l.Duty.Name] = true
		if strings.HasPrefix(l.Duty.Name, tenure.ControlPrefix) {
			continue // whether anybody controls is the controllers' own affair
		}
		c := &l.Current
		ended := c.SealedAt
		if c.State == tenure.StateActive {
			ended = c.RenewedUntil
		}
		if ended < now {
			out = append(out, vacancy{duty: l.Duty.Name, since: time.Duration(now - ended)})
		}
	}
	for _, d := range s.coordinator.Status() {
		if !held[d.Duty] {
			out = append(out, vacancy{duty: d.Duty, since: time.Since(s.startedAt)})
		}
	}
	return out
}

// vacant are what an operator should know of duties that nobody has held for longer
// than a free one is left to the leader.
func (s *Server) vacant(find func(severity, subject, reason, message, next string)) {
	for _, v := range s.vacancies() {
		if v.since > s.tenureSettings().Grace {
			find("warning", "duty "+v.duty, string(candor.ReasonSchedulerDegraded), "nobody has held it for "+v.since.Round(100*time.Millisecond).String()+": what it does waits",
				"candor tenure get "+v.duty+"; start a server that may hold it (--duties)")
		}
	}
}
