package server

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator"
	"github.com/candor-plane/candor/coordinator/monitor"
	"github.com/candor-plane/candor/coordinator/scheduler"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/tenure"
)

// verifyDuty looks for promises that are not kept.
type verifyDuty struct{ s *Server }

func (d *verifyDuty) Name() string { return tenure.DutyVerify }

func (d *verifyDuty) Run(ctx context.Context, g *coordinator.Grant) error {
	c := d.s.mirror.use()
	defer d.s.mirror.leave(c)
	m := monitor.New(monitor.Config{
		Store: c.store, Root: &verified{d.s}, Writer: &dutyWriter{d.s, g}, Logger: d.s.logger.Named("verify"),
		Now: func() int64 { return (&candidate{d.s}).Now().ClusterTime },
	})
	d.s.verifying.begin(m.Stats)
	defer d.s.verifying.end()
	return c.whileCopied(ctx, m.Run)
}

// verified is what the verifier sees of the root.
type verified struct{ s *Server }

func (v *verified) Beat(nodeUID string) (int64, time.Duration, bool) {
	return beats(*v).Beat(nodeUID)
}

func (v *verified) Tenures() []tenure.Lineage { return v.s.machine.View().Tenures() }

// Standing is by the word of the leader, where the executor is.
func (v *verified) Standing() ([]monitor.Standstill, bool) {
	if !v.s.replica.Leading() {
		return nil, false
	}
	var out []monitor.Standstill
	for _, t := range v.s.stalled() {
		message := fmt.Sprintf("%s is %s: %s", t.Plan.Kind, t.Status.Phase, t.Stalled.Cause)
		if t.Status.Message != "" {
			message += "; " + t.Status.Message
		}
		out = append(out, monitor.Standstill{
			ID: t.Plan.ID(), Message: message, Next: "candor transition get " + t.Plan.ID(), Owner: carriedOutBy(&t.Plan), Since: t.Stalled.Since,
		})
	}
	return out, true
}

func (v *verified) Findings() ([]monitor.Stored, error) { return findingsIn(v.s.machine.View()) }

func (v *verified) Replay(of candor.VersionRef, d *candor.Decision) candor.Replay {
	_, replay := again(v.s.machine.View(), of.Ref, d, scheduler.Brief)
	return replay
}

// findingsIn are all findings of a view. One that does not read has no status: whoever
// writes it next gives it one.
func findingsIn(view *fsm.View) ([]monitor.Stored, error) {
	var out []monitor.Stored
	var failed error
	err := view.List(candor.KindFindings, "", "", 0, func(v *mvcc.Version) bool {
		var o *candor.Object
		if o, failed = v.Object(); failed != nil {
			return false
		}
		s := monitor.Stored{Name: o.Metadata.Name, UID: o.Metadata.UID, ResourceVersion: o.Metadata.ResourceVersion}
		if len(o.Status) > 0 && json.Unmarshal(o.Status, &s.Status) != nil {
			s.Status = candor.FindingStatus{}
		}
		out = append(out, s)
		return true
	})
	if err == nil {
		err = failed
	}
	return out, err
}

// mostUnkept is how many broken promises the status of a server names.
const mostUnkept = 32

// unkept are findings of the duty verify that are open: what is stuck, why, and what to
// do about it. Transitions at a standstill are told by the leader itself.
func (s *Server) unkept(find func(severity, subject, reason, message, next string)) {
	all, err := findingsIn(s.machine.View())
	if err != nil {
		find("warning", "findings", string(candor.ReasonOf(err)), "what the verifier found cannot be read: "+err.Error(), "candor get findings")
		return
	}
	all = slices.DeleteFunc(all, func(f monitor.Stored) bool {
		return !f.Status.Open || f.Status.Promise == string(monitor.TransitionMoves)
	})
	slices.SortStableFunc(all, func(a, b monitor.Stored) int {
		switch {
		case a.Status.Safety != b.Status.Safety:
			return int(truth(b.Status.Safety) - truth(a.Status.Safety))
		case a.Status.Since < b.Status.Since:
			return -1
		case a.Status.Since > b.Status.Since:
			return 1
		default:
			return 0
		}
	})
	now := (&candidate{s}).Now().ClusterTime
	for i := range all[:min(len(all), mostUnkept)] {
		f := &all[i].Status
		severity := "warning"
		if f.Safety {
			severity = "critical"
		}
		find(severity, f.Subject.String(), f.Promise, toldOf(f, now), f.Repair)
	}
	if more := len(all) - mostUnkept; more > 0 {
		find("warning", "findings", string(monitor.EveryFindingIsShown), fmt.Sprintf("%d more promises are not kept", more), "candor get findings")
	}
}

// toldOf is a finding in a sentence: what, since when, why, and whose.
func toldOf(f *candor.FindingStatus, now int64) string {
	message := f.Message
	if f.Cause != "" {
		message += "; " + f.Cause
	}
	message += "; for " + time.Duration(max(0, now-f.Since)).Round(time.Second).String()
	if f.Owner != "" {
		message += "; to be mended by " + f.Owner
	}
	return message
}
