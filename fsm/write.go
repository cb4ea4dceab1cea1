package fsm

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/invariant"
	"github.com/candor-plane/candor/internal/zoo"
)

// ruleSet names rules that tests leave out, to show that the invariants behind
// them hold by themselves. It is empty in every other use.
type ruleSet uint32

const (
	ruleOwners ruleSet = 1 << iota
	ruleSections
	ruleGeneration
	ruleIdentity
	ruleNamespace
	ruleFinalizers
	ruleCause
	ruleRevision
	ruleToken
	ruleFault
	ruleFence
	ruleSeal
	rulePlanID
	ruleForward
	rulePublish
	ruleDispose
	ruleCapacity
	rulePlace
)

// run executes the command on the draft.
func (d *draft) run() *candor.Error {
	if err := d.fenced(); err != nil {
		return err
	}
	switch c := d.cmd; c.Type {
	case command.TypeWrite:
		return d.write()
	case command.TypeLeaderStart:
		return d.leaderStart()
	case command.TypeTick:
		return nil
	case command.TypeCompact:
		return d.compact()
	case command.TypeCascadePage:
		return d.cascadePage()
	case command.TypeRaiseLevel:
		return d.raiseLevel()
	case command.TypeOpenAccess:
		return d.openAccess()
	case command.TypeTenure:
		return d.changeTenure()
	case command.TypeTransition:
		return d.changeTransition()
	case command.TypePlacement:
		return d.place()
	case command.TypeBeat:
		return d.beat()
	default:
		return d.hello()
	}
}

func (d *draft) write() *candor.Error {
	branch := d.cmd.Then
	for i := range d.cmd.Compares {
		if err := d.mayCompare(&d.cmd.Compares[i]); err != nil {
			return err
		}
	}
	for i := range d.cmd.Compares {
		if !d.holds(&d.cmd.Compares[i]) {
			d.succeeded = false
			branch = d.cmd.Else
			break
		}
	}
	if zoo.Enabled && zoo.Has(zoo.HalfTransaction) {
		branch = branch[:(len(branch)+1)/2]
	}
	for i := range branch {
		if err := d.operate(&branch[i]); err != nil {
			return err
		}
	}
	return d.settled()
}

// settled refuses a transaction whose later operations take from its earlier
// ones what they stand on: the namespace, an owner, the kind.
func (d *draft) settled() *candor.Error {
	if len(d.changes) < 2 {
		return nil
	}
	for i := range d.changes {
		c := &d.changes[i]
		if c.After == nil {
			continue
		}
		kind := candor.Ref{Kind: candor.KindKinds, Name: string(c.Ref.Kind)}
		if d.live(kind) == nil {
			return &candor.Error{Reason: candor.ReasonKindInUse, Subject: kind.String(), Message: sprintf("the transaction writes %s and deletes its kind", c.Ref)}
		}
		var owners []candor.OwnerReference
		if c.Before != nil {
			owners = c.Before.Metadata.Owners
		} else if err := d.namespaceTakes(c.Ref); err != nil {
			return err
		}
		if err := d.ownersLive(c.Ref, c.After.Metadata.UID, owners, c.After.Metadata.Owners); err != nil {
			return err
		}
	}
	return nil
}

func (d *draft) holds(c *command.Compare) bool {
	if c.Condition == command.IfRootRevision {
		return d.m.state.token.Revision == c.Number
	}
	o := d.live(c.Ref)
	switch c.Condition {
	case command.IfExists:
		return (o != nil) == (c.Number != 0)
	case command.IfResourceVersion:
		return o != nil && o.Metadata.ResourceVersion == c.Number
	case command.IfGeneration:
		return o != nil && o.Metadata.Generation == c.Number
	case command.IfUID:
		return o != nil && o.Metadata.UID == c.UID
	default:
		return false
	}
}

