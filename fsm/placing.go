package fsm

import (
	"cmp"
	"maps"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/invariant"
	"github.com/candor-plane/candor/fsm/literal"
	"github.com/candor-plane/candor/fsm/placement"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/internal/zoo"
)

// site is a node as the placements of a turn leave it.
type site struct {
	// closed is why it takes nothing.
	closed         *candor.Error
	capacity, held candor.Resources
}

type siteKey struct{ node, uid string }

// place judges what the scheduler decided, each item by itself and in order, on what
// the turn made of those before it. An item that is refused takes nothing from the
// others; that it was is recorded where the instance still waits for a place.
func (d *draft) place() *candor.Error {
	c := d.cmd
	switch {
	case c.Duty != tenure.DutySchedule:
		return candor.Errorf(candor.ReasonForbidden, "placements take the tenure of duty %s", tenure.DutySchedule)
	case len(c.Placements) > command.MaxPlacements:
		return candor.Errorf(candor.ReasonInvalid, "%d placements at once; at most %d are judged in a turn", len(c.Placements), command.MaxPlacements)
	}
	if zoo.Enabled && zoo.Has(zoo.MapOrder) {
		zoo.Mix(c.Placements)
	}
	d.items = make([]ItemResult, len(c.Placements))
	sites := make(map[siteKey]*site, len(c.Placements))
	for i := range c.Placements {
		p := &c.Placements[i]
		before, refusal := d.waits(p)
		if refusal == nil && p.Node != "" {
			refusal = d.fits(p, before, sites)
		}
		if err := d.decided(p, before, refusal); err != nil && refusal == nil {
			refusal = err // what it would write is too large, alone or for the turn
		}
		if refusal != nil {
			d.items[i] = itemRefused(refusal, d.m.state.token.Revision)
			continue
		}
		d.items[i].Revision = d.revision()
	}
	return nil
}

func itemRefused(err *candor.Error, revision uint64) ItemResult {
	if err.Revision != 0 {
		revision = err.Revision
	}
	return ItemResult{Reason: err.Reason, Message: err.Message, Revision: revision}
}

// waits is the instance as it stands, and why it cannot be decided about now. There is
// none to record a refusal in where it is another one, has its place or an end, or
// changes in this turn already.
func (d *draft) waits(p *command.Placement) (*candor.Object, *candor.Error) {
	if p.Ref.Kind != candor.KindInstances {
		return nil, &candor.Error{Reason: candor.ReasonInvalid, Subject: p.Ref.String(), Message: sprintf("%s is no instance", p.Ref)}
	}
	if err := placement.Decided(p.Decision); err != nil {
		return nil, err
	}
	o, err := d.expect(p.Ref, 0, p.UID)
	if err != nil {
		return nil, err
	}
	conflict := func(problem string) *candor.Error {
		return &candor.Error{Reason: candor.ReasonConflict, Subject: p.Ref.String(), Revision: o.Metadata.ResourceVersion, Message: sprintf("%s %s", p.Ref, problem)}
	}
	if _, twice := d.changed(p.Ref); twice {
		return nil, conflict("was decided about earlier in this turn")
	}
	place, ok := placement.PlaceOf(o.Status)
	switch {
	case !ok:
		return nil, conflict("has a status that cannot be read")
	case place.Placed():
		return nil, conflict("is placed on node " + place.Node + " already")
	case place.Phase.Ended():
		return nil, conflict("has ended: it is " + string(place.Phase))
	case o.Terminating():
		return o, conflict("is being deleted")
	case o.Metadata.ResourceVersion != p.ResourceVersion:
		return o, conflict(sprintf("is at resourceVersion %d; it was decided about at %d", o.Metadata.ResourceVersion, p.ResourceVersion))
	default:
		return o, nil
	}
}

// fits takes the instance's needs from the node, or says why it cannot.
func (d *draft) fits(p *command.Placement, o *candor.Object, sites map[siteKey]*site) *candor.Error {
	key := siteKey{p.Node, p.NodeUID}
	at := sites[key]
	if at == nil {
		at = d.site(p)
		sites[key] = at
	}
	if at.closed != nil {
		return at.closed
	}
	needs, err := placement.Needs(o.Spec)
	if err != nil {
		return err
	}
	if d.m.skip&ruleCapacity == 0 {
		for _, need := range needs {
			if free := at.capacity.Get(need.Name) - at.held.Get(need.Name); need.Value > free {
				return &candor.Error{Reason: candor.ReasonCapacityExceeded, Subject: "nodes/" + p.Node,
					Message: sprintf("node %s has %s %s left; %s are asked for", p.Node, need.Name, candor.FormatAmount(need.Name, max(0, free)), candor.FormatAmount(need.Name, need.Value))}
			}
		}
	}
	at.held = add(at.held, needs, 1)
	return nil
}

