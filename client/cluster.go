package client

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// Cluster is membership and the state of the whole.
//
// Changes of membership carry no request ID. The leader plans each as a transition and
// answers once that has ended. Where its end was not heard the error is OUTCOME_UNKNOWN:
// its subject is the transition, where that is known (see TransitionIn), and the change
// goes on; otherwise Transitions().List tells what was planned.
type Cluster struct{ client *Client }

// Cluster returns the cluster's own operations.
func (c *Client) Cluster() *Cluster { return &Cluster{client: c} }

// ClusterStatus is the state of the cluster as one node sees it.
type ClusterStatus struct {
	ClusterID          string             `json:"clusterID"`
	HistoryID          string             `json:"historyID"`
	NodeID             string             `json:"nodeID"`
	NodeName           string             `json:"nodeName"`
	Role               string             `json:"role"`
	Term               uint64             `json:"term"`
	Leader             *candor.LeaderHint `json:"leader,omitempty"`
	Applied            candor.Token       `json:"applied"`
	CommitIndex        uint64             `json:"commitIndex"`
	ConfigurationIndex uint64             `json:"configurationIndex"`
	Floor              uint64             `json:"floor"`
	FeatureLevel       uint32             `json:"featureLevel"`
	Objects            uint64             `json:"objects"`
	StateBytes         uint64             `json:"stateBytes"`
	QuotaBytes         uint64             `json:"quotaBytes"`
	// RestartState is how the node's last start was, and stays; Recovered says
	// that it has since applied what its log held then.
	RestartState  candor.RestartState `json:"restartState"`
	RestartReason string              `json:"restartReason,omitempty"`
	Recovered     bool                `json:"recovered"`
	// ClusterTime is what the node would stamp an entry with now, in nanoseconds,
	// while it leads; 0 otherwise.
	ClusterTime int64     `json:"clusterTime,omitempty"`
	Findings    []Finding `json:"findings,omitempty"`
	Version     string    `json:"version"`
	Insecure    bool      `json:"insecure"`
	// AccessEpoch is how often access control was opened; 0: it is off.
	AccessEpoch uint64          `json:"accessEpoch"`
	Witness     *candor.Witness `json:"witness,omitempty"`
}

// Finding is one thing that is wrong, with the next step.
type Finding struct {
	Severity   string `json:"severity"`
	Subject    string `json:"subject"`
	Reason     string `json:"reason"`
	Message    string `json:"message"`
	NextAction string `json:"nextAction,omitempty"`
}

// Status asks any node, or with OnEndpoint that one. Of the options only that
// and WithoutSession apply: the answer is the node's own word.
func (k *Cluster) Status(ctx context.Context, options ...ReadOption) (*ClusterStatus, error) {
	out := new(candorv1.StatusResponse)
	w, err := k.ask(ctx, candorv1.ClusterService_Status_FullMethodName, &candorv1.StatusRequest{}, out, options)
	if err != nil {
		return nil, candor.Wrap("cluster status", err)
	}
	k.client.clock.observe(out.GetClusterTime())
	s := &ClusterStatus{
		ClusterID: out.GetClusterId(), HistoryID: out.GetHistoryId(), NodeID: out.GetNodeId(), NodeName: out.GetNodeName(),
		Role: out.GetRole(), Term: out.GetTerm(), Leader: convert.LeaderHintFromProto(out.GetLeader()),
		Applied: convert.TokenFromProto(out.GetApplied()), CommitIndex: out.GetCommitIndex(),
		ConfigurationIndex: out.GetConfigurationIndex(), Floor: out.GetFloor(), FeatureLevel: out.GetFeatureLevel(),
		Objects: out.GetObjects(), StateBytes: out.GetStateBytes(), QuotaBytes: out.GetQuotaBytes(),
		RestartState: candor.RestartState(out.GetRestartState()), RestartReason: out.GetRestartReason(),
		Recovered: out.GetRecovered(), ClusterTime: out.GetClusterTime(),
		Version: out.GetVersion(), Insecure: out.GetInsecure(), AccessEpoch: out.GetAccessEpoch(), Witness: w,
	}
	for _, f := range out.GetFindings() {
		s.Findings = append(s.Findings, Finding{
			Severity: f.GetSeverity(), Subject: f.GetSubject(), Reason: f.GetReason(), Message: f.GetMessage(),
			NextAction: f.GetNextAction(),
		})
	}
	return s, nil
}

// Handover is what came of a TransferLeader.
type Handover struct {
	// Leader is who leads then; nil where the server that led before has not heard it in
	// time.
	Leader     *candor.LeaderHint `json:"leader,omitempty"`
	Transition string             `json:"transition,omitempty"`
}

