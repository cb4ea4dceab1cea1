package client

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// Diagnostics asks one node about itself. It works without a quorum, and says
// nothing of the other nodes. Its witness is passed on unchecked and no session
// takes part: a node in trouble must be able to say so.
type Diagnostics struct {
	client *Client
	addr   string
}

// Diagnostics of the node at the endpoint "host:port".
func (c *Client) Diagnostics(endpoint string) *Diagnostics {
	return &Diagnostics{client: c, addr: endpoint}
}

// NodeReport is one node's word on itself.
type NodeReport struct {
	NodeID        string              `json:"nodeID"`
	NodeName      string              `json:"nodeName"`
	BootID        string              `json:"bootID"`
	Version       string              `json:"version"`
	StartedAt     time.Time           `json:"startedAt,omitzero"`
	Role          string              `json:"role"`
	Term          uint64              `json:"term"`
	Applied       candor.Token        `json:"applied"`
	CommitIndex   uint64              `json:"commitIndex"`
	LastLogIndex  uint64              `json:"lastLogIndex"`
	FirstLogIndex uint64              `json:"firstLogIndex"`
	SnapshotIndex uint64              `json:"snapshotIndex"`
	Leader        *candor.LeaderHint  `json:"leaderHint,omitempty"`
	RestartState  candor.RestartState `json:"restartState"`
	RestartReason string              `json:"restartReason,omitempty"`
	// Recovered: the node has applied what its log held at the start.
	Recovered bool `json:"recovered"`
	// Freshness is how far the node knows itself to be behind; nil where it does
	// not say.
	Freshness  *FreshnessStatus `json:"freshness,omitempty"`
	Admissions []AdmissionCount `json:"admissions,omitempty"`
	// LastAdmissions and LastOutcomes are newest first.
	LastAdmissions []AdmissionRecord `json:"lastAdmissions,omitempty"`
	LastOutcomes   []OutcomeRecord   `json:"lastOutcomes,omitempty"`
	Reads          []ReadCount       `json:"reads,omitempty"`
	Raft           *RaftLoad         `json:"raft,omitempty"`
	Disk           *DiskStatus       `json:"disk,omitempty"`
	Queue          *QueueStatus      `json:"queue,omitempty"`
	State          *StateStatus      `json:"state,omitempty"`
	Addresses      map[string]string `json:"addresses,omitempty"`
	Witness        *candor.Witness   `json:"witness,omitempty"`
}

// AdmissionCount is how many requests of a class had one admission outcome.
type AdmissionCount struct {
	Class  candor.AdmissionClass `json:"class"`
	Reason candor.Reason         `json:"reason"`
	Count  uint64                `json:"count"`
}

// DiskStatus is the data disk of a node.
type DiskStatus struct {
	Path           string `json:"path"`
	FreeBytes      uint64 `json:"freeBytes"`
	TotalBytes     uint64 `json:"totalBytes"`
	WatermarkBytes uint64 `json:"watermarkBytes"`
	Pressure       bool   `json:"pressure"`
	LogStore       string `json:"logStore"`
	// OldestWriteInFlight is how long the oldest log write has been waiting.
	OldestWriteInFlight time.Duration `json:"oldestWriteInFlight"`
}

// QueueStatus is the queue before a node's log.
type QueueStatus struct {
	QueuedCommands uint64 `json:"queuedCommands"`
	QueuedBytes    uint64 `json:"queuedBytes"`
	LimitCommands  uint64 `json:"limitCommands"`
	LimitBytes     uint64 `json:"limitBytes"`
}

// StateStatus is a node's applied state.
type StateStatus struct {
	Objects            uint64 `json:"objects"`
	Versions           uint64 `json:"versions"`
	Bytes              uint64 `json:"bytes"`
	QuotaBytes         uint64 `json:"quotaBytes"`
	Floor              uint64 `json:"floor"`
	RequestsRemembered uint64 `json:"requestsRemembered"`
	CascadesPending    uint64 `json:"cascadesPending"`
	TurnFaults         uint64 `json:"turnFaults"`
	Violations         uint64 `json:"violations"`
	FeatureLevel       uint32 `json:"featureLevel"`
	Digest             string `json:"digest"`
}

// Node asks for the node's report.
func (d *Diagnostics) Node(ctx context.Context) (*NodeReport, error) {
	out := new(candorv1.NodeResponse)
	w, err := d.ask(ctx, candorv1.DiagnosticsService_Node_FullMethodName, &candorv1.NodeRequest{}, out)
	if err != nil {
		return nil, candor.Wrap("diagnostics of "+d.addr, err)
	}
	n := &NodeReport{
		NodeID: out.GetNodeId(), NodeName: out.GetNodeName(), BootID: out.GetBootId(), Version: out.GetVersion(),
		Role: out.GetRole(), Term: out.GetTerm(), Applied: convert.TokenFromProto(out.GetApplied()),
		CommitIndex: out.GetCommitIndex(), LastLogIndex: out.GetLastLogIndex(), FirstLogIndex: out.GetFirstLogIndex(),
		SnapshotIndex: out.GetSnapshotIndex(), Leader: convert.LeaderHintFromProto(out.GetLeaderHint()),
		RestartState: candor.RestartState(out.GetRestartState()), RestartReason: out.GetRestartReason(),
		Recovered: out.GetRecovered(), Freshness: freshnessStatus(out.GetFreshness()), Raft: raftLoad(out.GetRaft()),
		LastAdmissions: admissionRecords(out.GetLastAdmissions()), LastOutcomes: outcomeRecords(out.GetLastOutcomes()),
		Reads: readCounts(out.GetReads()), Disk: disk(out.GetDisk()), Queue: queue(out.GetQueue()), State: state(out.GetState()),
		Addresses: out.GetAddresses(), Witness: w,
	}
	if started := out.GetStartedAt(); started != nil {
		n.StartedAt = started.AsTime()
	}
	for _, a := range out.GetAdmissions() {
		n.Admissions = append(n.Admissions, AdmissionCount{
			Class: candor.AdmissionClass(a.GetClass()), Reason: candor.Reason(a.GetReason()), Count: a.GetCount(),
		})
	}
	return n, nil
}

