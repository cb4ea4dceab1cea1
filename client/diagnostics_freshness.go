package client

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// FreshnessStatus is what a node knows of how far its view is behind. What it
// does not know is nil, 0 or empty as told.
type FreshnessStatus struct {
	CatchUp        candor.CatchUpState  `json:"catchUpState,omitempty"`
	Action         candor.CatchUpAction `json:"catchUpAction,omitempty"`
	Mode           candor.DegradedMode  `json:"degradedMode,omitempty"`
	DegradedReason string               `json:"degradedReason,omitempty"`
	// ProofAge is of the newest applied proof, NewestProofAge of the newest one,
	// applied or not; nil where there is none.
	ProofAge         *time.Duration `json:"proofAge,omitempty"`
	NewestProofAge   *time.Duration `json:"newestProofAge,omitempty"`
	NewestProofIndex uint64         `json:"newestProofIndex,omitempty"`
	NewestProofTerm  uint64         `json:"newestProofTerm,omitempty"`
	RootLag          *uint64        `json:"rootLag,omitempty"`
	// LeaderFirstIndex is the first that the leader's log held at the newest
	// proof; 0 when not known.
	LeaderFirstIndex uint64 `json:"leaderFirstIndex,omitempty"`
	Probes           uint64 `json:"probes"`
	ProbesFailed     uint64 `json:"probesFailed"`
	// ProbeFailure is why the newest probe failed, if it did.
	ProbeFailure       string           `json:"probeFailure,omitempty"`
	Policy             *FreshnessPolicy `json:"policy,omitempty"`
	Quarantine         *Quarantine      `json:"quarantine,omitempty"`
	ViewOnlyByOperator bool             `json:"viewOnlyByOperator"`
	// VerifiedIndex is the newest at which a majority's digests agreed with the
	// node's; 0 for none.
	VerifiedIndex uint64 `json:"verifiedIndex,omitempty"`
	// Alarm is digests that differ where no majority agrees.
	Alarm string `json:"alarm,omitempty"`
}

// FreshnessPolicy is when a node calls itself behind, and what it does then.
type FreshnessPolicy struct {
	// FreshLag is in log entries.
	FreshLag        uint64        `json:"freshLag"`
	FreshAge        time.Duration `json:"freshAge"`
	Window          time.Duration `json:"window"`
	BeaconInterval  time.Duration `json:"beaconInterval"`
	AutomaticRepair bool          `json:"automaticRepair"`
	RepairInterval  time.Duration `json:"repairInterval"`
}

// Quarantine is why a node does not trust its own view: a majority of the
// voters had another digest at the index.
type Quarantine struct {
	Index          uint64    `json:"index"`
	Digest         []byte    `json:"digest"`
	MajorityDigest []byte    `json:"majorityDigest"`
	Since          time.Time `json:"since,omitzero"`
	RepairsTried   uint32    `json:"repairsTried"`
	LastFailure    string    `json:"lastFailure,omitempty"`
}

// FreshnessBounds are what the reads of a trial ask for.
type FreshnessBounds struct {
	// MaxStaleness; 0 for the default.
	MaxStaleness time.Duration
	// MaxLag, in log entries; nil for none.
	MaxLag *uint64
}

// NodeFreshness is what each class of reads would get at one node.
type NodeFreshness struct {
	Verdicts []ClassVerdict  `json:"verdicts"`
	Witness  *candor.Witness `json:"witness,omitempty"`
}

// ClassVerdict is what one class of reads gets at one node.
type ClassVerdict struct {
	Freshness candor.Freshness `json:"freshness"`
	// FollowerReadIndex: with the option of that name.
	FollowerReadIndex bool `json:"followerReadIndex"`
	Served            bool `json:"served"`
	// Reason is why it is refused, Retry what a client may do about it.
	Reason  candor.Reason     `json:"reason,omitempty"`
	Message string            `json:"message,omitempty"`
	Retry   candor.RetryClass `json:"retryClass,omitempty"`
	// Witness is the answer's or the refusal's.
	Witness *candor.Witness `json:"witness,omitempty"`
	// Breach is how the witness of an answer breaks the promise of its class, by
	// the node's own word; nil where it keeps it. A read would refuse the answer.
	Breach *WitnessError `json:"breach,omitempty"`
	Took   time.Duration `json:"took"`
}

