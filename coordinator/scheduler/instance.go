package scheduler

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/candor-plane/candor"
)

// instance is what is known of one.
type instance struct {
	ref        candor.Ref
	uid        string
	revision   uint64 // resourceVersion
	created    uint64
	generation uint64
	hash       uint64 // of the UID
	class      *class
	member     int // its place among the class's members
	resident   int // its place among the node's residents
	verdict    candor.Verdict
	labels     map[string]string
	state
}

// state is all of an instance that deciding changes: whatever is counted anywhere is
// a function of the states, and set alone changes them.
type state struct {
	slot      int32 // where it lives, or nowhere
	ending    bool
	ended     bool
	nominated string
}

const nowhere = int32(-1)

func (s state) live() bool    { return s.slot != nowhere && !s.ended }
func (s state) waiting() bool { return s.slot == nowhere && !s.ended && !s.ending }

// template is a spec that was decoded once for all instances that have it.
type template struct {
	raw  string
	spec candor.InstanceSpec
}

func (m *Model) template(raw json.RawMessage) (*template, error) {
	if t, ok := m.templates[string(raw)]; ok {
		return t, nil
	}
	t := &template{raw: string(raw)}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &t.spec); err != nil {
			return nil, candor.Errorf(candor.ReasonInvalid, "instance: spec: %v", err)
		}
	}
	m.templates[t.raw] = t
	return t, nil
}

// ApplyInstance is Apply of an instance whose status was decoded before; neither is kept.
func (m *Model) ApplyInstance(obj *candor.Object, status *candor.InstanceStatus) (Event, error) {
	return m.applyInstance(candor.Ref{Kind: candor.KindInstances, Namespace: obj.Metadata.Namespace, Name: obj.Metadata.Name}, obj, status)
}

func (m *Model) applyInstance(ref candor.Ref, obj *candor.Object, status *candor.InstanceStatus) (Event, error) {
	old := m.instances[ref]
	if old != nil && old.revision > obj.Metadata.ResourceVersion {
		return Event{Ref: ref}, nil
	}
	t, err := m.template(obj.Spec)
	if err != nil {
		return Event{Ref: ref}, err
	}
	if status == nil {
		status = new(candor.InstanceStatus)
		if len(obj.Status) > 0 {
			if err := json.Unmarshal(obj.Status, status); err != nil {
				return Event{Ref: ref}, candor.Errorf(candor.ReasonInvalid, "%s: status: %v", ref, err)
			}
		}
	}
	c, err := m.classOf(ref.Namespace, obj.Metadata.Labels, t)
	if err != nil {
		return Event{Ref: ref}, err
	}
	event := Event{Ref: ref}
	if old != nil && old.uid != obj.Metadata.UID {
		event = m.removeInstance(ref)
		old = nil
	}
	inst := old
	if inst == nil {
		inst = &instance{ref: ref, uid: obj.Metadata.UID, hash: xxh3.HashString(obj.Metadata.UID), state: state{slot: nowhere, ended: true}}
		m.instances[ref] = inst
	}
	was, wasNode := inst.state, m.nodeName(inst.slot)
	relabelled := old != nil && old.class != c
	respecified := old == nil || old.generation != obj.Metadata.Generation || relabelled
	next := state{slot: nowhere, ending: obj.Terminating(), ended: status.Phase.Ended(), nominated: status.Nominated}
	if status.Node != "" {
		next.nominated = ""
		if !next.ended { // what has ended keeps no slot: that of a node that is gone is another's soon
			next.slot = m.slotOf(status.NodeUID, status.Node)
		}
	}
	if inst.class != c {
		m.set(inst, state{slot: nowhere, ended: true})
		m.leave(inst)
		m.join(inst, c)
	}
	inst.revision, inst.created, inst.generation = obj.Metadata.ResourceVersion, obj.Metadata.CreateRevision, obj.Metadata.Generation
	inst.labels, inst.verdict = obj.Metadata.Labels, ""
	if status.Decision != nil {
		inst.verdict = status.Decision.Verdict
	}
	m.set(inst, next)
	if was.slot != nowhere && was.slot != next.slot {
		m.vacate(was.slot)
	}

	refused := status.Decision != nil && status.Decision.Verdict == candor.VerdictRefused
	event.Pending = next.waiting() && (respecified || refused || !was.waiting())
	event.Settled = !next.waiting()
	switch {
	case was.live() && !next.live(), relabelled && was.live():
		event.Node, event.Helps = wasNode, event.Helps|HelpsCapacity|HelpsTopology|HelpsBudgets
	case was.nominated != "" && was.waiting() && was.nominated != next.nominated && !next.live():
		event.Node, event.Helps = was.nominated, event.Helps|HelpsCapacity
	case next.live() && was != next:
		event.Helps |= HelpsTopology
		if next.ending {
			event.Helps |= HelpsBudgets
		}
		if was.nominated != "" && was.nominated != status.Node {
			event.Node, event.Helps = was.nominated, event.Helps|HelpsCapacity
		}
	}
	if refused && status.Decision.Node != "" {
		event.Node, event.Helps = "", event.Helps|HelpsCapacity|HelpsTopology|HelpsBudgets
	}
	m.sweep()
	return event, nil
}

