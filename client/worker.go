package client

import (
	"context"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// The most nodes of one RegisterNodes, and beats of one Heartbeat.
const (
	MaxRegistrations = 256
	MaxBeats         = 4096
)

// NodeRegistration is what a worker that starts says of its node. Labels and Taints
// count only where the node is not there yet.
type NodeRegistration struct {
	Name     string
	Labels   map[string]string
	Taints   []candor.Taint
	Observed candor.NodeObserved
}

// RegisteredNode is what became of a registration: the node and how it is to be kept
// alive, or why it was refused.
type RegisteredNode struct {
	Node *candor.Object
	// DetectWithin: no beat for so long counts as a failure. HeartbeatInterval is how
	// often to beat.
	DetectWithin, HeartbeatInterval time.Duration
	// Refused is nil where it was not.
	Refused *candor.Error
}

// RegisterNodes has nodes taken over by the caller, at most MaxRegistrations: makes
// those that are not there, and observes each under its session. There is a result for
// each, in order; the error is about all of them. It may be repeated.
func (c *Client) RegisterNodes(ctx context.Context, nodes []NodeRegistration) ([]RegisteredNode, error) {
	in := &candorv1.RegisterRequest{Nodes: make([]*candorv1.NodeRegistration, len(nodes))}
	names := make([]string, len(nodes))
	for i := range nodes {
		in.Nodes[i], names[i] = registrationToProto(&nodes[i]), nodes[i].Name
	}
	subject := strings.Join(names[:min(len(names), 1)], "")
	out := new(candorv1.RegisterResponse)
	r := request{
		method: candorv1.WorkerService_Register_FullMethodName, in: in, out: out, route: toLeader, effect: true, repeatable: true, subject: subject,
	}
	if _, err := c.inquire(ctx, &r, c.session, out); err != nil {
		return nil, candor.Wrap("register nodes", err)
	}
	if len(out.GetNodes()) != len(nodes) {
		return nil, candor.Wrap("register nodes", breach(r.endpoint.addr, "endpoint %s answered %d registrations with %d results", r.endpoint.addr, len(nodes), len(out.GetNodes())))
	}
	results := make([]RegisteredNode, len(nodes))
	for i, n := range out.GetNodes() {
		results[i] = RegisteredNode{
			Node: convert.ObjectFromProto(n.GetNode()), DetectWithin: n.GetDetectWithin().AsDuration(),
			HeartbeatInterval: n.GetHeartbeatInterval().AsDuration(), Refused: refusedItem(names[i], n.GetReason(), n.GetMessage()),
		}
		if results[i].Refused == nil && (results[i].Node == nil || results[i].HeartbeatInterval <= 0) {
			return nil, candor.Wrap("register nodes", breach(names[i], "endpoint %s registered node %s without its object or how often to beat", r.endpoint.addr, names[i]))
		}
	}
	return results, nil
}

// Beat says that the worker of a node lives, under the session that it registered.
type Beat struct{ Node, UID, Session string }

// Heartbeats are what became of beats.
type Heartbeats struct {
	// Refused has an entry for each beat, in order; nil where it counted.
	Refused []*candor.Error
	// ClusterTime is about what it is now, in nanoseconds.
	ClusterTime int64
	// HeartbeatInterval is how often to beat from now on, and DetectWithin after how long
	// without a beat the first of these nodes counts as failed: their failure policies may
	// have changed since they were registered. 0 where no beat counted, or the server does
	// not say: what was told before holds.
	DetectWithin, HeartbeatInterval time.Duration
}

// Heartbeat says that workers live, at most MaxBeats. The error is about all of them.
// It may be repeated.
func (c *Client) Heartbeat(ctx context.Context, beats []Beat) (Heartbeats, error) {
	in := &candorv1.HeartbeatRequest{Beats: make([]*candorv1.Beat, len(beats))}
	for i, b := range beats {
		in.Beats[i] = &candorv1.Beat{Node: b.Node, Uid: b.UID, Session: b.Session}
	}
	out := new(candorv1.HeartbeatResponse)
	r := request{method: candorv1.WorkerService_Heartbeat_FullMethodName, in: in, out: out, route: toLeader, effect: true, repeatable: true}
	if err := c.do(ctx, &r); err != nil {
		return Heartbeats{}, candor.Wrap("heartbeat", err)
	}
	if len(out.GetResults()) != len(beats) {
		return Heartbeats{}, candor.Wrap("heartbeat", breach(r.endpoint.addr, "endpoint %s answered %d beats with %d results", r.endpoint.addr, len(beats), len(out.GetResults())))
	}
	c.clock.observe(out.GetClusterTime())
	result := Heartbeats{
		Refused: make([]*candor.Error, len(beats)), ClusterTime: out.GetClusterTime(),
		DetectWithin: out.GetDetectWithin().AsDuration(), HeartbeatInterval: out.GetHeartbeatInterval().AsDuration(),
	}
	for i, b := range out.GetResults() {
		result.Refused[i] = refusedItem(beats[i].Node, b.GetReason(), b.GetMessage())
	}
	return result, nil
}

func refusedItem(subject, reason, message string) *candor.Error {
	if reason == "" {
		return nil
	}
	return &candor.Error{Reason: candor.Reason(reason), Subject: subject, Message: message}
}

func registrationToProto(n *NodeRegistration) *candorv1.NodeRegistration {
	o := &n.Observed
	out := &candorv1.NodeRegistration{
		Name: n.Name, Labels: n.Labels, Session: o.Session, BootId: o.BootID, Os: o.OS, Arch: o.Arch,
		Address: o.Address, Version: o.Version, Simulated: o.Simulated, Capacity: make(map[string]string, len(o.Capacity)),
	}
	for _, a := range o.Capacity {
		out.Capacity[a.Name] = candor.FormatAmount(a.Name, a.Value)
	}
	for _, t := range n.Taints {
		out.Taints = append(out.Taints, &candorv1.NodeTaint{Key: t.Key, Value: t.Value, Effect: string(t.Effect)})
	}
	return out
}
