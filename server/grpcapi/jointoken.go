package grpcapi

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/policy"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// A token for joining lets one server join. The leader spends it in the root before
// it changes the members: of two servers that bring the same token one is first in
// the log's order, and the other is refused. What is spent names the server, which
// may try again; once that is a member the token is deleted.

// joinToken is one that a server brought, as a proven view has it.
type joinToken struct {
	accessor string
	object   *candor.Object
	status   tokenStatus
	// spent says that the server which brought it is the one that it was spent for.
	spent bool
}

// tokenStatus is the status of a Token object, all of it.
type tokenStatus struct {
	ObservedGeneration uint64           `json:"observedGeneration,omitempty"`
	Phase              string           `json:"phase,omitempty"`
	Conditions         []tokenCondition `json:"conditions,omitempty"`
}

type tokenCondition struct {
	Type               string `json:"type"`
	Status             string `json:"status"`
	ObservedGeneration uint64 `json:"observedGeneration,omitempty"`
	LastTransitionTime string `json:"lastTransitionTime,omitempty"`
	Reason             string `json:"reason,omitempty"`
	Message            string `json:"message,omitempty"`
}

const (
	// conditionSpent has the server's ID as its message.
	conditionSpent = "Spent"
	reasonJoined   = "JOINED"
	// spendings is how often a token is spent anew because its object changed
	// meanwhile.
	spendings = 2
	// forgetting is how long a join waits until the token that it took is gone.
	forgetting = 2 * time.Second
)

// spent is the condition that says so; nil while there is none.
func (s *tokenStatus) spent() *tokenCondition {
	for i := range s.Conditions {
		if c := &s.Conditions[i]; c.Type == conditionSpent && c.Status != "False" {
			return c
		}
	}
	return nil
}

// spend adds that it was, for a server.
func (s *tokenStatus) spend(serverID string, now time.Time) {
	kept := s.Conditions[:0:0]
	for _, c := range s.Conditions {
		if c.Type != conditionSpent {
			kept = append(kept, c)
		}
	}
	s.Conditions = append(kept, tokenCondition{
		Type: conditionSpent, Status: "True", LastTransitionTime: now.UTC().Format(time.RFC3339), Reason: reasonJoined, Message: serverID,
	})
}

// known says whether the policy has the token that the bearer shows. Whether the
// accessor or the secret is wrong is not told, by the time it takes neither.
func known(p *policy.Policy, b candor.Bearer) (policy.Token, bool) {
	token, found := p.Token(b.Accessor)
	hash := b.Hash()
	same := subtle.ConstantTimeCompare(hash[:], token.Hash[:]) == 1
	return token, same && found
}

var errJoinTokenUnknown = &candor.Error{
	Reason: candor.ReasonUnauthenticated, Message: "join: the token is not known: it was never this cluster's, was revoked, or has let its server join",
}

// admits judges a token that is known by its secret, with its object of the same
// view: whether it lets this server join now.
func admits(p *policy.Policy, token policy.Token, object *candor.Object, serverID string, now time.Time) (*joinToken, error) {
	name := object.Metadata.Name
	if token.Use != policy.UseJoin {
		return nil, candor.Errorf(candor.ReasonForbidden, "join: token %s is for requests of %s and lets no server join: `candor auth token create --join` makes one that does", name, token.Actor)
	}
	if err := p.Holds(name, token.Actor, now.UnixNano()); err != nil {
		return nil, err
	}
	t := &joinToken{accessor: name, object: object}
	if len(object.Status) > 0 {
		if err := json.Unmarshal(object.Status, &t.status); err != nil {
			return nil, candor.Errorf(candor.ReasonForbidden, "join: the status of token %s does not decode, and may say that it was spent: revoke it and make another", name)
		}
	}
	spent := t.status.spent()
	if spent != nil && spent.Message != serverID {
		return nil, candor.Errorf(candor.ReasonForbidden, "join: token %s was spent at %s for server %s, and a token lets one server join: `candor auth token create --join` makes another", name, spent.LastTransitionTime, spent.Message)
	}
	t.spent = spent != nil
	return t, nil
}

