package sim

import (
	"encoding/json"
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/scheduler"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/tenure"
)

const (
	instances = 8
	isReady   = `{"conditions":[{"type":"Ready","status":"True","reason":"HeartbeatFresh"}]}`
)

// fleet is the workers' nodes.
type fleet struct{ sessions int }

func nodeRef(n int) candor.Ref {
	return candor.Ref{Kind: candor.KindNodes, Name: fmt.Sprintf("n%d", n+1)}
}

func instanceRef(n int) candor.Ref {
	return candor.Ref{Kind: candor.KindInstances, Namespace: namespace, Name: fmt.Sprintf("i%d", n+1)}
}

func capacity(cpu int, session string) []byte {
	return []byte(fmt.Sprintf(`{"capacity":{"cpu":"%d","memory":"8Gi"},"session":"%s"}`, cpu, session))
}

// nodes are the commands that begin a fleet.
func (w *world) nodes() (commands []*command.Command) {
	for n := range w.Nodes {
		ref := nodeRef(n)
		node := &candor.Object{APIVersion: candor.APIVersion, Kind: "Node", Spec: []byte(`{}`), Metadata: candor.Metadata{Name: ref.Name, UID: "uid-" + ref.Name}}
		commands = append(commands,
			w.write(command.Operation{Verb: command.VerbCreate, Kind: ref.Kind, Object: node}),
			w.write(command.Operation{Verb: command.VerbObserve, Kind: ref.Kind, Name: ref.Name, Payload: capacity(4, "first")}),
			w.write(command.Operation{Verb: command.VerbUpdateStatus, Kind: ref.Kind, Name: ref.Name, Payload: []byte(isReady)}))
	}
	return commands
}

func (w *world) write(op command.Operation) *command.Command {
	if op.Verb != command.VerbDelete {
		op.KindRevision = w.kinds[op.Kind]
	}
	return &command.Command{Type: command.TypeWrite, Actor: "ana", Then: []command.Operation{op}}
}

// changeInstance has somebody create or delete one.
func (w *world) changeInstance(d *dice) {
	s := w.anyServer(d)
	ref := instanceRef(d.upto(instances))
	if !s.up || w.Nodes == 0 {
		return
	}
	op := command.Operation{Verb: command.VerbDelete, Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name}
	if w.object(s, ref) == nil || d.chance(20) {
		spec := fmt.Sprintf(`{"command":["x"],"resources":{"cpu":"%d"}}`, 1+d.upto(3))
		op = command.Operation{Verb: command.VerbCreate, Kind: ref.Kind, Object: &candor.Object{
			APIVersion: candor.APIVersion, Kind: "Instance", Spec: []byte(spec),
			Metadata: candor.Metadata{Name: ref.Name, Namespace: ref.Namespace, UID: fmt.Sprintf("uid-%s-%d", ref.Name, w.choice)},
		}}
	}
	w.propose(s, w.write(op), d, func(outcome) {})
}

