package server

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
	"github.com/candor-plane/candor/fsm"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server/grpcapi"
	"github.com/candor-plane/candor/server/read"
	"github.com/candor-plane/candor/server/replica"
	"github.com/candor-plane/candor/server/trust"
)

// Freshness is when a server calls itself behind, and what it does about it.
type Freshness struct {
	Policy freshness.Policy
	// Beacon is how often a server has its view's age proven.
	Beacon time.Duration
	// ManualRepair leaves a quarantined view as it is until an operator asks.
	ManualRepair bool
	// RepairInterval is how soon a repair that failed is tried again.
	RepairInterval time.Duration
}

// DefaultFreshness has a view's age proven eight times a second: measured to cost less than 1 %
// of a core in an idle cluster of three, and to leave bounds below 150 ms.
func DefaultFreshness() Freshness {
	return Freshness{Policy: freshness.DefaultPolicy(), Beacon: 125 * time.Millisecond, RepairInterval: 30 * time.Second}
}

func (f *Freshness) check() error {
	switch {
	case f.Beacon == 0:
		return nil // the default
	case f.Beacon < 5*time.Millisecond:
		return candor.Errorf(candor.ReasonUsage, "server: --beacon %s: want at least 5ms", f.Beacon)
	case f.RepairInterval < time.Millisecond:
		return candor.Errorf(candor.ReasonUsage, "server: --repair-interval %s: want at least 1ms", f.RepairInterval)
	case f.Policy.FreshAge <= f.Beacon:
		return candor.Errorf(candor.ReasonUsage, "server: --fresh-age %s: want more than the beacon's interval, %s", f.Policy.FreshAge, f.Beacon)
	}
	if err := f.Policy.Check(); err != nil {
		return candor.Errorf(candor.ReasonUsage, "server: %w", err)
	}
	return nil
}

// wireReads builds what serves views and what says whether they may be relied on.
func (s *Server) wireReads() (err error) {
	f := &s.config.Freshness
	s.trust, err = trust.New(trust.Config{
		Store: &trustStore{s.dir}, Digests: ownDigests{s.machine}, Repairer: &repairer{s}, Automatic: !f.ManualRepair, Interval: f.RepairInterval,
		Distrust: s.replica.Distrust, Logger: s.logger.Named("trust"),
	})
	if err != nil {
		return err
	}
	s.reader = read.New(read.Config{
		Identity: read.Identity{NodeID: s.serverID, NodeName: s.config.Name, BootID: s.bootID},
		Machine:  s.machine, Root: &root{s}, Node: &self{s}, Trust: s.trust, Policy: f.Policy, Beacon: f.Beacon,
	})
	return nil
}

// root is what reads need of the replica.
type root struct{ s *Server }

func (r *root) Confirm(ctx context.Context) (read.Proof, error) {
	return proofOf(r.s.replica.Confirm(ctx))
}

func (r *root) Prove(ctx context.Context) (read.Proof, error) {
	return proofOf(r.s.replica.Prove(ctx))
}

func proofOf(p replica.Proof, err error) (read.Proof, error) {
	return read.Proof{Index: p.Index, Term: p.Term, Began: p.Began, Root: p.Root, First: p.First, Agreed: p.Agreed}, err
}

func (r *root) Elapsed(since time.Duration) time.Duration { return r.s.replica.Elapsed(since) }

func (r *root) WaitApplied(ctx context.Context, index uint64) error {
	return r.s.replica.WaitApplied(ctx, index)
}

// self is what the server knows of itself.
type self struct{ s *Server }

func (n *self) Observe() read.Observed {
	o := n.s.replica.Observe()
	return read.Observed{
		Leads: o.Leading, LeaderKnown: o.LeaderKnown, Draining: o.Closing || n.s.ending(), LastLog: o.LastIndex,
		Recovered: o.Recovered, Installing: o.Installing, UpdatedAt: o.UpdatedAt,
	}
}

func (n *self) Leader() *candor.LeaderHint { return n.s.leader() }

// ownDigests are of this server's state.
type ownDigests struct{ machine *fsm.Machine }

func (d ownDigests) DigestAt(index uint64) (fsm.IndexDigest, bool) { return d.machine.DigestAt(index) }

func (d ownDigests) Applied() uint64 { return d.machine.View().Token().Index }

// views is the reader as the API sees it.
type views struct{ *read.Reader }

func (v views) Conditions(after uint64) ([]grpcapi.NodeCondition, uint64, <-chan struct{}) {
	changes, position, next := v.Changes(after)
	out := make([]grpcapi.NodeCondition, len(changes))
	for i := range changes {
		c := &changes[i]
		out[i] = grpcapi.NodeCondition{
			Before: c.Before, After: c.After, At: c.At, State: c.Condition.CatchUp, Action: c.Condition.Action, Mode: c.Condition.Mode,
			Reason: string(c.Condition.Reason), Quarantined: c.Condition.Reason == freshness.ReasonQuarantined,
		}
	}
	return out, position, next
}

// freshness is what diagnostics tell of it.
func (n *node) freshness() *candorv1.FreshnessStatus {
	s, t, audit := n.s.reader.Status(), n.s.trust.Status(), n.s.replica.AuditStatus()
	out := &candorv1.FreshnessStatus{
		CatchUpState: convert.CatchUpStateToProto(s.Condition.CatchUp), CatchUpAction: convert.CatchUpActionToProto(s.Condition.Action),
		DegradedMode: convert.DegradedModeToProto(s.Condition.Mode), DegradedReason: string(s.Condition.Reason),
		ProofAge: durationOrNil(s.ProofAge), NewestProofAge: durationOrNil(s.NewestAge), NewestProofIndex: s.NewestIndex, NewestProofTerm: s.NewestTerm,
		RootLag: s.Lag, LeaderFirstIndex: s.LeaderFirst, Probes: s.Probes, ProbesFailed: s.ProbesFailed, ProbeFailure: s.Failure,
		Policy: &candorv1.FreshnessPolicy{
			FreshLag: s.Policy.FreshLag, FreshAge: durationpb.New(s.Policy.FreshAge), Window: durationpb.New(s.Policy.Window),
			BeaconInterval: durationpb.New(s.Beacon), AutomaticRepair: t.Automatic, RepairInterval: durationpb.New(t.Interval),
		},
		ViewOnlyByOperator: t.Operator, VerifiedIndex: t.Verified, Alarm: audit.Alarm,
	}
	if q := t.Quarantine; q != nil {
		out.Quarantine = &candorv1.Quarantine{
			Index: q.Index, Digest: q.Digest[:], MajorityDigest: q.Majority[:], Since: timestamppb.New(q.Since),
			RepairsTried: uint32(t.Tried), LastFailure: t.Failure,
		}
	}
	return out
}

// reads counts those served since the start.
func (n *node) reads() []*candorv1.ReadCount {
	var out []*candorv1.ReadCount
	for _, c := range n.s.reader.Status().Reads {
		out = append(out, &candorv1.ReadCount{Freshness: convert.FreshnessToProto(c.Class), Mechanism: convert.MechanismToProto(c.Mechanism), Count: c.Count})
	}
	return out
}

func durationOrNil(d *time.Duration) *durationpb.Duration {
	if d == nil {
		return nil
	}
	return durationpb.New(*d)
}
