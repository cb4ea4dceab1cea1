package client

import (
	"context"
	"time"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// Access is who the caller is and what it may do, by the word of one node. Empty
// Endpoint lets the client choose it.
type Access struct {
	client *Client
	addr   string
}

// Access asks the node at endpoint, or any where that is empty.
func (c *Client) Access(endpoint string) *Access { return &Access{client: c, addr: endpoint} }

// Self is as whom requests of this client act.
type Self struct {
	Actor    string       `json:"actor"`
	Proof    candor.Proof `json:"authenticatedBy"`
	Accessor string       `json:"accessor,omitempty"`
	Roles    []string     `json:"roles,omitempty"`
	// AccessEpoch is how often access control was opened; 0: it is off.
	AccessEpoch    uint64 `json:"accessEpoch"`
	PolicyRevision uint64 `json:"policyRevision"`
	// AccessRequired says that the node serves nobody before it is opened.
	AccessRequired bool            `json:"accessRequired,omitempty"`
	Witness        *candor.Witness `json:"witness,omitempty"`
}

// WhoAmI says as whom this client acts.
func (a *Access) WhoAmI(ctx context.Context) (*Self, error) {
	out := new(candorv1.WhoAmIResponse)
	if err := a.ask(ctx, &request{method: candorv1.AccessService_WhoAmI_FullMethodName, in: &candorv1.WhoAmIRequest{}, out: out}); err != nil {
		return nil, candor.Wrap("who am I", err)
	}
	return &Self{
		Actor: out.GetActor(), Proof: candor.Proof(out.GetAuthenticatedBy()), Accessor: out.GetAccessor(), Roles: out.GetRoles(),
		AccessEpoch: out.GetAccessEpoch(), AccessRequired: out.GetAccessRequired(),
		PolicyRevision: out.GetPolicyRevision(), Witness: convert.WitnessFromProto(out.GetWitness()),
	}, nil
}

// Ask is one thing that somebody may want to do.
type Ask struct {
	// Verb is get, list, watch, create, update or delete.
	Verb string
	// Kind is a kind's name, or system/members and its like.
	Kind            string
	Namespace, Name string
	// Section is spec (also when empty), status or observed.
	Section string
}

// Verdict is whether somebody may.
type Verdict struct {
	Allowed bool `json:"allowed"`
	// Role allows it; empty where access control is off.
	Role string `json:"role,omitempty"`
	// Message is why not.
	Message        string          `json:"message,omitempty"`
	AccessEpoch    uint64          `json:"accessEpoch"`
	PolicyRevision uint64          `json:"policyRevision"`
	Witness        *candor.Witness `json:"witness,omitempty"`
}

// CanI says whether this client may do that, by the node's view.
func (a *Access) CanI(ctx context.Context, ask Ask) (*Verdict, error) {
	out := new(candorv1.CanIResponse)
	in := &candorv1.CanIRequest{Verb: ask.Verb, Kind: ask.Kind, Namespace: ask.Namespace, Name: ask.Name, Section: ask.Section}
	if err := a.ask(ctx, &request{method: candorv1.AccessService_CanI_FullMethodName, in: in, out: out}); err != nil {
		return nil, candor.Wrap("can I", err)
	}
	return &Verdict{
		Allowed: out.GetAllowed(), Role: out.GetRole(), Message: out.GetMessage(),
		AccessEpoch: out.GetAccessEpoch(), PolicyRevision: out.GetPolicyRevision(), Witness: convert.WitnessFromProto(out.GetWitness()),
	}, nil
}

// Opening makes the first administrator.
type Opening struct {
	Actor string
	// Token is the administrator's; its secret stays here.
	Token   candor.Bearer
	Expires time.Time
	// Reset opens again, by the word of the reset file on the asked server's disk.
	Reset bool
}

// TokenTime is the form of times in tokens; they have whole seconds.
const TokenTime = "2006-01-02T15:04:05Z"

// Open turns access control on, and returns how often that was done now. It may
// not be repeated; a call that got no answer is OUTCOME_UNKNOWN.
func (a *Access) Open(ctx context.Context, o Opening) (epoch uint64, err error) {
	out := new(candorv1.OpenResponse)
	r := request{
		method: candorv1.AccessService_Open_FullMethodName, out: out, effect: true, subject: o.Token.Accessor,
		in: &candorv1.OpenRequest{
			Actor: o.Actor, Accessor: o.Token.Accessor, Hash: HashOf(o.Token), Expires: o.Expires.UTC().Format(TokenTime), Reset_: o.Reset,
		},
	}
	if err := a.ask(ctx, &r); err != nil {
		return 0, candor.Wrap("open access control", err)
	}
	return out.GetEpoch(), nil
}

func (a *Access) ask(ctx context.Context, r *request) error {
	r.route, r.aloof = toAny, true
	if err := a.client.pin(r, a.addr); err != nil {
		return err
	}
	return a.client.do(ctx, r)
}