// place is a step of the scheduler: it decides everything that waits in its own view,
// and proposes that under its tenure.
func (w *world) place(d *dice) {
	h := w.actor(tenure.DutySchedule, d)
	if h == nil || w.Nodes == 0 {
		return
	}
	s := h.s
	v := s.m.View()
	model := scheduler.NewModel()
	for _, kind := range [...]candor.KindName{candor.KindNodes, candor.KindInstances} {
		_ = v.List(kind, "", "", 0, func(x *mvcc.Version) bool {
			o, err := x.Object()
			if err == nil {
				_, err = model.Apply(o, kind)
			}
			if err != nil {
				w.fail("decoding", "%s %s: %v", kind, x.Key, err)
			}
			return err == nil
		}) // the view's own revision is always readable
	}
	model.Advance(v.Token())
	batch := scheduler.Batch(model, model.Pending())
	var items []command.Placement
	var earlier []scheduler.Earlier
	for i := range batch {
		o := &batch[i]
		decision, err := json.Marshal(&o.Decision)
		if err != nil {
			w.fail("decoding", "decision %s: %v", o.Decision.ID, err)
			return
		}
		w.checked("decisions replayed", 1)
		if again := scheduler.Replay(model, earlier, o.Ref, &o.Decision); !again.Same {
			w.fail("DecisionReplays", "%s of %s: %s: %s", o.Decision.ID, o.Ref, again.Reason, again.Message)
			return
		}
		earlier = append(earlier, scheduler.Earlier{Ref: o.Ref, Decision: o.Decision})
		p := command.Placement{Ref: o.Ref, UID: o.UID, ResourceVersion: o.Revision, Decision: decision, Reason: candor.WhyNothingFits, Message: "because"}
		if o.Decision.Verdict == candor.VerdictPlaced {
			p.Node, p.NodeUID, p.Reason = o.Decision.Node, o.NodeUID, candor.WhyPlaced
		}
		items = append(items, p)
	}
	if len(items) > 0 {
		w.propose(s, command.Place(h.duty, h.era, s.holder, v.Token(), items...), d, func(outcome) {})
	}
}

// work is what a worker, or whoever looks after nodes, says or does.
func (w *world) work(d *dice) {
	s := w.anyServer(d)
	if !s.up || w.Nodes == 0 {
		return
	}
	node := nodeRef(d.upto(w.Nodes))
	switch d.upto(8) {
	case 0:
		w.fleet.sessions++
		w.propose(s, w.write(command.Operation{Verb: command.VerbObserve, Kind: node.Kind, Name: node.Name, Payload: capacity(1+d.upto(6), fmt.Sprintf("session-%d", w.fleet.sessions))}), d, func(outcome) {})
	case 1:
		if o := w.object(s, node); o != nil {
			o.Spec = []byte(fmt.Sprintf(`{"unschedulable":%t}`, d.chance(50)))
			w.propose(s, w.write(command.Operation{Verb: command.VerbUpdate, Kind: node.Kind, Object: o}), d, func(outcome) {})
		}
	default:
		for n := range instances {
			if w.finish(s, instanceRef((n+d.upto(instances))%instances), d) {
				return
			}
		}
	}
}

// finish ends an instance that has its place, or lets go of one that is being deleted.
func (w *world) finish(s *server, ref candor.Ref, d *dice) bool {
	o := w.object(s, ref)
	if o == nil {
		return false
	}
	var status candor.InstanceStatus
	if len(o.Status) == 0 || json.Unmarshal(o.Status, &status) != nil || status.Node == "" || status.Phase.Ended() && !o.Terminating() {
		return false
	}
	op := command.Operation{
		Verb: command.VerbUpdateStatus, Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name, UID: o.Metadata.UID,
		Payload: []byte(fmt.Sprintf(`{"phase":"Succeeded","node":%q,"nodeUID":%q}`, status.Node, status.NodeUID)),
	}
	if o.Terminating() {
		o.Metadata.Finalizers = without(o.Metadata.Finalizers, candor.FinalizerStop)
		op = command.Operation{Verb: command.VerbUpdate, Kind: ref.Kind, Object: o}
	}
	w.propose(s, w.write(op), d, func(outcome) {})
	return true
}

// beat says that workers live, by the sessions that a server's view has.
func (w *world) beat(d *dice) {
	s := w.anyServer(d)
	if !s.up || w.Nodes == 0 {
		return
	}
	var beats []command.Beat
	for n := range w.Nodes {
		o := w.object(s, nodeRef(n))
		if o == nil {
			continue
		}
		observed := observedOf(o)
		beats = append(beats, command.Beat{Node: nodeRef(n).Name, UID: o.Metadata.UID, Session: observed.Session, Promised: d.span(second)})
	}
	w.propose(s, command.Beats(beats...), d, func(outcome) {})
}
