package scheduler

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/candor-plane/candor"
)

// node is what is known of one incarnation of a node. It may be absent: a slot is
// kept for as long as live placements name its UID, whatever came first.
type node struct {
	name     string
	uid      string
	revision uint64
	present  bool

	labels        map[string]string
	taints        []candor.Taint
	unschedulable bool
	drain         bool
	terminating   bool
	ready         bool
	notReady      string // why, for people
	known         bool   // its capacity
	residents     []*instance
}

// hot is what the loop over all nodes reads of one.
type hot struct {
	// version is of everything that static verdicts depend on; it is never used again.
	version   uint64
	hash      uint64 // of the UID
	instances int32
	// nominations counts pending instances that the node is being made free for.
	nominations int32
	known       bool
}

func decodeNode(obj *candor.Object) (node, candor.Resources, error) {
	var spec candor.NodeSpec
	var status candor.NodeStatus
	var observed candor.NodeObserved
	for _, part := range []struct {
		name string
		raw  json.RawMessage
		into any
	}{{"spec", obj.Spec, &spec}, {"status", obj.Status, &status}, {"status.observed", obj.Observed, &observed}} {
		if len(part.raw) == 0 {
			continue
		}
		if err := json.Unmarshal(part.raw, part.into); err != nil {
			return node{}, nil, candor.Errorf(candor.ReasonInvalid, "nodes/%s: %s: %v", obj.Metadata.Name, part.name, err)
		}
	}
	labels := obj.Metadata.Labels
	if labels[candor.LabelHost] == "" {
		labels = maps.Clone(labels)
		if labels == nil {
			labels = map[string]string{}
		}
		labels[candor.LabelHost] = obj.Metadata.Name
	}
	n := node{
		name: obj.Metadata.Name, uid: obj.Metadata.UID, revision: obj.Metadata.ResourceVersion, present: true,
		labels: labels, taints: spec.Taints,
		unschedulable: spec.Unschedulable, drain: spec.Drain, terminating: obj.Terminating(),
		ready: status.Conditions.True(candor.ConditionReady), known: len(observed.Capacity) > 0,
	}
	if !n.ready {
		n.notReady = "no condition Ready"
		if c := status.Conditions.Get(candor.ConditionReady); c != nil {
			n.notReady = c.Message
			if c.Message == "" {
				n.notReady = c.Reason
			}
		}
	}
	return n, observed.Capacity, nil
}

// applyNode returns what the change may help with.
func (m *Model) applyNode(obj *candor.Object) (Helps, error) {
	fresh, capacity, err := decodeNode(obj)
	if err != nil {
		return 0, err
	}
	helps := Helps(0)
	if at, ok := m.byName[fresh.name]; ok {
		old := &m.nodes[at]
		if old.revision > fresh.revision {
			return 0, nil
		}
		if old.uid != fresh.uid {
			helps |= m.removeNode(fresh.name)
		}
	}
	slot := m.slotOf(fresh.uid, fresh.name)
	old := &m.nodes[slot]
	helps |= improvement(old, &fresh)
	if m.provides(slot, capacity) {
		helps |= HelpsCapacity
	}
	if !old.present {
		m.byName[fresh.name] = slot
		at, _ := slices.BinarySearchFunc(m.order, fresh.name, func(s int32, name string) int { return strings.Compare(m.nodes[s].name, name) })
		m.nodes[slot].name = fresh.name
		m.order = slices.Insert(m.order, at, slot)
	}
	if !old.present || !maps.Equal(old.labels, fresh.labels) {
		m.layout++
	}
	fresh.residents = old.residents
	*old = fresh
	m.provide(slot, capacity)
	m.stamp++
	h := &m.hot[slot]
	h.version, h.known = m.stamp, fresh.known
	h.nominations = int32(len(m.nominations[fresh.name]))
	if h.nominations > 0 {
		helps |= HelpsNomination
	}
	return helps, nil
}

// provides says whether the capacity is more than it was, in some resource.
func (m *Model) provides(slot int32, capacity candor.Resources) bool {
	for _, a := range capacity {
		at, ok := m.places[a.Name]
		if !ok || a.Value > m.capacity[int(slot)*m.stride+at] {
			return true
		}
	}
	return false
}

func improvement(old, fresh *node) Helps {
	if !old.present {
		return HelpsEverything
	}
	helps := Helps(0)
	if !maps.Equal(old.labels, fresh.labels) {
		helps |= HelpsLabels | HelpsTopology
	}
	if !slices.Equal(old.taints, fresh.taints) {
		helps |= HelpsTaints
	}
	if fresh.ready && !old.ready {
		helps |= HelpsReadiness
	}
	if old.unschedulable && !fresh.unschedulable || old.drain && !fresh.drain {
		helps |= HelpsSchedulable
	}
	if fresh.known && !old.known {
		helps |= HelpsCapacity
	}
	if old.terminating && !fresh.terminating {
		helps |= HelpsReadiness
	}
	return helps
}

// removeNode forgets the node, and keeps the slot while something lives there.
func (m *Model) removeNode(name string) Helps {
	slot, ok := m.byName[name]
	if !ok {
		return 0
	}
	at, _ := slices.BinarySearchFunc(m.order, name, func(s int32, name string) int { return strings.Compare(m.nodes[s].name, name) })
	m.order = slices.Delete(m.order, at, at+1)
	delete(m.byName, name)
	m.provide(slot, nil)
	n := &m.nodes[slot]
	*n = node{name: n.name, uid: n.uid, residents: n.residents}
	m.layout++
	m.vacate(slot)
	if len(m.nominations[name]) > 0 {
		return HelpsTopology | HelpsNomination
	}
	return HelpsTopology
}

// slotOf is the slot of a node's UID; an unknown one gets one, absent.
func (m *Model) slotOf(uid, name string) int32 {
	if slot, ok := m.byUID[uid]; ok {
		return slot
	}
	slot := int32(len(m.nodes))
	if last := len(m.vacant) - 1; last >= 0 {
		slot = m.vacant[last]
		m.vacant = m.vacant[:last]
	} else {
		m.nodes = append(m.nodes, node{})
		m.hot = append(m.hot, hot{})
		m.grow()
	}
	m.byUID[uid] = slot
	m.nodes[slot] = node{name: name, uid: uid}
	m.stamp++
	m.hot[slot] = hot{version: m.stamp, hash: xxh3.HashString(uid)}
	return slot
}

// vacate gives an absent slot back once nothing lives there.
func (m *Model) vacate(slot int32) {
	n := &m.nodes[slot]
	if n.present || len(n.residents) > 0 {
		return
	}
	delete(m.byUID, n.uid)
	*n = node{}
	m.vacant = append(m.vacant, slot)
}
