package fsm

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/policy"
)

// Access control is off until it is opened, and then on for ever. The turn judges
// by the policy of the very revision that it stands on, whatever the server that
// took the request knew: a right that was revoked first does not count.

// Policy is who may do what at the view's revision.
func (v *View) Policy() *policy.Policy { return v.policy }

// AccessEpoch is how often access control was opened; 0 says that it is off.
func (v *View) AccessEpoch() uint64 { return v.accessEpoch }

// PolicyRevision is that of the policy which judges; 0 while access control is off.
func (v *View) PolicyRevision() uint64 {
	if v.accessEpoch == 0 {
		return 0
	}
	return v.policy.Revision()
}

// compiled is the policy of the state as it stands. A turn that changes roles,
// bindings or tokens has the next one compile anew.
func (m *Machine) compiled() *policy.Policy {
	s := m.state
	revision := uint64(0)
	for _, kind := range policyKinds {
		if ordinal, ok := s.kindIndex[kind]; ok {
			revision = max(revision, s.kinds[ordinal].touched)
		}
	}
	if m.policy == nil || m.policy.Revision() != revision {
		m.policy = policy.Compile(revision, s.objectsOf(candor.KindRoles), s.objectsOf(candor.KindRoleBindings), s.objectsOf(candor.KindTokens))
	}
	return m.policy
}

var policyKinds = []candor.KindName{candor.KindRoles, candor.KindRoleBindings, candor.KindTokens}

func (s *state) objectsOf(kind candor.KindName) []policy.Object {
	var out []policy.Object
	ordinal, ok := s.kindIndex[kind]
	if !ok {
		return nil // a state from before there was access control
	}
	s.kinds[ordinal].tree.Scan("", "", func(head *mvcc.Version) bool {
		if !head.Deleted {
			o := mustDecode(head)
			out = append(out, policy.Object{Name: o.Metadata.Name, Spec: o.Spec})
		}
		return true
	})
	return out
}

// judged says whether the command's actor has to be allowed what it asks: it is
// somebody's and not the cluster's own.
func (d *draft) judged() bool {
	if d.m.state.accessEpoch == 0 || d.cmd.Actor == candor.ActorSystem {
		return false
	}
	switch d.cmd.Type {
	case command.TypeWrite, command.TypeCompact, command.TypeRaiseLevel, command.TypeTenure, command.TypeTransition:
		return true
	default:
		return false
	}
}

// permitted refuses a command whose actor is nobody's word but its own, whose
// token is gone, or who may not do what the command does besides its operations.
func (d *draft) permitted() *candor.Error {
	if !d.judged() {
		return nil
	}
	c := d.cmd
	if !c.Verified {
		return candor.Errorf(candor.ReasonUnauthenticated, "%s was not authenticated, and access control is on", c.Actor)
	}
	if c.Accessor != "" {
		if err := d.m.compiled().Holds(c.Accessor, c.Actor, d.env.wall); err != nil {
			return err
		}
	}
	for i := range c.Asks {
		if err := d.allowed(c.Asks[i]); err != nil {
			return err
		}
	}
	switch c.Type {
	case command.TypeCompact:
		return d.allowed(policy.Ask{Verb: policy.Create, Kind: policy.Compactions})
	case command.TypeTenure:
		return d.mayHold()
	case command.TypeTransition:
		return d.mayTransit()
	case command.TypeRaiseLevel:
		return d.allowed(policy.Ask{Verb: policy.Update, Kind: policy.FeatureLevels})
	default:
		return nil
	}
}

func (d *draft) allowed(ask policy.Ask) *candor.Error {
	return d.m.compiled().Check(d.cmd.Actor, ask)
}

// mayOperate refuses an operation that the actor may not do.
func (d *draft) mayOperate(op *command.Operation, ref candor.Ref) *candor.Error {
	if !d.judged() {
		return nil
	}
	return d.allowed(AskOf(op, ref))
}

// mayCompare refuses to tell by a condition what the actor may not read.
func (d *draft) mayCompare(c *command.Compare) *candor.Error {
	if c.Condition == command.IfRootRevision || !d.judged() {
		return nil
	}
	return d.allowed(policy.Ask{Verb: policy.Get, Kind: string(c.Ref.Kind), Namespace: c.Ref.Namespace, Name: c.Ref.Name})
}

// AskOf is what somebody must be allowed for an operation.
func AskOf(op *command.Operation, ref candor.Ref) policy.Ask {
	ask := policy.Ask{Kind: string(ref.Kind), Namespace: ref.Namespace, Name: ref.Name}
	switch op.Verb {
	case command.VerbCreate:
		ask.Verb, ask.Section = policy.Create, policy.Spec
	case command.VerbUpdate:
		ask.Verb, ask.Section = policy.Update, policy.Spec
	case command.VerbUpdateStatus:
		ask.Verb, ask.Section = policy.Update, policy.Status
	case command.VerbObserve:
		ask.Verb, ask.Section = policy.Update, policy.Observed
	case command.VerbDelete:
		ask.Verb = policy.Delete
	case command.VerbGet:
		ask.Verb = policy.Get
	}
	return ask
}

// openAccess turns access control on, once, with the objects that give somebody
// the right to go on. To open it again takes the number of the opening before,
// which an operator writes into a file on a server.
func (d *draft) openAccess() *candor.Error {
	c, s := d.cmd, d.m.state
	if c.Epoch != s.accessEpoch {
		return &candor.Error{Reason: candor.ReasonConflict, Subject: "access", Revision: s.token.Revision,
			Message: sprintf("access control was opened %d times; this request is made for %d", s.accessEpoch, c.Epoch)}
	}
	for i := range c.Then {
		op := &c.Then[i]
		if op.Verb != command.VerbCreate || op.Kind != candor.KindTokens && op.Kind != candor.KindRoleBindings {
			return candor.Errorf(candor.ReasonInvalid, "opening access control makes tokens and rolebindings, not %s of %s", op.Verb, op.Kind)
		}
		if err := d.operate(op); err != nil {
			return err
		}
	}
	d.effects = append(d.effects, func(s *state) { s.accessEpoch++ })
	return d.settled()
}