func (d *draft) operate(op *command.Operation) *candor.Error {
	ref := op.Ref()
	if err := d.mayOperate(op, ref); err != nil {
		return err
	}
	if err := d.speaksFor(op, ref); err != nil {
		return err
	}
	if err := rootOnly(op, ref); err != nil {
		return err
	}
	if err := d.verifiersOnly(op, ref); err != nil {
		return err
	}
	if op.Verb == command.VerbGet {
		_, v := d.stored(ref)
		d.ops = append(d.ops, opDraft{version: v})
		return nil
	}
	if _, twice := d.changed(ref); twice {
		return &candor.Error{Reason: candor.ReasonInvalid, Subject: ref.String(), Message: sprintf("%s: a transaction may change an object once", ref)}
	}
	if op.Verb != command.VerbDelete {
		if err := d.kindIs(op); err != nil {
			return err
		}
	}
	if op.Object == nil && (op.Verb == command.VerbCreate || op.Verb == command.VerbUpdate) {
		return candor.Errorf(candor.ReasonInvalid, "operation %s has no object", op.Verb)
	}
	switch op.Verb {
	case command.VerbCreate:
		return d.create(op, ref)
	case command.VerbUpdate:
		return d.update(op, ref)
	case command.VerbUpdateStatus, command.VerbObserve:
		return d.writeStatus(op, ref)
	case command.VerbDelete:
		return d.delete(op, ref)
	default:
		return candor.Errorf(candor.ReasonInvalid, "operation with verb %d: this build does not know it", op.Verb)
	}
}

// kindIs refuses an operation that was validated against another version of
// its kind: its server validates again.
func (d *draft) kindIs(op *command.Operation) *candor.Error {
	ref := candor.Ref{Kind: candor.KindKinds, Name: string(op.Kind)}
	if _, ok := d.changed(ref); !ok {
		v := d.m.state.head(ref)
		if v != nil && !v.Deleted && v.Revision == op.KindRevision {
			return nil
		}
	}
	o := d.live(ref)
	switch {
	case o == nil || o.Terminating():
		return &candor.Error{Reason: candor.ReasonUnknownKind, Subject: ref.String(), Message: sprintf("kind %s does not exist", op.Kind)}
	case o.Metadata.ResourceVersion != op.KindRevision:
		return &candor.Error{Reason: candor.ReasonConflict, Subject: ref.String(), Revision: o.Metadata.ResourceVersion,
			Message: sprintf("kind %s is at revision %d; the request was validated against %d", op.Kind, o.Metadata.ResourceVersion, op.KindRevision)}
	default:
		return nil
	}
}

func (d *draft) create(op *command.Operation, ref candor.Ref) *candor.Error {
	if o := d.live(ref); o != nil {
		return &candor.Error{Reason: candor.ReasonAlreadyExists, Subject: ref.String(), Revision: o.Metadata.ResourceVersion,
			Message: sprintf("%s exists already, at revision %d", ref, o.Metadata.ResourceVersion)}
	}
	if err := d.namespaceTakes(ref); err != nil {
		return err
	}
	if err := d.ownersLive(ref, op.Object.Metadata.UID, nil, op.Object.Metadata.Owners); err != nil {
		return err
	}
	if err := d.declares(ref, op.Object.Spec); err != nil {
		return err
	}
	o := *op.Object
	o.Status, o.Observed = nil, nil
	o.Metadata.Generation = 1
	o.Metadata.CreateRevision = d.revision()
	o.Metadata.DeletionTime = time.Time{}
	o.Metadata.CreationTime = d.wall()
	if err := d.sound(ref, nil, &o); err != nil {
		return err
	}
	return d.change(ref, nil, &o, invariant.SectionSpec|invariant.SectionLife)
}