// IndexDigest is the digest of a node's state at one log index.
type IndexDigest struct {
	Index  uint64 `json:"index"`
	Digest []byte `json:"digest"`
}

// Digests asks for the recent digests that the node keeps, from an index on; 0
// for all of them.
func (d *Diagnostics) Digests(ctx context.Context, from uint64) ([]IndexDigest, error) {
	out := new(candorv1.DigestsResponse)
	in := &candorv1.DigestsRequest{FromIndex: from}
	if _, err := d.ask(ctx, candorv1.DiagnosticsService_Digests_FullMethodName, in, out); err != nil {
		return nil, candor.Wrap("digests of "+d.addr, err)
	}
	digests := make([]IndexDigest, 0, len(out.GetDigests()))
	for _, p := range out.GetDigests() {
		digests = append(digests, IndexDigest{Index: p.GetIndex(), Digest: p.GetDigest()})
	}
	return digests, nil
}

// TurnRecord is a turn that was blocked, by a fault or by an invariant.
type TurnRecord struct {
	Index   uint64 `json:"index"`
	Ordinal uint32 `json:"ordinal"`
	// Reason is TURN_FAULT or INVARIANT_VIOLATED.
	Reason    candor.Reason `json:"reason"`
	Invariant string        `json:"invariant,omitempty"`
	Subject   string        `json:"subject,omitempty"`
	Actor     string        `json:"actor,omitempty"`
	Detail    string        `json:"detail,omitempty"`
}

// Records asks for the turn faults and violations that the root keeps, as this
// node has them.
func (d *Diagnostics) Records(ctx context.Context) ([]TurnRecord, error) {
	out := new(candorv1.RecordsResponse)
	if _, err := d.ask(ctx, candorv1.DiagnosticsService_Records_FullMethodName, &candorv1.RecordsRequest{}, out); err != nil {
		return nil, candor.Wrap("records of "+d.addr, err)
	}
	records := make([]TurnRecord, 0, len(out.GetRecords()))
	for _, p := range out.GetRecords() {
		records = append(records, TurnRecord{
			Index: p.GetIndex(), Ordinal: p.GetOrdinal(), Reason: candor.Reason(p.GetReason()), Invariant: p.GetInvariant(),
			Subject: p.GetSubject(), Actor: p.GetActor(), Detail: p.GetDetail(),
		})
	}
	return records, nil
}

func (d *Diagnostics) ask(ctx context.Context, method string, in proto.Message, out answer) (*candor.Witness, error) {
	r := request{method: method, in: in, out: out, aloof: true}
	if err := d.pin(&r); err != nil {
		return nil, err
	}
	if err := d.client.do(ctx, &r); err != nil {
		return nil, err
	}
	return convert.WitnessFromProto(out.GetWitness()), nil
}

func (d *Diagnostics) pin(r *request) error {
	if d.addr == "" {
		return candor.Errorf(candor.ReasonInvalid, "no endpoint: diagnostics are of one node")
	}
	return d.client.pin(r, d.addr)
}

func disk(p *candorv1.DiskStatus) *DiskStatus {
	if p == nil {
		return nil
	}
	return &DiskStatus{
		Path: p.GetPath(), FreeBytes: p.GetFreeBytes(), TotalBytes: p.GetTotalBytes(), WatermarkBytes: p.GetWatermarkBytes(),
		Pressure: p.GetPressure(), LogStore: p.GetLogStore(), OldestWriteInFlight: p.GetOldestWriteInFlight().AsDuration(),
	}
}

func queue(p *candorv1.QueueStatus) *QueueStatus {
	if p == nil {
		return nil
	}
	return &QueueStatus{
		QueuedCommands: p.GetQueuedCommands(), QueuedBytes: p.GetQueuedBytes(),
		LimitCommands: p.GetLimitCommands(), LimitBytes: p.GetLimitBytes(),
	}
}

func state(p *candorv1.StateStatus) *StateStatus {
	if p == nil {
		return nil
	}
	return &StateStatus{
		Objects: p.GetObjects(), Versions: p.GetVersions(), Bytes: p.GetBytes(), QuotaBytes: p.GetQuotaBytes(),
		Floor: p.GetFloor(), RequestsRemembered: p.GetRequestsRemembered(), CascadesPending: p.GetCascadesPending(),
		TurnFaults: p.GetTurnFaults(), Violations: p.GetViolations(), FeatureLevel: p.GetFeatureLevel(), Digest: p.GetDigest(),
	}
}
