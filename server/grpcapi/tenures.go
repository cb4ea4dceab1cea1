package grpcapi

import (
	"context"
	"encoding/hex"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/policy"
	"github.com/candor-plane/candor/fsm/tenure"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// Duties are what this node does about tenures.
type Duties interface {
	// Here is every duty as it stands on this node.
	Here() []*candorv1.DutyStatus
	// ClusterTime is about what it is now.
	ClusterTime() int64
	// Transfer hands a duty that is held here to a member, by name or ID.
	Transfer(ctx context.Context, duty, server string) (sealed uint64, err error)
	// Name is that of a holder that is a member; empty for another.
	Name(holder string) string
}

// Tenures is the tenure service.
type Tenures struct {
	candorv1.UnimplementedTenureServiceServer
	machine  *fsm.Machine
	reader   Reader
	proposer Proposer
	duties   Duties
}

// NewTenures returns the service.
func NewTenures(machine *fsm.Machine, reader Reader, proposer Proposer, duties Duties) *Tenures {
	if machine == nil || reader == nil || proposer == nil || duties == nil {
		panic("grpcapi: every dependency of the tenure service is required")
	}
	return &Tenures{machine: machine, reader: reader, proposer: proposer, duties: duties}
}

// Tenures lists the duties by this node's view.
func (s *Tenures) Tenures(context.Context, *candorv1.TenuresRequest) (*candorv1.TenuresResponse, error) {
	view := s.machine.View()
	out := &candorv1.TenuresResponse{Here: s.duties.Here(), ClusterTime: s.duties.ClusterTime(), Witness: unasked(s.reader.Witness(view))}
	for _, l := range view.Tenures() {
		out.Tenures = append(out.Tenures, s.tenure(l))
	}
	return out, nil
}

// TransferTenure hands a duty over. That another holds it then is its to say.
func (s *Tenures) TransferTenure(ctx context.Context, in *candorv1.TransferTenureRequest) (*candorv1.TransferTenureResponse, error) {
	duty, bad := tenure.DutyOf(in.GetDuty())
	if bad != nil {
		return nil, bad
	}
	if err := authorize(ctx, s.machine, s.proposer, policy.Ask{Verb: policy.Update, Kind: policy.Tenures, Name: duty.Name}); err != nil {
		return nil, err
	}
	sealed, err := s.duties.Transfer(ctx, duty.Name, in.GetServer())
	if err != nil {
		return nil, candor.Wrap("transfer duty "+duty.Name, err)
	}
	view := s.machine.View()
	return &candorv1.TransferTenureResponse{SealedEra: sealed, Tenure: s.tenure(view.Tenure(duty)), Witness: unasked(s.reader.Witness(view))}, nil
}

// ChangeTenure puts an event of the caller's through the root.
func (s *Tenures) ChangeTenure(ctx context.Context, in *candorv1.ChangeTenureRequest) (*candorv1.ChangeTenureResponse, error) {
	duty, bad := tenure.DutyOf(in.GetDuty())
	if bad != nil {
		return nil, bad
	}
	p := PrincipalOf(ctx)
	holder, bad := tenure.HolderOf(p.Actor)
	if bad != nil {
		return nil, bad
	}
	event, err := eventOf(in, holder)
	if err != nil {
		return nil, err
	}
	c := command.Tenure(duty.Name, holder, event)
	c.Actor, c.Verified, c.Accessor = p.Actor, p.Verified(), p.Accessor
	c.Reason = "TENURE_" + c.Tenure.Verb.Word()
	result, err := s.proposer.Propose(ctx, c, 0)
	if err != nil {
		return nil, err
	}
	if err := result.Err(); err != nil {
		return nil, &decided{err}
	}
	if err := s.proposer.WaitApplied(ctx, result.Token.Index); err != nil {
		return nil, err
	}
	view := s.machine.View()
	return &candorv1.ChangeTenureResponse{Tenure: s.tenure(view.Tenure(duty)), Witness: unasked(s.reader.Witness(view))}, nil
}

// eventOf reads an event of a holder.
func eventOf(in *candorv1.ChangeTenureRequest, holder string) (tenure.Event, error) {
	var cite tenure.Digest
	if text := in.GetCite(); text != "" {
		p, err := hex.DecodeString(text)
		if err != nil || len(p) != len(cite) {
			return nil, candor.Errorf(candor.ReasonInvalid, "cite %q: want the %d hexadecimal digits of a seal", text, 2*len(cite))
		}
		cite = tenure.Digest(p)
	}
	f := tenure.Frontiers{ID: in.GetFrontiers().GetId(), Timestamp: in.GetFrontiers().GetTimestamp(), Transition: in.GetFrontiers().GetTransition()}
	switch in.GetVerb() {
	case candorv1.TenureVerb_TENURE_VERB_CAMPAIGN:
		return tenure.Campaign{Holder: holder, Candidacy: in.GetCandidacy(), Expect: in.GetEra(), Cite: cite, Start: f, Duration: int64(in.GetDuration().AsDuration())}, nil
	case candorv1.TenureVerb_TENURE_VERB_RENEW:
		return tenure.Renew{Era: in.GetEra(), Holder: holder}, nil
	case candorv1.TenureVerb_TENURE_VERB_RESERVE:
		return tenure.Reserve{Era: in.GetEra(), Holder: holder, Bound: f}, nil
	case candorv1.TenureVerb_TENURE_VERB_SEAL:
		return tenure.Seal{Era: in.GetEra(), Holder: holder, Usage: f, To: in.GetTo()}, nil
	case candorv1.TenureVerb_TENURE_VERB_CONFIRM:
		return tenure.Confirm{Era: in.GetEra(), Holder: holder, Predecessor: in.GetPredecessor(), Cite: cite}, nil
	case candorv1.TenureVerb_TENURE_VERB_CLOSE:
		return tenure.Close{Era: in.GetEra(), Holder: holder, Predecessor: in.GetPredecessor()}, nil
	case candorv1.TenureVerb_TENURE_VERB_REATTACH:
		return tenure.Reattach{Holder: holder, Candidacy: in.GetCandidacy(), Era: in.GetEra(), Cite: cite}, nil
	case candorv1.TenureVerb_TENURE_VERB_RELEASE:
		return tenure.Release{Era: in.GetEra(), Holder: holder, Usage: f}, nil
	default:
		return nil, candor.Errorf(candor.ReasonInvalid, "tenure verb %d: this server does not know it", in.GetVerb())
	}
}

func (s *Tenures) tenure(l tenure.Lineage) *candorv1.Tenure {
	out := &candorv1.Tenure{Duty: l.Duty.Name, Mandate: string(l.Duty.Mandate), Current: s.era(&l.Current), Finished: s.era(&l.Finished)}
	for i := range l.Unfinished {
		out.Unfinished = append(out.Unfinished, s.era(&l.Unfinished[i]))
	}
	return out
}

// era is nil for none.
func (s *Tenures) era(x *tenure.Era) *candorv1.Era {
	if x.Number == 0 {
		return nil
	}
	out := &candorv1.Era{
		Number: x.Number, Holder: x.Holder, HolderName: s.duties.Name(x.Holder), Candidacy: x.Candidacy, State: string(x.State),
		GrantedAt: x.GrantedAt, RenewedUntil: x.RenewedUntil, Duration: durationpb.New(time.Duration(x.Duration)),
		Start: frontiersToProto(x.Start), Bound: frontiersToProto(x.Bound), Predecessor: x.Predecessor,
		Sealing: string(x.Sealing), SealedBy: x.SealedBy, SealedAt: x.SealedAt, Successor: x.Successor,
	}
	if x.Predecessor != 0 {
		out.Lineage = x.Lineage.String()
	}
	if x.State != tenure.StateActive {
		out.Seal, out.Usage = x.Seal.String(), frontiersToProto(x.Usage)
	}
	return out
}

func frontiersToProto(f tenure.Frontiers) *candorv1.Frontiers {
	return &candorv1.Frontiers{Id: f.ID, Timestamp: f.Timestamp, Transition: f.Transition}
}
