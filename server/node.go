package server

import (
	"encoding/hex"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server/link"
	"github.com/candor-plane/candor/server/replica"
)

// node describes this server.
type node struct{ s *Server }

func (n *node) Members() ([]*candorv1.Member, uint64) { return (&topology{n.s}).Members() }

func (n *node) ClusterTime() *int64 {
	if now, leads := n.s.replica.ClusterTime(); leads {
		return &now
	}
	return nil
}

func (n *node) Status() *candorv1.StatusResponse {
	s := n.s
	status, view := s.replica.Status(), s.machine.View()
	stats := view.Stats()
	return &candorv1.StatusResponse{
		ClusterId: s.clusterID, HistoryId: view.HistoryID(), NodeId: s.serverID, NodeName: s.config.Name,
		Role: status.Role, Term: status.Term, Leader: convert.LeaderHintToProto(s.leader()),
		Applied: convert.TokenToProto(view.Token()), CommitIndex: status.Commit, ConfigurationIndex: status.Configuration.Index,
		Floor: view.Floor(), FeatureLevel: view.Level(), Objects: stats.Objects, StateBytes: stats.Bytes,
		QuotaBytes: s.config.Settings.QuotaBytes, RestartState: string(status.Restart), RestartReason: status.RestartWhy,
		Recovered: s.replica.Recovered(), Findings: n.findings(&status), Version: s.config.Version, Insecure: s.config.Insecure, AccessEpoch: view.AccessEpoch(),
	}
}

func (n *node) Diagnostics() *candorv1.NodeResponse {
	s := n.s
	status, view := s.replica.Status(), s.machine.View()
	stats, digest := view.Stats(), view.Digest()
	out := &candorv1.NodeResponse{
		NodeId: s.serverID, NodeName: s.config.Name, BootId: s.bootID, Version: s.config.Version, StartedAt: timestamppb.New(s.startedAt),
		Role: status.Role, Term: status.Term, Applied: convert.TokenToProto(view.Token()), CommitIndex: status.Commit,
		LastLogIndex: status.LastIndex, FirstLogIndex: status.FirstIndex, SnapshotIndex: status.SnapshotIndex,
		LeaderHint: convert.LeaderHintToProto(s.leader()), RestartState: string(status.Restart), RestartReason: status.RestartWhy,
		Recovered: s.replica.Recovered(),
		Disk: &candorv1.DiskStatus{
			Path: s.config.Data, FreeBytes: status.DiskFree, TotalBytes: status.DiskTotal, WatermarkBytes: s.config.Settings.DiskWatermarkBytes,
			Pressure: status.DiskPressure, LogStore: s.config.LogStore, OldestWriteInFlight: durationpb.New(status.OldestWriteInFlight),
		},
		Queue: &candorv1.QueueStatus{
			QueuedCommands: uint64(status.QueueCommands), QueuedBytes: uint64(status.QueueBytes),
			LimitCommands: uint64(s.config.Settings.QueueCommands), LimitBytes: uint64(s.config.Settings.QueueBytes),
		},
		State: &candorv1.StateStatus{
			Objects: stats.Objects, Versions: stats.Versions, Bytes: stats.Bytes, QuotaBytes: s.config.Settings.QuotaBytes, Floor: view.Floor(),
			RequestsRemembered: stats.Requests, CascadesPending: stats.Cascades, TurnFaults: stats.Faults, Violations: stats.Violations,
			FeatureLevel: view.Level(), Digest: hex.EncodeToString(digest[:]),
		},
		Addresses: map[string]string{"api": s.apiAddress, "raft": link.HostPort(s.raftAddr)},
	}
	if s.gossip != nil {
		out.Addresses["gossip"] = s.gossip.Addr()
	}
	if s.debug != nil {
		out.Addresses["debug"] = s.debug.Address()
	}
	for _, a := range status.Admissions {
		out.Admissions = append(out.Admissions, &candorv1.AdmissionCount{Class: string(a.Class), Reason: string(a.Reason), Count: a.Count})
	}
	out.Freshness, out.Reads = n.freshness(), n.reads()
	out.LastAdmissions, out.LastOutcomes = n.lastAdmissions(), n.lastOutcomes()
	out.Raft = &candorv1.RaftLoad{Main: status.Load.Main, Apply: status.Load.Apply}
	return out
}