func (d *draft) update(op *command.Operation, ref candor.Ref) *candor.Error {
	in := op.Object
	before, err := d.expect(ref, in.Metadata.ResourceVersion, in.Metadata.UID)
	if err != nil {
		return err
	}
	if ref.Kind == candor.KindRoles && isBuiltin(ref) {
		return &candor.Error{Reason: candor.ReasonInvalid, Subject: ref.String(), Message: sprintf("%s is built in and does not change: make another role", ref)}
	}
	b, a := &before.Metadata, &in.Metadata
	sameSpec := bytes.Equal(before.Spec, in.Spec)
	sameFinalizers := slices.Equal(b.Finalizers, a.Finalizers)
	if sameSpec && sameFinalizers && maps.Equal(b.Labels, a.Labels) && maps.Equal(b.Annotations, a.Annotations) && slices.Equal(b.Owners, a.Owners) {
		_, v := d.stored(ref)
		d.ops = append(d.ops, opDraft{version: v})
		return nil
	}
	if err := d.ownersLive(ref, b.UID, b.Owners, a.Owners); err != nil {
		return err
	}
	if !sameSpec {
		if err := d.declares(ref, in.Spec); err != nil {
			return err
		}
	}
	after := *before
	after.Spec = in.Spec
	after.Metadata.Labels, after.Metadata.Annotations = a.Labels, a.Annotations
	after.Metadata.Owners, after.Metadata.Finalizers = a.Owners, a.Finalizers
	if !sameSpec && d.m.skip&ruleGeneration == 0 {
		after.Metadata.Generation++
	}
	if err := d.sound(ref, before, &after); err != nil {
		return err
	}
	allowed := invariant.SectionSpec
	if d.m.skip&ruleSections != 0 {
		after.Status = json.RawMessage(`{"stolen":true}`)
	}
	if d.m.skip&ruleIdentity != 0 {
		after.Metadata.UID = "another"
	}
	if before.Terminating() {
		if err := d.noNewFinalizer(ref, b.Finalizers, a.Finalizers); err != nil {
			return err
		}
		if len(a.Finalizers) == 0 && !d.m.state.cascading(ref) {
			return d.remove(ref, before, &after, candor.PropagateBackground, allowed|invariant.SectionLife)
		}
	}
	return d.change(ref, before, &after, allowed)
}

func (d *draft) noNewFinalizer(ref candor.Ref, before, after []string) *candor.Error {
	for _, f := range after {
		if !slices.Contains(before, f) {
			return &candor.Error{Reason: candor.ReasonInvalid, Subject: ref.String(),
				Message: sprintf("%s is being deleted: finalizer %q cannot be added", ref, f)}
		}
	}
	return nil
}

func (d *draft) writeStatus(op *command.Operation, ref candor.Ref) *candor.Error {
	before, err := d.expect(ref, op.ResourceVersion, op.UID)
	if err != nil {
		return err
	}
	after := *before
	allowed := invariant.SectionStatus
	target := &after.Status
	if op.Verb == command.VerbObserve {
		allowed, target = invariant.SectionObserved, &after.Observed
	}
	if bytes.Equal(*target, op.Payload) {
		_, v := d.stored(ref)
		d.ops = append(d.ops, opDraft{version: v})
		return nil
	}
	*target = op.Payload
	if err := d.sound(ref, before, &after); err != nil {
		return err
	}
	return d.change(ref, before, &after, allowed)
}

// expect finds a live object and checks the preconditions.
func (d *draft) expect(ref candor.Ref, resourceVersion uint64, uid string) (*candor.Object, *candor.Error) {
	o := d.live(ref)
	if o == nil {
		return nil, &candor.Error{Reason: candor.ReasonNotFound, Subject: ref.String(), Message: sprintf("%s does not exist", ref)}
	}
	if uid != "" && o.Metadata.UID != uid {
		return nil, &candor.Error{Reason: candor.ReasonConflict, Subject: ref.String(), Revision: o.Metadata.ResourceVersion,
			Message: sprintf("%s has uid %s; the request wants %s: it is another object of the same name", ref, o.Metadata.UID, uid)}
	}
	if resourceVersion != 0 && o.Metadata.ResourceVersion != resourceVersion && (!zoo.Enabled || !zoo.Has(zoo.IgnorePrecondition)) {
		return nil, &candor.Error{Reason: candor.ReasonConflict, Subject: ref.String(), Revision: o.Metadata.ResourceVersion,
			Message: sprintf("%s is at resourceVersion %d; the request wants %d: read it again", ref, o.Metadata.ResourceVersion, resourceVersion)}
	}
	return o, nil
}

