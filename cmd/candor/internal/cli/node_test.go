package cli_test

import (
	"context"
	"fmt"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// node is one server of the shelf: n2, a quarantined follower, at 127.0.0.1:7102
// and n1, the leader, anywhere else.
type node struct {
	shelf   *shelf
	address string
}

func (n node) follows() bool { return n.address == "127.0.0.1:7102" }

// refuse takes refusals of the verb, and of the verb at this address.
func (n node) refuse(verb string) error {
	if err := n.shelf.refuse(verb + "@" + n.address); err != nil {
		return err
	}
	return n.shelf.refuse(verb)
}

func (n node) witness() candor.Witness {
	w := n.shelf.witness()
	if !n.follows() {
		return w
	}
	w.NodeID, w.NodeName, w.BootID = "u-2", "n2", "b-2"
	w.ServedToken = candor.Token{Term: 7, Index: 1040, Revision: 975}
	w.Requested, w.Served, w.Class, w.ServedByLeader, w.Mechanism = "", "", "", false, ""
	w.Leader = &candor.LeaderHint{ServerID: "u-1", Name: "n1", Address: "127.0.0.1:7101", Term: 7}
	w.Mode, w.DegradedReason = candor.ModeViewOnly, "QUARANTINED"
	return w
}

func (n node) Node(context.Context) (*client.NodeReport, error) {
	w := n.witness()
	r := &client.NodeReport{
		NodeID: w.NodeID, NodeName: w.NodeName, BootID: w.BootID, Version: "v0", StartedAt: start.Add(-90 * time.Minute), Role: "Leader", Term: 7,
		Applied: w.ServedToken, CommitIndex: 1042, LastLogIndex: 1043, FirstLogIndex: 1, RestartState: candor.RestartReady, Recovered: true,
		Admissions: []client.AdmissionCount{{Class: candor.AdmitWrite, Reason: candor.ReasonInvalid, Count: 12}, {Class: candor.AdmitRead, Reason: "ACCEPTED"}},
		Disk:       &client.DiskStatus{Path: "/data", FreeBytes: 1 << 30, TotalBytes: 4 << 30, WatermarkBytes: 2 << 30, Pressure: true, LogStore: "wal", OldestWriteInFlight: 3 * time.Second},
		State:      &client.StateStatus{Objects: 1234, Versions: 5678, Bytes: 1 << 20, Floor: 3, FeatureLevel: 1, Digest: "00ff"},
		Addresses:  map[string]string{"raft": "127.0.0.1:7201", "api": n.address}, Witness: &w,
		Raft:  &client.RaftLoad{Main: 0.254, Apply: 0.031},
		Reads: []client.ReadCount{{Freshness: candor.FreshnessStrong, Mechanism: candor.MechanismLeaderReadIndex, Count: 12345}},
		LastAdmissions: []client.AdmissionRecord{
			{At: start.Add(-5 * time.Second), Class: candor.AdmitWrite, Method: "ObjectService/Create", Reason: candor.ReasonInvalid, Actor: "eve"},
			{At: start.Add(-9 * time.Second), Class: candor.AdmitRead, Method: "ObjectService/Get", Reason: "ACCEPTED", Actor: "ana"},
		},
		LastOutcomes: []client.OutcomeRecord{{Actor: "eve", RequestID: "r-1", Outcome: candor.OutcomeFailed, Reason: candor.ReasonConflict}},
		Freshness:    healthyStatus(),
	}
	for i := range 6 {
		r.LastOutcomes = append(r.LastOutcomes, client.OutcomeRecord{
			Actor: "ana", RequestID: fmt.Sprint("r-", i+2), Outcome: candor.OutcomeApplied, Token: candor.Token{Term: 7, Index: 1042, Revision: 977},
		})
	}
	if n.follows() {
		r.Role, r.Leader, r.Freshness, r.Reads = "Follower", w.Leader, quarantinedStatus(), nil
		r.RestartState, r.RestartReason, r.Recovered = candor.RestartCatchUp, "the last stop was no clean one", false
	}
	return r, n.refuse("node")
}

func policy() *client.FreshnessPolicy {
	return &client.FreshnessPolicy{
		FreshLag: 1024, FreshAge: 500 * time.Millisecond, Window: 3 * time.Second, BeaconInterval: 100 * time.Millisecond,
		AutomaticRepair: true, RepairInterval: time.Minute,
	}
}

func healthyStatus() *client.FreshnessStatus {
	return &client.FreshnessStatus{
		CatchUp: candor.CatchUpFresh, Action: candor.CatchUpNone, Mode: candor.ModeHealthy,
		ProofAge: new(40 * time.Millisecond), NewestProofAge: new(40 * time.Millisecond), NewestProofIndex: 1042, NewestProofTerm: 7,
		RootLag: new(uint64(0)), LeaderFirstIndex: 1, Probes: 54321, Policy: policy(), VerifiedIndex: 1041,
	}
}

// quarantinedStatus has no applied proof: what follows from one is absent.
func quarantinedStatus() *client.FreshnessStatus {
	return &client.FreshnessStatus{
		CatchUp: candor.CatchUpRecovering, Action: candor.CatchUpReload, Mode: candor.ModeViewOnly, DegradedReason: "QUARANTINED",
		NewestProofAge: new(70 * time.Millisecond), NewestProofIndex: 1042, NewestProofTerm: 7, RootLag: new(uint64(2)),
		LeaderFirstIndex: 1, Probes: 99, ProbesFailed: 3, ProbeFailure: "the leader does not answer", Policy: policy(),
		ViewOnlyByOperator: true, VerifiedIndex: 1030, Alarm: "three digests at index 1031, and no majority",
		Quarantine: &client.Quarantine{
			Index: 1040, Digest: []byte{0xaa}, MajorityDigest: []byte{0xbb}, Since: start.Add(-3 * time.Minute), RepairsTried: 2,
			LastFailure: "no verified peer can be reached",
		},
	}
}

func (n node) Digests(context.Context, uint64) ([]client.IndexDigest, error) {
	last := client.IndexDigest{Index: 1042, Digest: []byte{2}}
	if n.follows() {
		last = client.IndexDigest{Index: 1040, Digest: []byte{3}}
	}
	return []client.IndexDigest{{Index: 1030, Digest: []byte{1}}, last}, n.refuse("digests")
}

func (n node) Records(context.Context) ([]client.TurnRecord, error) {
	return []client.TurnRecord{{Index: 12, Reason: candor.ReasonInvariantViolated, Invariant: "SectionWriter", Subject: "widgets/default/web", Actor: "eve", Detail: "spec by an observer"}}, n.refuse("records")
}

// Freshness is that of a leader, and of a follower that misses two entries. No
// rule is applied here: the verdicts are made up.
func (n node) Freshness(_ context.Context, bounds client.FreshnessBounds) (*client.NodeFreshness, error) {
	n.shelf.log = append(n.shelf.log, fmt.Sprintf("try age %s, lag %s", bounds.MaxStaleness, lagOf(bounds.MaxLag)))
	leader := n.shelf.witness()
	leader.StalenessBound, leader.RootLag = new(800*time.Microsecond), new(uint64(0))
	f := &client.NodeFreshness{Witness: &leader, Verdicts: []client.ClassVerdict{
		{Freshness: candor.FreshnessStrong, Served: true, Witness: &leader, Took: 700 * time.Microsecond},
	}}
	if !n.follows() {
		return f, n.refuse("freshness")
	}
	w := n.witness()
	w.Mode, w.DegradedReason, w.CatchUp = candor.ModeRootLagging, "PROOF_AGE", candor.CatchUpLagging
	f.Witness = &w
	asked, proven, viewed := w, w, w
	asked.Served, asked.Mechanism, asked.Class = candor.FreshnessStrong, candor.MechanismFollowerReadIndex, candor.ServingAuthoritative
	asked.StalenessBound, asked.RootLag = new(3*time.Millisecond), new(uint64(0))
	proven.StalenessBound, proven.RootLag = new(1200*time.Millisecond), new(uint64(2))
	viewed.Served, viewed.Mechanism, viewed.Class = candor.FreshnessBestEffort, candor.MechanismView, candor.ServingDegraded
	f.Verdicts = []client.ClassVerdict{
		{Freshness: candor.FreshnessStrong, Reason: candor.ReasonNotLeader, Retry: candor.RetryLeader, Message: "this server does not lead", Witness: &w, Took: 20 * time.Microsecond},
		{Freshness: candor.FreshnessStrong, FollowerReadIndex: true, Served: true, Witness: &asked, Took: 3 * time.Millisecond},
		{Freshness: candor.FreshnessBounded, Reason: candor.ReasonStalenessExceeded, Retry: candor.RetryOtherNode, Message: "the newest applied proof is 1.2s old, 1s was allowed", Witness: &proven, Took: 9 * time.Millisecond},
		{Freshness: candor.FreshnessBestEffort, Served: true, Witness: &viewed, Took: 10 * time.Microsecond},
	}
	return f, n.refuse("freshness")
}

func lagOf(lag *uint64) string {
	if lag == nil {
		return "any"
	}
	return fmt.Sprint(*lag)
}

func (n node) SetViewOnly(_ context.Context, on bool) (changed bool, w candor.Witness, err error) {
	n.shelf.log = append(n.shelf.log, fmt.Sprintf("set view-only %t at %s", on, n.address))
	w = n.witness()
	if on {
		w.Mode, w.DegradedReason = candor.ModeViewOnly, "OPERATOR"
	}
	return !n.follows(), w, n.refuse("view-only")
}

func (n node) Repair(context.Context) (*client.Repaired, error) {
	n.shelf.log = append(n.shelf.log, "repair "+n.address)
	w := n.shelf.witness()
	return &client.Repaired{Source: "u-1", VerifiedIndex: 1042, Witness: &w}, n.refuse("repair")
}

// catchUp is what a follower went through.
var catchUp = []client.CatchUpChange{
	{At: start, TokenBefore: candor.Token{Term: 6, Index: 900, Revision: 800}, TokenAfter: candor.Token{Term: 6, Index: 900, Revision: 800}, CatchUp: candor.CatchUpBootstrapRequired, Action: candor.CatchUpBootstrap, Mode: candor.ModeRootLagging, DegradedReason: "LAG"},
	{At: start.Add(time.Second), TokenBefore: candor.Token{Term: 6, Index: 900, Revision: 800}, TokenAfter: candor.Token{Term: 7, Index: 1042, Revision: 977}, CatchUp: candor.CatchUpFresh, Action: candor.CatchUpNone, Mode: candor.ModeHealthy},
	{At: start.Add(2 * time.Second), TokenBefore: candor.Token{Term: 7, Index: 1042, Revision: 977}, TokenAfter: candor.Token{Term: 7, Index: 1042, Revision: 977}, Action: candor.CatchUpNone, Mode: candor.ModeRootUnavailable, DegradedReason: "NO_PROOF"},
}

// changes deliver a catch-up; then the server ends.
type changes struct {
	shelf *shelf
	left  []client.CatchUpChange
}

func (c *changes) Next(context.Context) (client.CatchUpChange, error) {
	if len(c.left) == 0 {
		return client.CatchUpChange{}, candor.Errorf(candor.ReasonUnavailable, "the server ended the stream")
	}
	next := c.left[0]
	c.left = c.left[1:]
	return next, c.shelf.refuse("change")
}

func (c *changes) Close() error { return nil }