// TransferLeader makes another server lead: the one of this ID or name, or with
// an empty one whichever the leader chooses.
func (k *Cluster) TransferLeader(ctx context.Context, server string) (Handover, error) {
	out := new(candorv1.TransferLeaderResponse)
	in := &candorv1.TransferLeaderRequest{Server: server}
	ended, err := k.reshape(ctx, candorv1.ClusterService_TransferLeader_FullMethodName, server, in, out)
	if err != nil {
		return Handover{}, candor.Wrap("transfer leadership", err)
	}
	hint := convert.LeaderHintFromProto(out.GetLeader())
	k.client.follow(nil, hint)
	return Handover{Leader: hint, Transition: orElse(out.GetTransition(), ended)}, nil
}

// Compact raises the floor to revision: reads and watches before it answer
// COMPACTED from then on. It returns the floor.
func (k *Cluster) Compact(ctx context.Context, revision uint64, options ...WriteOption) (uint64, error) {
	floor, err := k.compact(ctx, revision, options)
	return floor, candor.Wrap("compact", err)
}

func (k *Cluster) compact(ctx context.Context, revision uint64, options []WriteOption) (uint64, error) {
	var w write
	if err := w.begin(options, false, false); err != nil {
		return 0, err
	}
	in := &candorv1.CompactRequest{Revision: revision, Write: w.options}
	out := new(candorv1.CompactResponse)
	if err := k.client.push(ctx, &w, candorv1.ClusterService_Compact_FullMethodName, in, out); err != nil {
		return 0, err
	}
	return out.GetFloor(), k.client.accept(&w.request, k.client.session, convert.WitnessFromProto(out.GetWitness()))
}

// RaiseFeatureLevel lets turns use what level brings, once every member has said
// that it supports it. It returns the level that is then in force.
func (k *Cluster) RaiseFeatureLevel(ctx context.Context, level uint32) (uint32, error) {
	out := new(candorv1.RaiseFeatureLevelResponse)
	in := &candorv1.RaiseFeatureLevelRequest{Level: level}
	_, err := k.change(ctx, candorv1.ClusterService_RaiseFeatureLevel_FullMethodName, "feature level", in, out)
	return out.GetLevel(), candor.Wrap("raise feature level", err)
}

// ask reads something that any node can say, with or without a quorum.
func (k *Cluster) ask(ctx context.Context, method string, in proto.Message, out answer, options []ReadOption) (*candor.Witness, error) {
	return k.askAt(ctx, toAny, method, in, out, options)
}

// askAt is ask, of the nodes of a route first.
func (k *Cluster) askAt(ctx context.Context, at route, method string, in proto.Message, out answer, options []ReadOption) (*candor.Witness, error) {
	var terms readTerms
	for _, option := range options {
		option(&terms)
	}
	r := request{method: method, in: in, out: out, route: at, aloof: terms.withoutSession}
	if err := k.client.pin(&r, terms.endpoint); err != nil {
		return nil, err
	}
	session := k.client.session
	if terms.withoutSession {
		session = nil
	}
	w, err := k.client.inquire(ctx, &r, session, out)
	if err != nil {
		return nil, err
	}
	if b := ownWord(w); b != nil {
		return nil, breached(w, b)
	}
	return w, nil
}

// inquire carries out a request whose answer may lack a witness: a node without
// a view has none to give.
func (c *Client) inquire(ctx context.Context, r *request, s *Session, out answer) (*candor.Witness, error) {
	if err := c.do(ctx, r); err != nil {
		return nil, err
	}
	w := convert.WitnessFromProto(out.GetWitness())
	if w == nil {
		return nil, nil
	}
	return w, c.accept(r, s, w)
}

// change asks the leader for a change that has no request ID.
func (k *Cluster) change(ctx context.Context, method, subject string, in proto.Message, out answer) (*candor.Witness, error) {
	r := request{method: method, in: in, out: out, route: toLeader, effect: true, subject: subject}
	return k.client.inquire(ctx, &r, k.client.session, out)
}

// reshape asks the leader for a change of the members. Where it hears only that the
// change goes on as a transition it waits for the end of that; it then returns the
// transition, and out is empty.
func (k *Cluster) reshape(ctx context.Context, method, subject string, in proto.Message, out answer) (transition string, err error) {
	ctx, cancel := k.client.bounded(ctx)
	defer cancel()
	r := request{method: method, in: in, out: out, route: toLeader, effect: true, reshapes: true, subject: subject}
	_, err = k.client.inquire(ctx, &r, k.client.session, out)
	if err == nil || r.transition == "" || ctx.Err() != nil {
		return "", err
	}
	t, unheard := k.client.Transitions().wait(ctx, r.transition, nil)
	if unheard != nil {
		return "", err
	}
	return t.ID, t.Failure()
}

// configuration is the index that a change left, or, of one whose answer was not heard,
// the newest that is known.
func (k *Cluster) configuration(ctx context.Context, answered uint64) uint64 {
	if answered != 0 {
		return answered
	}
	list, err := k.Members(ctx, WithoutSession())
	if err != nil {
		return 0
	}
	return list.ConfigurationIndex
}
