package client_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

func TestStatusIsTheNodesOwnWord(t *testing.T) {
	s := newStage(t, three...)
	n2 := s.node("n2")
	n2.on("Status", func(c *call) error {
		return c.send(&candorv1.StatusResponse{
			ClusterId: "c1", HistoryId: "h1", NodeId: "n2-id", NodeName: "n2", Role: "Follower", Term: 3,
			Leader: &candorv1.LeaderHint{ServerId: "n1-id", Term: 3}, Applied: &candorv1.RootToken{Term: 3, Index: 9, Revision: 8},
			CommitIndex: 10, ConfigurationIndex: 4, Floor: 2, FeatureLevel: 1, Objects: 5, StateBytes: 6, QuotaBytes: 7,
			RestartState: "CATCH_UP", RestartReason: "crashed", Recovered: true, ClusterTime: new(int64(77)), Version: "v1", Insecure: true,
			Findings: []*candorv1.Finding{{Severity: "WARNING", Subject: "disk", Reason: "DISK_PRESSURE", Message: "m", NextAction: "a"}},
		})
	})
	c := s.client(three)
	got, err := c.Cluster().Status(t.Context(), client.OnEndpoint("n2:1"))
	noError(t, err)
	want := &client.ClusterStatus{
		ClusterID: "c1", HistoryID: "h1", NodeID: "n2-id", NodeName: "n2", Role: "Follower", Term: 3,
		Leader: &candor.LeaderHint{ServerID: "n1-id", Term: 3}, Applied: candor.Token{Term: 3, Index: 9, Revision: 8},
		CommitIndex: 10, ConfigurationIndex: 4, Floor: 2, FeatureLevel: 1, Objects: 5, StateBytes: 6, QuotaBytes: 7,
		RestartState: candor.RestartCatchUp, RestartReason: "crashed", Recovered: true, ClusterTime: 77, Version: "v1", Insecure: true,
		Findings: []client.Finding{{Severity: "WARNING", Subject: "disk", Reason: "DISK_PRESSURE", Message: "m", NextAction: "a"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

func TestMembershipChangesReachTheLeader(t *testing.T) {
	s := newStage(t, "n1", "n2")
	n1, n2 := s.node("n1"), s.node("n2")
	w := func() *candorv1.Witness { return n1.witness(token(5), n1) }
	hint := uint64(12)
	members := []*candorv1.Member{{
		ServerId: "n1-id", Name: "n1", Voter: true, Leader: true, RaftAddress: "n1-id@r", RaftEndpoint: "r", ApiAddress: "n1:1", Liveness: "ALIVE",
		Version: "v1", FeatureLevel: 1, AppliedHint: &hint,
	}}
	answers := map[string]script{
		"Members": func(c *call) error {
			return c.send(&candorv1.MembersResponse{Members: members, ConfigurationIndex: 3, Witness: w()})
		},
		"Join": func(c *call) error {
			return c.send(&candorv1.JoinResponse{ClusterId: "c1", HistoryId: "h1", ConfigurationIndex: 4, Members: members, Witness: w()})
		},
		"Promote": func(c *call) error {
			return c.send(&candorv1.PromoteResponse{ConfigurationIndex: 5, VotedAlready: true, Witness: w()})
		},
		"TransferLeader": func(c *call) error {
			return c.send(&candorv1.TransferLeaderResponse{Leader: &candorv1.LeaderHint{ServerId: "n2-id", Name: "n2", Address: "n2:1", Term: 9}, Witness: w()})
		},
		"RaiseFeatureLevel": func(c *call) error {
			return c.send(&candorv1.RaiseFeatureLevelResponse{Level: 2, Witness: w()})
		},
		"Compact": func(c *call) error { return c.send(&candorv1.CompactResponse{Floor: 40, Witness: w()}) },
		"Status":  n1.statuses(token(5), n1),
	}
	for method, f := range answers {
		n1.on(method, f)
		n2.on(method, notLeader(n1, 1))
	}
	n2.on("Members", func(c *call) error {
		return c.send(&candorv1.MembersResponse{Members: members, ConfigurationIndex: 3, Witness: n2.ownWord(token(5), n1)})
	})
	n2.on("Status", n2.statuses(token(5), n1))
	k := s.client([]string{"n2"}).Cluster()
	ctx := t.Context()

	list, err := k.Members(ctx)
	noError(t, err)
	want := []client.Member{{
		ServerID: "n1-id", Name: "n1", Voter: true, Leader: true, RaftAddress: "n1-id@r", RaftEndpoint: "r", APIAddress: "n1:1", Liveness: "ALIVE",
		Version: "v1", FeatureLevel: 1, AppliedHint: &hint,
	}}
	if diff := cmp.Diff(want, list.Members); diff != "" || list.ConfigurationIndex != 3 {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	joined, err := k.Join(ctx, client.JoinRequest{ServerID: "n3-id", Name: "n3", RaftAddress: "r3", APIAddress: "a3", FeatureLevel: 1})
	noError(t, err)
	if diff := cmp.Diff(&client.Joined{ClusterID: "c1", HistoryID: "h1", ConfigurationIndex: 4, Members: want}, joined); diff != "" {
		t.Errorf("joined (-want +got):\n%s", diff)
	}
	promoted, err := k.Promote(ctx, "n3", 4)
	noError(t, err)
	level, err := k.RaiseFeatureLevel(ctx, 2)
	noError(t, err)
	floor, err := k.Compact(ctx, 40)
	noError(t, err)
	if want := (client.Promoted{ConfigurationIndex: 5, VotedAlready: true}); promoted != want || level != 2 || floor != 40 {
		t.Errorf("promoted %+v, level %d, floor %d", promoted, level, floor)
	}
	if n1.arrived("Compact")[0].in.(*candorv1.CompactRequest).GetWrite().GetRequestId() == "" {
		t.Error("a compaction is not repeatable")
	}
	leader, err := k.TransferLeader(ctx, "n2")
	noError(t, err)
	if leader.Leader.Name != "n2" || n2.count("Promote")+n2.count("Compact") != 0 {
		t.Errorf("leader %+v; n2 was asked although n1 was known to lead", leader)
	}
}

func (n *node) chunks(end error, chunks ...string) script {
	return func(c *call) error {
		for i, chunk := range chunks {
			m := &candorv1.SnapshotResponse{Chunk: []byte(chunk), EstimatedBytes: 6}
			if i == 0 {
				m.Token = &candorv1.RootToken{Term: 1, Index: 5, Revision: 5}
				m.Witness = n.witness(token(5), n)
			}
			if err := c.send(m); err != nil {
				return err
			}
		}
		return end
	}
}

func TestASnapshotIsStreamedWithItsProgress(t *testing.T) {
	s := newStage(t, "n1", "n2")
	s.node("n1").on("Snapshot", refuses(&candor.Error{Reason: candor.ReasonViewUnavailable}))
	n2 := s.node("n2")
	n2.on("Snapshot", n2.chunks(nil, "ab", "cd", "efg"))
	c := s.client([]string{"n1", "n2"})
	var out bytes.Buffer
	var seen [][2]uint64
	info, err := c.Cluster().Snapshot(t.Context(), &out, func(written, estimated uint64) {
		seen = append(seen, [2]uint64{written, estimated})
	})
	noError(t, err)
	if out.String() != "abcdefg" || info.Bytes != 7 || info.Token != token(5) || info.Witness.NodeName != "n2" {
		t.Errorf("wrote %q, info %+v", out.String(), info)
	}
	if diff := cmp.Diff([][2]uint64{{2, 6}, {4, 6}, {7, 6}}, seen); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}

func TestASnapshotThatIsCutShortIsAnErrorAndNotBegunAgain(t *testing.T) {
	s := newStage(t, "n1", "n2")
	for _, n := range []*node{s.node("n1"), s.node("n2")} {
		n.on("Snapshot", n.chunks(errCut, "ab"))
	}
	c := s.client([]string{"n1", "n2"})
	var out bytes.Buffer
	info, err := c.Cluster().Snapshot(t.Context(), &out, nil)
	wantReason(t, err, candor.ReasonUnavailable)
	if out.String() != "ab" || info.Bytes != 2 {
		t.Errorf("wrote %q", out.String())
	}
	full := errors.New("disk full")
	_, err = c.Cluster().Snapshot(t.Context(), failing{full}, nil)
	if !errors.Is(err, full) {
		t.Errorf("got %v, want the writer's error", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

var _ io.Writer = failing{}

func TestASnapshotOfANodeThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1")
		s.node("n1").on("Snapshot", hangs)
		c := s.client([]string{"n1"})
		start := time.Now()
		_, err := c.Cluster().Snapshot(t.Context(), discard{}, nil)
		wantReason(t, err, candor.ReasonTimedOut)
		if took := time.Since(start); took != client.DefaultTimeout {
			t.Errorf("given up after %v", took)
		}
	})
}

func TestDiagnosticsAskOneNode(t *testing.T) {
	s := newStage(t, "n1", "n2")
	n2 := s.node("n2")
	began := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	n2.on("Node", func(c *call) error {
		return c.send(&candorv1.NodeResponse{
			NodeId: "n2-id", NodeName: "n2", BootId: "b", Version: "v1", StartedAt: timestamppb.New(began), Role: "Follower",
			Term: 1, Applied: &candorv1.RootToken{Term: 1, Index: 2, Revision: 3}, CommitIndex: 4, LastLogIndex: 5,
			FirstLogIndex: 6, SnapshotIndex: 7, RestartState: "CATCH_UP", RestartReason: "crash",
			Admissions: []*candorv1.AdmissionCount{{Class: "WRITE", Reason: "NOT_LEADER", Count: 8}},
			Disk: &candorv1.DiskStatus{
				Path: "/data", FreeBytes: 9, TotalBytes: 10, WatermarkBytes: 11, Pressure: true, LogStore: "wal",
				OldestWriteInFlight: durationpb.New(time.Second),
			},
			Queue: &candorv1.QueueStatus{QueuedCommands: 12, QueuedBytes: 13, LimitCommands: 14, LimitBytes: 15},
			State: &candorv1.StateStatus{
				Objects: 16, Versions: 17, Bytes: 18, QuotaBytes: 19, Floor: 20, RequestsRemembered: 21, CascadesPending: 22,
				TurnFaults: 23, Violations: 24, FeatureLevel: 25, Digest: "d",
			},
			Addresses: map[string]string{"api": "n2:1"},
		})
	})
	n2.on("Digests", func(c *call) error {
		return c.send(&candorv1.DigestsResponse{Digests: []*candorv1.IndexDigest{{Index: 5, Digest: []byte("x")}}})
	})
	n2.on("Records", func(c *call) error {
		return c.send(&candorv1.RecordsResponse{Records: []*candorv1.TurnRecord{
			{Index: 1, Ordinal: 2, Reason: "TURN_FAULT", Invariant: "i", Subject: "s", Actor: "a", Detail: "d"},
		}})
	})
	c := s.client([]string{"n1"})
	d := c.Diagnostics("n2:1")
	got, err := d.Node(t.Context())
	noError(t, err)
	want := &client.NodeReport{
		NodeID: "n2-id", NodeName: "n2", BootID: "b", Version: "v1", StartedAt: began, Role: "Follower", Term: 1,
		Applied: candor.Token{Term: 1, Index: 2, Revision: 3}, CommitIndex: 4, LastLogIndex: 5, FirstLogIndex: 6, SnapshotIndex: 7,
		RestartState: candor.RestartCatchUp, RestartReason: "crash",
		Admissions: []client.AdmissionCount{{Class: candor.AdmitWrite, Reason: candor.ReasonNotLeader, Count: 8}},
		Disk: &client.DiskStatus{
			Path: "/data", FreeBytes: 9, TotalBytes: 10, WatermarkBytes: 11, Pressure: true, LogStore: "wal", OldestWriteInFlight: time.Second,
		},
		Queue: &client.QueueStatus{QueuedCommands: 12, QueuedBytes: 13, LimitCommands: 14, LimitBytes: 15},
		State: &client.StateStatus{
			Objects: 16, Versions: 17, Bytes: 18, QuotaBytes: 19, Floor: 20, RequestsRemembered: 21, CascadesPending: 22,
			TurnFaults: 23, Violations: 24, FeatureLevel: 25, Digest: "d",
		},
		Addresses: map[string]string{"api": "n2:1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("node (-want +got):\n%s", diff)
	}
	digests, err := d.Digests(t.Context(), 0)
	noError(t, err)
	records, err := d.Records(t.Context())
	noError(t, err)
	if len(digests) != 1 || digests[0].Index != 5 || len(records) != 1 || records[0].Reason != candor.ReasonTurnFault {
		t.Errorf("digests %+v, records %+v", digests, records)
	}
	n2.stop()
	_, err = d.Node(t.Context())
	wantReason(t, err, candor.ReasonUnavailable)
	_, err = c.Diagnostics("").Node(t.Context())
	wantReason(t, err, candor.ReasonInvalid)
	if len(s.node("n1").calls) != 0 {
		t.Error("another node was asked")
	}
}
