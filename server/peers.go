package server

import (
	"context"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor/fsm/command"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/rpc/tracing"
	"github.com/candor-plane/candor/server/link"
	"github.com/candor-plane/candor/server/replica"
)

// peers is how the replica asks other servers: for confirmations over the link,
// for the rest over their peer service.
type peers struct {
	directory *directory
	// locate has the directory learn what the root was told of a server.
	locate    func(serverID string) (name, address string)
	layer     *link.Layer
	clusterID string
	// past is what the caller and the called have in common.
	past string
}

func (p *peers) client(serverID string) (candorv1.PeerServiceClient, error) {
	p.locate(serverID)
	return p.directory.peer(serverID)
}

// Confirm asks which term a server is in. The link vouches for who answers.
func (p *peers) Confirm(ctx context.Context, server raft.Server, q replica.ConfirmQuestion) (replica.ConfirmAnswer, error) {
	a, err := p.layer.Ask(ctx, server, link.Question{Term: q.Term, Nonce: q.Nonce, Audit: q.Audit})
	if err != nil {
		return replica.ConfirmAnswer{}, err
	}
	return replica.ConfirmAnswer{
		ServerID: string(server.ID), ClusterID: p.clusterID, Term: a.Term, Nonce: a.Nonce, Newest: a.Newest, Audited: a.Audited,
	}, nil
}

// Prove asks the leader how far the root is.
func (p *peers) Prove(ctx context.Context, leader raft.Server, term uint64) (replica.ProveAnswer, error) {
	a, err := p.layer.Prove(ctx, leader, term)
	if err != nil {
		return replica.ProveAnswer{}, err
	}
	return replica.ProveAnswer{
		Proof:   replica.Proof{Index: a.Index, Term: a.Term, Root: a.Root, First: a.First, Agreed: a.Agreed},
		Refusal: a.Refusal, Leader: a.Leader,
	}, nil
}

// Forward has the leader propose a command.
func (p *peers) Forward(ctx context.Context, leader raft.Server, term uint64, data []byte, expected uint64) (replica.ForwardAnswer, error) {
	client, err := p.client(string(leader.ID))
	if err != nil {
		return replica.ForwardAnswer{}, err
	}
	out, err := client.Forward(tracing.Inject(ctx), &candorv1.ForwardRequest{ClusterId: p.past, Term: term, Command: data, ExpectedConfigurationIndex: expected})
	if err != nil {
		if refusal, ok := convert.Refusal(err); ok {
			return replica.ForwardAnswer{}, refusal
		}
		// Nobody knows whether it arrived.
		return replica.ForwardAnswer{}, err
	}
	answer := replica.ForwardAnswer{Result: out.GetResult()}
	answer.Token.Term, answer.Token.Index, answer.Token.Revision = out.GetTerm(), out.GetIndex(), out.GetRevision()
	return answer, nil
}

// Probe goes the way of a Forward, with a write of nothing that is not even
// proposed: nil says that the leader
// of the term had a majority confirm it meanwhile.
func (p *peers) Probe(ctx context.Context, leader raft.Server, term uint64) error {
	client, err := p.client(string(leader.ID))
	if err != nil {
		return err
	}
	nothing := command.AppendCommand(nil, &command.Command{Type: command.TypeWrite, Actor: "system"})
	_, err = client.Forward(ctx, &candorv1.ForwardRequest{ClusterId: p.past, Term: term, Command: nothing, Probe: true})
	return convert.ErrorFromStatus(err)
}
