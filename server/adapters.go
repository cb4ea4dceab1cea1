package server

import (
	"context"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/mvcc"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/server/grpcapi"
	"github.com/candor-plane/candor/server/kinds"
	"github.com/candor-plane/candor/server/link"
	"github.com/candor-plane/candor/server/read"
	"github.com/candor-plane/candor/server/replica"
)

// The small types by which the packages below see each other: each satisfies
// an interface of its consumer.

// proposer puts commands through the replica.
type proposer struct{ s *Server }

func (p *proposer) Propose(ctx context.Context, c *command.Command, expected uint64) (fsm.Result, error) {
	result, err := p.s.replica.Propose(ctx, replica.Proposal{
		Command: command.AppendCommand(nil, c), Actor: c.Actor, RequestID: c.RequestID, ExpectedConfiguration: expected, Frees: frees(c),
	})
	if err == nil {
		p.s.gates.judged(c, result.Err())
	}
	return result, err
}

func (p *proposer) LedIn(term uint64) bool { return p.s.replica.LedIn(term) }

func (p *proposer) WaitApplied(ctx context.Context, index uint64) error {
	return p.s.replica.WaitApplied(ctx, index)
}

// frees says whether the command can only make room.
func frees(c *command.Command) bool {
	switch c.Type {
	case command.TypeCompact, command.TypeCascadePage:
		return true
	case command.TypeWrite:
		for i := range c.Then {
			if c.Then[i].Verb != command.VerbDelete {
				return false
			}
		}
		return len(c.Then) > 0 && len(c.Else) == 0
	default:
		return false
	}
}

// entrance is what every request of a client passes.
type entrance struct {
	s     *Server
	kinds registry
}

func (e *entrance) Judged(ctx context.Context, class candor.AdmissionClass, method string, err error) {
	e.s.replica.Admissions.Judge(class, method, err, func() string { return grpcapi.ActorOf(ctx) })
}

func (e *entrance) Authenticate(ctx context.Context) (candor.Principal, error) {
	return e.s.authenticator.Authenticate(ctx)
}

// Secured says whether servers prove to one another who they are.
func (e *entrance) Secured() bool { return e.s.own != nil }

// Demands says that nobody is served before access control has been opened.
func (e *entrance) Demands() bool { return e.s.config.Auth }

func (e *entrance) View() *fsm.View { return e.s.machine.View() }

func (e *entrance) Witness() candor.Witness { return e.s.reader.Witness(e.s.machine.View()) }

// outcomes is what the API knows of requests.
type outcomes struct{ *replica.Outcomes }

func (o outcomes) Find(actor, requestID string) (candor.Outcome, candor.Reason, candor.Token) {
	b := o.Outcomes.Find(actor, requestID)
	return b.Outcome, b.Reason, b.Token
}

func (s *Server) located(hint *candor.LeaderHint) *candor.LeaderHint {
	if hint == nil {
		return nil
	}
	full := *hint
	if full.ServerID == s.serverID {
		full.Name, full.Address = s.config.Name, s.apiAddress
		return &full
	}
	full.Name, full.Address = s.whereIs(full.ServerID)
	return &full
}

// whereIs finds a server's name and API address: what the root was told wins
// over what was learnt on the way.
func (s *Server) whereIs(serverID string) (name, address string) {
	for _, m := range s.machine.View().Members() {
		if m.ServerID == serverID {
			s.directory.learn(m.ServerID, m.Name, m.APIAddress)
			return m.Name, m.APIAddress
		}
	}
	return s.directory.find(serverID)
}

func (s *Server) peers() *peers {
	return &peers{directory: s.directory, locate: s.whereIs, layer: s.layer, clusterID: s.clusterID, past: s.past}
}

// peerSide answers other servers.
type peerSide struct{ s *Server }

func (p *peerSide) ClusterID() string { return p.s.past }

// linkSide answers what servers ask one another about reads.
type linkSide struct{ s *Server }

func (l *linkSide) Confirm(q link.Question) link.Answer {
	a := l.s.replica.ServeConfirm(replica.ConfirmQuestion{Term: q.Term, Nonce: q.Nonce, Audit: q.Audit})
	return link.Answer{Term: a.Term, Nonce: a.Nonce, Newest: a.Newest, Audited: a.Audited}
}

func (l *linkSide) Prove(ctx context.Context, from string, term uint64) link.Proof {
	a, confirmed := l.s.replica.ServeProve(ctx, from, term)
	if confirmed {
		l.s.reader.Note(read.Proof{Index: a.Index, Term: a.Term, Began: a.Began, Root: a.Root, Agreed: a.Agreed})
	}
	return link.Proof{Refusal: a.Refusal, Leader: a.Leader, Term: a.Term, Index: a.Index, Root: a.Root, First: a.First, Agreed: a.Agreed}
}

func (p *peerSide) Forward(ctx context.Context, in *candorv1.ForwardRequest) (*candorv1.ForwardResponse, error) {
	if in.GetProbe() {
		return p.probed(ctx, in.GetTerm())
	}
	a, err := p.s.replica.ServeForward(ctx, in.GetCommand(), in.GetTerm(), in.GetExpectedConfigurationIndex())
	if err != nil {
		return nil, err
	}
	return &candorv1.ForwardResponse{Term: a.Token.Term, Index: a.Token.Index, Revision: a.Token.Revision, Result: a.Result}, nil
}

func (p *peerSide) probed(ctx context.Context, term uint64) (*candorv1.ForwardResponse, error) {
	proof, err := p.s.replica.Confirm(ctx)
	if err != nil {
		return nil, err
	}
	if term != 0 && term != proof.Term {
		return nil, candor.Errorf(candor.ReasonNotLeader, "this server leads in term %d, not in %d", proof.Term, term)
	}
	return &candorv1.ForwardResponse{Term: proof.Term, Index: proof.Index}, nil
}

func (p *peerSide) Identify() *candorv1.IdentifyResponse {
	out := &candorv1.IdentifyResponse{
		ServerId: p.s.serverID, Name: p.s.config.Name, ClusterId: p.s.clusterID, RaftAddress: string(p.s.raftAddr),
		ApiAddress: p.s.apiAddress, FeatureLevel: candor.FeatureLevel, Version: p.s.config.Version,
	}
	// A server without a configuration has no history yet, whatever it was
	// told to become.
	if len(p.s.replica.Configuration().Servers) > 0 {
		out.HistoryId = p.s.historyID
	}
	return out
}

// registry gives the API its kinds.
type registry struct{ *kinds.Registry }

func (r registry) ByName(name candor.KindName) (grpcapi.Kind, error) {
	k, err := r.Registry.ByName(name)
	if err != nil {
		return nil, err
	}
	return k, nil
}

func (r registry) ByType(apiVersion, kind string) (grpcapi.Kind, error) {
	k, err := r.Registry.ByType(apiVersion, kind)
	if err != nil {
		return nil, err
	}
	return k, nil
}

// kindSource lists the Kind objects of the newest view.
type kindSource struct{ machine *fsm.Machine }

func (k *kindSource) KindsRevision() uint64 { return k.machine.View().Touched(candor.KindKinds) }

func (k *kindSource) Kinds() []*candor.Object {
	var out []*candor.Object
	// The view's own revision is always readable.
	_ = k.machine.View().List(candor.KindKinds, "", "", 0, func(v *mvcc.Version) bool {
		if o, err := v.Object(); err == nil {
			out = append(out, o)
		}
		return true
	})
	return out
}