// Freshness has the node try a read of each class and tell what came of it, and
// why. It takes as long as such reads take.
func (d *Diagnostics) Freshness(ctx context.Context, bounds FreshnessBounds) (*NodeFreshness, error) {
	f, err := d.freshness(ctx, bounds)
	return f, candor.Wrap("freshness of "+d.addr, err)
}

func (d *Diagnostics) freshness(ctx context.Context, bounds FreshnessBounds) (*NodeFreshness, error) {
	in := &candorv1.FreshnessRequest{MaxRootLag: bounds.MaxLag}
	if bounds.MaxStaleness != 0 {
		in.MaxStaleness = durationpb.New(bounds.MaxStaleness)
	}
	out := new(candorv1.FreshnessResponse)
	w, err := d.ask(ctx, candorv1.DiagnosticsService_Freshness_FullMethodName, in, out)
	if err != nil {
		return nil, err
	}
	f := &NodeFreshness{Witness: w}
	for _, v := range out.GetVerdicts() {
		verdict := ClassVerdict{
			Freshness: convert.FreshnessFromProto(v.GetFreshness()), FollowerReadIndex: v.GetAllowFollowerReadIndex(),
			Served: v.GetServed(), Reason: candor.Reason(v.GetReason()), Message: v.GetMessage(),
			Retry: candor.RetryClass(v.GetRetryClass()), Witness: convert.WitnessFromProto(v.GetWitness()), Took: v.GetTook().AsDuration(),
		}
		verdict.judge(bounds)
		f.Verdicts = append(f.Verdicts, verdict)
	}
	return f, nil
}

// judge holds the witness of an answer against what its class promises.
func (v *ClassVerdict) judge(bounds FreshnessBounds) {
	if !v.Served || v.Witness == nil {
		return
	}
	q := freshness.Request{
		Class: v.Freshness, MaxLag: bounds.MaxLag, MaxStaleness: orDefault(bounds.MaxStaleness, freshness.DefaultMaxStaleness),
		FollowerReadIndex: v.FollowerReadIndex,
	}
	if b := verify(&q, v.Witness); b != nil {
		v.Breach = witnessError(v.Witness, b)
	}
}

func freshnessStatus(p *candorv1.FreshnessStatus) *FreshnessStatus {
	if p == nil {
		return nil
	}
	return &FreshnessStatus{
		CatchUp: convert.CatchUpStateFromProto(p.GetCatchUpState()), Action: convert.CatchUpActionFromProto(p.GetCatchUpAction()),
		Mode: convert.DegradedModeFromProto(p.GetDegradedMode()), DegradedReason: p.GetDegradedReason(),
		ProofAge: proven(p.GetProofAge()), NewestProofAge: proven(p.GetNewestProofAge()),
		NewestProofIndex: p.GetNewestProofIndex(), NewestProofTerm: p.GetNewestProofTerm(), RootLag: p.RootLag,
		LeaderFirstIndex: p.GetLeaderFirstIndex(), Probes: p.GetProbes(), ProbesFailed: p.GetProbesFailed(), ProbeFailure: p.GetProbeFailure(),
		Policy: freshnessPolicy(p.GetPolicy()), Quarantine: quarantine(p.GetQuarantine()), ViewOnlyByOperator: p.GetViewOnlyByOperator(),
		VerifiedIndex: p.GetVerifiedIndex(), Alarm: p.GetAlarm(),
	}
}

func freshnessPolicy(p *candorv1.FreshnessPolicy) *FreshnessPolicy {
	if p == nil {
		return nil
	}
	return &FreshnessPolicy{
		FreshLag: p.GetFreshLag(), FreshAge: p.GetFreshAge().AsDuration(), Window: p.GetWindow().AsDuration(),
		BeaconInterval: p.GetBeaconInterval().AsDuration(), AutomaticRepair: p.GetAutomaticRepair(),
		RepairInterval: p.GetRepairInterval().AsDuration(),
	}
}

func quarantine(p *candorv1.Quarantine) *Quarantine {
	if p == nil {
		return nil
	}
	q := &Quarantine{
		Index: p.GetIndex(), Digest: p.GetDigest(), MajorityDigest: p.GetMajorityDigest(),
		RepairsTried: p.GetRepairsTried(), LastFailure: p.GetLastFailure(),
	}
	if since := p.GetSince(); since != nil {
		q.Since = since.AsTime()
	}
	return q
}

// proven keeps absent what is absent.
func proven(p *durationpb.Duration) *time.Duration {
	if p == nil {
		return nil
	}
	d := p.AsDuration()
	return &d
}