func (d *draft) site(p *command.Placement) *site {
	subject := "nodes/" + clone(p.Node)
	closed := func(problem string) *site {
		return &site{closed: &candor.Error{Reason: candor.ReasonNodeUnavailable, Subject: subject, Message: sprintf("node %s %s", p.Node, problem)}}
	}
	node := d.live(candor.Ref{Kind: candor.KindNodes, Name: p.Node})
	switch {
	case node == nil:
		return closed("does not exist")
	case node.Metadata.UID != p.NodeUID:
		return closed("is another node of the same name")
	}
	if why := placement.Closed(node); why != "" && (!zoo.Enabled || !zoo.Has(zoo.ClosedNodeTakes)) {
		return closed(why)
	}
	capacity, err := placement.Capacity(node.Observed)
	if err != nil {
		return closed("reports a capacity that cannot be read")
	}
	return &site{capacity: capacity, held: heldOf(d.m.state.accounts, p.Node, p.NodeUID).Held}
}

// decided writes what became of an item into the instance. Of a refusal that is only
// where a place was asked for; what merely says that nothing fits is decided anew.
func (d *draft) decided(p *command.Placement, before *candor.Object, refusal *candor.Error) *candor.Error {
	if before == nil || refusal != nil && p.Node == "" {
		return nil
	}
	m := &before.Metadata
	o := placement.Outcome{Decision: p.Decision, Reason: p.Reason, Message: p.Message, Time: d.m.state.time}
	if m.ResourceVersion == p.ResourceVersion {
		o.Generation = m.Generation
	}
	after := *before
	allowed := invariant.SectionStatus
	switch {
	case refusal != nil:
		o.Verdict, o.Refusal = candor.VerdictRefused, refusal.Reason
		o.Reason, o.Message = candor.WhyRefused, refusal.Message
	case p.Node != "":
		o.Verdict, o.Node, o.NodeUID = candor.VerdictPlaced, p.Node, p.NodeUID
		o.Reason = cmp.Or(o.Reason, candor.WhyPlaced)
		allowed |= invariant.SectionPlace
		after.Metadata.Labels = maps.Clone(m.Labels)
		if after.Metadata.Labels == nil {
			after.Metadata.Labels = map[string]string{}
		}
		after.Metadata.Labels[candor.LabelNode] = p.Node
		if !slices.Contains(m.Finalizers, candor.FinalizerStop) {
			after.Metadata.Finalizers = append(slices.Clip(m.Finalizers), candor.FinalizerStop)
		}
	case p.Nominated != "":
		o.Verdict, o.Nominated = candor.VerdictNominated, p.Nominated
		o.Reason = cmp.Or(o.Reason, candor.WhyNominated)
	default:
		o.Verdict = candor.VerdictNothingFits
		o.Reason = cmp.Or(o.Reason, candor.WhyNothingFits)
	}
	after.Status = placement.AppendStatus(make([]byte, 0, len(before.Status)+len(p.Decision)+256), before.Status, &o)
	if err := d.change(p.Ref, before, &after, allowed); err != nil {
		return err
	}
	cause := after.Cause
	if cause == nil {
		return nil
	}
	cause.Reason, cause.Message = string(o.Verdict), o.Message
	cause.Because = &candor.VersionRef{Ref: p.Ref, Revision: p.ResourceVersion}
	return nil
}

// placedAgain says what became of the items of a command that was accepted before: as
// far as the versions that it made still say so.
func (m *Machine) placedAgain(c *command.Command, res *Result) {
	if c.Type != command.TypePlacement {
		return
	}
	res.Items = make([]ItemResult, len(c.Placements))
	for i := range c.Placements {
		p, item := &c.Placements[i], &res.Items[i]
		*item = ItemResult{Reason: candor.ReasonConflict, Message: "it was refused, and there was nothing to record that in", Revision: res.Revision}
		if res.Changed && len(res.Ops) == 0 {
			*item = ItemResult{Reason: candor.ReasonOutcomeUnknown, Message: "what the turn wrote is compacted: read the instance", Revision: res.Revision}
		}
		for _, op := range res.Ops {
			if m.state.refOf(op.Version) != p.Ref {
				continue
			}
			status := mustDecode(op.Version).Status
			refusal, _ := literal.Text(literal.Member(literal.Member(status, "decision"), "refusal"))
			*item = ItemResult{Reason: candor.Reason(refusal), Revision: res.Revision}
			if refusal != "" {
				item.Message = "it was refused; the condition Scheduled says why"
			}
		}
	}
}