// findings lists what an operator should look at, most urgent first.
func (n *node) findings(status *replica.Status) []*candorv1.Finding {
	s := n.s
	view := s.machine.View()
	stats := view.Stats()
	var out []*candorv1.Finding
	add := func(severity, subject, reason, message, next string) {
		out = append(out, &candorv1.Finding{Severity: severity, Subject: subject, Reason: reason, Message: message, NextAction: next})
	}
	if status.Failure != nil {
		add("critical", s.config.Name, string(candor.ReasonOf(status.Failure)), status.Failure.Error(), "replace this server, or mend its disk and start it again")
	}
	if stats.Violations > 0 {
		add("critical", "root", string(candor.ReasonInvariantViolated), "an invariant blocked a turn", "candor diagnostics --all shows the records; report them")
	}
	if stats.Faults > 0 {
		add("critical", "root", string(candor.ReasonTurnFault), "a turn failed on every server and changed nothing", "candor diagnostics --all shows the records; report them")
	}
	if status.Leader == nil {
		add("critical", "cluster", string(candor.ReasonNotLeader), "this server knows no leader: writes and strong reads wait", "candor diagnostics --all; start the servers that are down")
	}
	if status.DiskPressure {
		add("critical", s.config.Data, string(candor.ReasonDiskPressure), "the data disk is below its watermark: writes are refused", "free space on the disk")
	}
	if q := s.config.Settings.QuotaBytes; q > 0 && stats.Bytes > q/10*9 {
		add("warning", "root", string(candor.ReasonQuotaExceeded), "the state is above nine tenths of its quota", "delete objects, compact, or raise --quota-bytes")
	}
	if status.Restart != candor.RestartReady && status.Restart != candor.RestartCatchUp {
		add("warning", s.config.Name, string(status.Restart), status.RestartWhy, "candor diagnostics "+s.config.Name)
	}
	if s.gossip != nil {
		for _, c := range s.gossip.Conflicts() {
			if c.Duplicate() {
				add("critical", c.ServerID, string(candor.ReasonMemberExists), "two live servers have this ID, at "+c.Existing.Addr+" and "+c.Other.Addr, "stop one and give it an empty data directory")
			}
		}
	}
	condition := s.reader.Status()
	out = append(out, conditionFindings(s.config.Name, &condition)...)
	if alarm := s.replica.AuditStatus().Alarm; alarm != "" {
		add("critical", "digests", string(candor.ReasonInvariantViolated), alarm, "candor diagnostics --all; keep a copy of every data directory before anything else")
	}
	s.vacant(add)
	s.atAStandstill(add)
	s.unkept(add)
	if s.config.Insecure {
		add("warning", s.config.Name, "INSECURE", "--insecure waived certificates and access control beyond loopback", "start it with --tls-ca, --tls-cert, --tls-key and --auth, or listen on loopback only")
	}
	return out
}

// probe is what the debug listener asks.
type probe struct{ s *Server }

// Ready: a member of a cluster that knows its leader and is not stopping.
func (p *probe) Ready() error {
	status := p.s.replica.Status()
	switch {
	case status.Closing:
		return candor.Errorf(candor.ReasonShuttingDown, "the server stops")
	case status.Failure != nil:
		return status.Failure
	case len(status.Configuration.Servers) == 0:
		return candor.Errorf(candor.ReasonNotAMember, "the server is not part of a cluster yet")
	case status.Leader == nil:
		return candor.Errorf(candor.ReasonNotLeader, "no leader is known")
	case status.LeaderTerm == 0 || status.LeaderTerm > status.Term:
		return candor.Errorf(candor.ReasonRecovering, "the log is still being applied")
	default:
		return nil
	}
}