// examined finds the token that the request brings and judges it on a proven view of
// the leader: no other knows what was revoked or spent already.
func (s *Cluster) examined(ctx context.Context, in *candorv1.JoinRequest) (*joinToken, error) {
	// They go into the token's status and cause.
	if err := errors.Join(candor.CheckName("name", in.GetName()), candor.CheckName("server ID", in.GetServerId())); err != nil {
		return nil, candor.Wrap("join", err)
	}
	bearer, err := candor.ParseBearer(in.GetJoinToken())
	if err != nil {
		return nil, candor.Wrap("join", err)
	}
	if s.node.ClusterTime() == nil {
		return nil, candor.Errorf(candor.ReasonNotLeader, "join: this server does not lead, and the leader alone takes tokens for joining")
	}
	view, _, err := s.reader.View(ctx, candor.ReadRequest{Freshness: candor.FreshnessStrong})
	if err != nil {
		return nil, err
	}
	token, ok := known(view.Policy(), bearer)
	if !ok {
		return nil, errJoinTokenUnknown
	}
	prove(ctx, candor.Principal{Actor: token.Actor, Proof: candor.ProofToken, Accessor: bearer.Accessor})
	version, err := view.Get(candor.Ref{Kind: candor.KindTokens, Name: bearer.Accessor}, 0)
	if err != nil {
		return nil, err
	}
	if version == nil {
		return nil, errJoinTokenUnknown
	}
	object, err := version.Object()
	if err != nil {
		return nil, err
	}
	// One that a finalizer holds was revoked all the same.
	if object.Terminating() {
		return nil, errJoinTokenUnknown
	}
	return admits(view.Policy(), token, object, in.GetServerId(), time.Now())
}

// spend writes into the root that the token was spent for the server. The root does
// so only to the version that was examined: one that somebody else spent or revoked
// meanwhile is examined again.
func (s *Cluster) spend(ctx context.Context, in *candorv1.JoinRequest, t *joinToken) error {
	for range spendings {
		if t.spent {
			return nil
		}
		done, err := s.trySpend(ctx, in, t)
		if err != nil || done {
			return err
		}
		if t, err = s.examined(ctx, in); err != nil {
			return err
		}
	}
	if t.spent {
		return nil
	}
	return candor.Errorf(candor.ReasonConflict, "join: token %s changed while it was spent: the same again", t.accessor)
}

func (s *Cluster) trySpend(ctx context.Context, in *candorv1.JoinRequest, t *joinToken) (done bool, err error) {
	kind, err := s.kinds.ByName(candor.KindTokens)
	if err != nil {
		return false, err
	}
	status := t.status
	status.spend(in.GetServerId(), time.Now())
	text, err := json.Marshal(status)
	if err != nil {
		return false, candor.Wrap("join", err)
	}
	if text, err = kind.PrepareStatus(text); err != nil {
		return false, err
	}
	ref := candor.Ref{Kind: candor.KindTokens, Name: t.accessor}
	c := &command.Command{
		Type: command.TypeWrite, Actor: candor.ActorSystem, Reason: reasonJoined, Message: "spent by server " + in.GetName() + " (" + in.GetServerId() + ") to join",
		Compares: []command.Compare{
			{Condition: command.IfUID, Ref: ref, UID: t.object.Metadata.UID},
			{Condition: command.IfResourceVersion, Ref: ref, Number: t.object.Metadata.ResourceVersion},
		},
		Then: []command.Operation{{Verb: command.VerbUpdateStatus, Kind: kind.Name(), KindRevision: kind.Revision(), Name: t.accessor, Payload: text}},
	}
	result, err := s.proposer.Propose(ctx, c, 0)
	if err != nil {
		return false, err
	}
	if kindMoved(&result) {
		return false, s.proposer.WaitApplied(ctx, result.Token.Index)
	}
	if err := result.Err(); err != nil {
		return false, &decided{err}
	}
	return result.Succeeded, nil
}

// forget deletes the token of a server that has joined. Where that fails the token
// stays, spent, until somebody revokes it: it lets nobody else join.
func (s *Cluster) forget(ctx context.Context, in *candorv1.JoinRequest, t *joinToken) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetting)
	defer cancel()
	_, _ = s.proposer.Propose(ctx, &command.Command{
		Type: command.TypeWrite, Actor: candor.ActorSystem, Reason: reasonJoined, Message: "server " + in.GetName() + " (" + in.GetServerId() + ") has joined by it",
		Then: []command.Operation{{Verb: command.VerbDelete, Kind: candor.KindTokens, Name: t.accessor, UID: t.object.Metadata.UID}},
	}, 0)
}