func (d *draft) namespaceTakes(ref candor.Ref) *candor.Error {
	if ref.Namespace == "" || d.m.skip&ruleNamespace != 0 {
		return nil
	}
	ns := d.live(candor.Ref{Kind: candor.KindNamespaces, Name: ref.Namespace})
	switch {
	case ns == nil:
		return &candor.Error{Reason: candor.ReasonNotFound, Subject: "namespaces/" + ref.Namespace, Message: sprintf("namespace %s does not exist: create it first", ref.Namespace)}
	case ns.Terminating():
		return &candor.Error{Reason: candor.ReasonNamespaceTerminating, Subject: "namespaces/" + ref.Namespace, Message: sprintf("namespace %s is being deleted and takes nothing new", ref.Namespace)}
	default:
		return nil
	}
}

// ownersLive refuses a new owner reference that names no live object.
func (d *draft) ownersLive(ref candor.Ref, uid string, before, after []candor.OwnerReference) *candor.Error {
	if d.m.skip&ruleOwners != 0 {
		return nil
	}
	for i := range after {
		o := &after[i]
		if slices.Contains(before, *o) {
			continue
		}
		owner := d.live(candor.Ref{Kind: o.Kind, Namespace: ref.Namespace, Name: o.Name})
		if owner == nil && ref.Namespace != "" {
			owner = d.live(candor.Ref{Kind: o.Kind, Name: o.Name})
		}
		var problem string
		switch {
		case owner == nil:
			problem = "does not exist in the object's namespace"
		case owner.Metadata.UID != o.UID:
			problem = sprintf("has uid %s, the reference says %s", owner.Metadata.UID, o.UID)
		case o.UID == uid:
			problem = "is the object itself"
		default:
			if problem = d.cycle(ref, uid, owner); problem == "" {
				continue
			}
		}
		path := sprintf("metadata.ownerReferences[%d]", i)
		return &candor.Error{Reason: candor.ReasonOwnerInvalid, Subject: ref.String(),
			Message: sprintf("%s: %s: owner %s %q %s", ref, path, o.Kind, o.Name, problem),
			Fields:  []candor.FieldViolation{{Path: path, Message: problem}}}
	}
	return nil
}

// change records that the turn makes after of before.
func (d *draft) change(ref candor.Ref, before, after *candor.Object, allowed invariant.Section) *candor.Error {
	d.stamp(before, after)
	i, err := d.put(change{Change: invariant.Change{Ref: ref, Before: before, After: after, Allowed: allowed, System: d.cmd.Type == command.TypeCascadePage}, final: after})
	if err != nil {
		return err
	}
	d.ops = append(d.ops, opDraft{change: i, changed: true})
	if d.m.skip&ruleFault != 0 && ref.Name == "panic" {
		panic("a turn that fails")
	}
	return nil
}

// stamp gives a new version its revision and cause.
func (d *draft) stamp(before, after *candor.Object) {
	after.Metadata.ResourceVersion = d.revision()
	if d.m.skip&ruleRevision != 0 {
		after.Metadata.ResourceVersion++
	}
	after.Cause = d.cause(before)
	if d.m.skip&ruleCause != 0 {
		after.Cause = nil
	}
}

// wall is the leader's wall clock, for people.
func (d *draft) wall() time.Time {
	if d.env.wall == 0 {
		return time.Time{}
	}
	return time.Unix(0, d.env.wall).UTC()
}
