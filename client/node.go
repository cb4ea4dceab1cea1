package client

import (
	"context"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// Node is an operator's hand on one node. It works without a quorum. No session
// takes part and the witnesses are passed on unchecked, as in Diagnostics. A
// change that got no answer is OUTCOME_UNKNOWN; Diagnostics tell what became of
// it, and asking for it again is harmless.
type Node struct {
	client *Client
	addr   string
}

// Node at the endpoint "host:port".
func (c *Client) Node(endpoint string) *Node { return &Node{client: c, addr: endpoint} }

// SetViewOnly has the node refuse reads that may be relied on, or ends that. It
// lasts over restarts of the node. It returns whether anything changed and what
// the node says of itself then.
func (n *Node) SetViewOnly(ctx context.Context, on bool) (changed bool, w candor.Witness, err error) {
	out := new(candorv1.SetViewOnlyResponse)
	r := request{method: candorv1.NodeService_SetViewOnly_FullMethodName, in: &candorv1.SetViewOnlyRequest{On: on}, out: out}
	if err := n.change(ctx, &r); err != nil {
		return false, witnessOf(err), candor.Wrap("set view-only of "+n.addr, err)
	}
	convert.ReadWitness(&w, out.GetWitness())
	return out.GetChanged(), w, nil
}

// Repaired is what came of a Repair.
type Repaired struct {
	// Source gave the snapshot, by server ID.
	Source string `json:"source"`
	// VerifiedIndex is where a majority's digest was equal to the new view's.
	VerifiedIndex uint64          `json:"verifiedIndex"`
	Witness       *candor.Witness `json:"witness,omitempty"`
}

// Repair has a quarantined node rebuild its view from a verified peer's
// snapshot, and returns when that is done or has failed. It takes as long as it
// takes: there is no deadline but ctx's own.
func (n *Node) Repair(ctx context.Context) (*Repaired, error) {
	out := new(candorv1.RepairResponse)
	r := request{method: candorv1.NodeService_Repair_FullMethodName, in: &candorv1.RepairRequest{}, out: out, unhurried: true}
	if err := n.change(ctx, &r); err != nil {
		return nil, candor.Wrap("repair "+n.addr, err)
	}
	return &Repaired{Source: out.GetSource(), VerifiedIndex: out.GetVerifiedIndex(), Witness: convert.WitnessFromProto(out.GetWitness())}, nil
}

func (n *Node) change(ctx context.Context, r *request) error {
	r.effect, r.subject, r.aloof = true, n.addr, true
	return n.ask(ctx, r)
}

func (n *Node) ask(ctx context.Context, r *request) error {
	if err := n.pin(r); err != nil {
		return err
	}
	return n.client.do(ctx, r)
}

func (n *Node) pin(r *request) error {
	if n.addr == "" {
		return candor.Errorf(candor.ReasonInvalid, "no endpoint: this is about one node")
	}
	return n.client.pin(r, n.addr)
}