func (m *Model) removeInstance(ref candor.Ref) Event {
	inst := m.instances[ref]
	event := Event{Ref: ref, Settled: true}
	if inst == nil {
		return event
	}
	was := inst.state
	if was.live() {
		event.Node, event.Helps = m.nodeName(was.slot), HelpsCapacity|HelpsTopology|HelpsBudgets
	}
	if was.waiting() && was.nominated != "" {
		event.Node, event.Helps = was.nominated, HelpsCapacity
	}
	m.set(inst, state{slot: nowhere, ended: true})
	m.leave(inst)
	delete(m.instances, ref)
	if was.slot != nowhere {
		m.vacate(was.slot)
	}
	m.sweep()
	return event
}

func (m *Model) nodeName(slot int32) string {
	if slot == nowhere {
		return ""
	}
	return m.nodes[slot].name
}

// set changes an instance's state and everything that is counted of it.
func (m *Model) set(i *instance, next state) {
	if i.live() {
		m.give(i.slot, i.class.requests)
		m.hot[i.slot].instances--
		residents := m.nodes[i.slot].residents
		last := len(residents) - 1
		residents[i.resident] = residents[last]
		residents[i.resident].resident = i.resident
		residents[last] = nil
		m.nodes[i.slot].residents = residents[:last]
		m.count(i, -1)
	}
	if i.waiting() {
		delete(m.pending, i)
		if i.nominated != "" {
			list := m.nominations[i.nominated]
			at := slices.Index(list, i)
			m.nominate(i.nominated, slices.Delete(list, at, at+1))
		}
	}
	i.state = next
	if i.live() {
		m.take(i.slot, i.class.requests)
		m.hot[i.slot].instances++
		i.resident = len(m.nodes[i.slot].residents)
		m.nodes[i.slot].residents = append(m.nodes[i.slot].residents, i)
		m.count(i, 1)
	}
	if i.waiting() {
		m.pending[i] = struct{}{}
		if i.nominated != "" {
			m.nominate(i.nominated, append(m.nominations[i.nominated], i))
		}
	}
}

func (m *Model) nominate(node string, list []*instance) {
	m.nominations[node] = list
	if len(list) == 0 {
		delete(m.nominations, node)
	}
	if slot, ok := m.byName[node]; ok {
		m.hot[slot].nominations = int32(len(list))
	}
}

// byUrgency is the order in which pending instances are decided: priority, then
// creation, then key.
func byUrgency(a, b *instance) int {
	return cmp.Or(
		cmp.Compare(b.class.priority, a.class.priority),
		cmp.Compare(a.created, b.created),
		strings.Compare(a.ref.Key(), b.ref.Key()),
	)
}
