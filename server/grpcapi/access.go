package grpcapi

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/google/uuid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/policy"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// Resets is the word of this server's disk that access control may be opened
// again.
type Resets interface {
	// Number is how often it was opened, as the reset file says; not ok without
	// one.
	Number() (number uint64, ok bool, err error)
	// Done takes the file away.
	Done() error
	// Path is where the file would be.
	Path() string
}

// Access is the access service.
type Access struct {
	candorv1.UnimplementedAccessServiceServer
	machine  *fsm.Machine
	reader   Reader
	proposer Proposer
	kinds    Kinds
	resets   Resets
	required bool
}

// NewAccess returns the service. Required says that nobody is served before access
// control has been opened.
func NewAccess(machine *fsm.Machine, reader Reader, proposer Proposer, kinds Kinds, resets Resets, required bool) *Access {
	if machine == nil || reader == nil || proposer == nil || kinds == nil || resets == nil {
		panic("grpcapi: every dependency of the access service is required")
	}
	return &Access{machine: machine, reader: reader, proposer: proposer, kinds: kinds, resets: resets, required: required}
}

// Open turns access control on.
func (s *Access) Open(ctx context.Context, in *candorv1.OpenRequest) (*candorv1.OpenResponse, error) {
	if err := candor.CheckActor(in.GetActor()); err != nil {
		return nil, candor.Wrap("open access control", err)
	}
	epoch, err := s.epoch(in.GetReset_())
	if err != nil {
		return nil, err
	}
	c := &command.Command{Type: command.TypeOpenAccess, Actor: in.GetActor(), Epoch: epoch, Reason: "ACCESS_OPENED"}
	for _, o := range []struct {
		kind, name string
		spec       any
	}{
		{"RoleBinding", "first-" + in.GetAccessor(), map[string]any{"role": "admin", "subjects": []string{in.GetActor()}}},
		{"Token", in.GetAccessor(), map[string]any{"actor": in.GetActor(), "hash": in.GetHash(), "expires": in.GetExpires(), "description": "made when access control was opened"}},
	} {
		op, err := s.create(o.kind, o.name, o.spec)
		if err != nil {
			return nil, err
		}
		c.Then = append(c.Then, op)
	}
	result, err := s.proposer.Propose(ctx, c, 0)
	if err != nil {
		return nil, err
	}
	if err := result.Err(); err != nil {
		return nil, &decided{opened(err, s.resets.Path())}
	}
	// Whoever asks next shall find it on here.
	if err := s.proposer.WaitApplied(ctx, result.Token.Index); err != nil {
		return nil, err
	}
	if in.GetReset_() {
		if err := s.resets.Done(); err != nil {
			return nil, err
		}
	}
	return &candorv1.OpenResponse{Epoch: epoch + 1, Witness: s.witness()}, nil
}

// epoch is how often access control may have been opened before.
func (s *Access) epoch(reset bool) (uint64, error) {
	if !reset {
		return 0, nil
	}
	number, ok, err := s.resets.Number()
	if err == nil && !ok {
		err = candor.Errorf(candor.ReasonForbidden, "access control is opened again by the word of this server's disk alone: write the number that `candor auth whoami` shows (%d) into %s", s.machine.View().AccessEpoch(), s.resets.Path())
	}
	return number, err
}

// opened says what to do where it was opened before.
func opened(err error, path string) error {
	if candor.ReasonOf(err) != candor.ReasonConflict {
		return err
	}
	return candor.Errorf(candor.ReasonConflict, "%w; an administrator who is locked out writes that number into %s and asks with --reset", err, path)
}

func accessObject(kind, name string, spec any) (*candor.Object, error) {
	text, err := json.Marshal(spec)
	if err != nil {
		return nil, candor.Wrap("open access control", err)
	}
	return &candor.Object{APIVersion: candor.APIVersion, Kind: kind, Metadata: candor.Metadata{Name: name}, Spec: text}, nil
}

func (s *Access) create(word, name string, spec any) (command.Operation, error) {
	o, err := accessObject(word, name, spec)
	if err != nil {
		return command.Operation{}, err
	}
	kind, err := s.kinds.ByType(o.APIVersion, o.Kind)
	if err != nil {
		return command.Operation{}, err
	}
	if err := kind.Prepare(o); err != nil {
		return command.Operation{}, err
	}
	o.Metadata.UID = uuid.NewString()
	return command.Operation{Verb: command.VerbCreate, Kind: kind.Name(), KindRevision: kind.Revision(), Object: o}, nil
}

// WhoAmI says as whom the caller acts.
func (s *Access) WhoAmI(ctx context.Context, _ *candorv1.WhoAmIRequest) (*candorv1.WhoAmIResponse, error) {
	p, view := PrincipalOf(ctx), s.machine.View()
	out := &candorv1.WhoAmIResponse{
		Actor: p.Actor, AuthenticatedBy: string(p.Proof), Accessor: p.Accessor,
		AccessEpoch: view.AccessEpoch(), AccessRequired: s.required, PolicyRevision: view.PolicyRevision(), Witness: s.witness(),
	}
	if p.Verified() {
		out.Roles = view.Policy().RolesOf(p.Actor)
	}
	return out, nil
}

// CanI judges for the caller as a request would be judged.
func (s *Access) CanI(ctx context.Context, in *candorv1.CanIRequest) (*candorv1.CanIResponse, error) {
	ask := policy.Ask{
		Verb: policy.Verb(in.GetVerb()), Kind: in.GetKind(), Namespace: in.GetNamespace(), Name: in.GetName(), Section: policy.Section(in.GetSection()),
	}
	if !slices.Contains(policy.Verbs, ask.Verb) {
		return nil, candor.Errorf(candor.ReasonInvalid, "verb %q: want one of %v", ask.Verb, policy.Verbs)
	}
	if !slices.Contains(policy.SystemKinds, ask.Kind) {
		if _, err := s.kinds.ByName(candor.KindName(ask.Kind)); err != nil {
			return nil, err
		}
	}
	p, view := PrincipalOf(ctx), s.machine.View()
	out := &candorv1.CanIResponse{Allowed: true, AccessEpoch: view.AccessEpoch(), PolicyRevision: view.PolicyRevision(), Witness: s.witness()}
	if err := may(view, p, ask); err != nil {
		out.Allowed, out.Message = false, err.Error()
		return out, nil //nolint:nilerr // that is the answer
	}
	if view.AccessEpoch() != 0 {
		out.Role, _ = view.Policy().Allows(p.Actor, ask)
	}
	return out, nil
}

func (s *Access) witness() *candorv1.Witness { return unasked(s.reader.Witness(s.machine.View())) }
