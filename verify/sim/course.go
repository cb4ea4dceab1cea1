package sim

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/transition"
)

// rounds bound how often everybody is asked to end what has begun.
const rounds = 40

// found begins a cluster: a leader, its members, the kinds and nodes.
func (w *world) found() {
	c := Choice{Draw: w.schedule.Seed}
	d := c.dice()
	w.elect(w.servers[d.upto(len(w.servers))], 0, d)
	var members []transition.Server
	for _, s := range w.servers {
		members = append(members, transition.Server{ID: s.name, Address: "a-" + s.name, Voter: true})
	}
	w.log.members = members
	w.append(&entry{Committed: fsm.Committed{Configuration: true, Servers: members}, draw: 1})
	w.quiet()
	leader := w.log.leader
	w.learnKinds(leader)
	for _, kind := range [...]candor.KindName{kindRegisters, kindThings, kindGuards} {
		w.propose(leader, w.write(command.Operation{Verb: command.VerbCreate, Kind: candor.KindKinds, Object: &candor.Object{
			APIVersion: candor.APIVersion, Kind: "Kind", Spec: []byte(`{"scope":"namespaced"}`), Metadata: candor.Metadata{Name: string(kind), UID: "uid-" + string(kind)},
		}}), d, func(outcome) {})
		w.quiet()
	}
	w.learnKinds(leader)
	for _, command := range w.nodes() {
		w.propose(leader, command, d, func(o outcome) {
			if o.result == nil || o.result.Reason != "" {
				w.fail("simulator", "the cluster cannot be founded: %+v", o.result)
			}
		})
		w.quiet()
	}
}

// learnKinds notes what commands are validated against.
func (w *world) learnKinds(s *server) {
	v := s.m.View()
	_ = v.List(candor.KindKinds, "", "", 0, func(x *mvcc.Version) bool {
		_, name := candor.SplitKey(x.Key)
		w.kinds[candor.KindName(name)] = x.Revision
		return true
	}) // the view's own revision is always readable
}

// quiet lets everything happen that is under way.
func (w *world) quiet() {
	for !w.stopped && len(w.events.heap) > 0 {
		w.next()
	}
}

// tick is an entry that says nothing but the time.
func (w *world) tick(d *dice) {
	if s := w.log.leader; s != nil && s.awake() {
		w.propose(s, command.Tick(), d, func(outcome) {})
	}
}

// end heals every fault, lets everything come to its end, and sees whether it does.
func (w *world) end() {
	w.quiet()
	for _, s := range w.servers {
		s.pausedUntil, s.laggingUntil = 0, 0
	}
	c := Choice{Draw: w.schedule.Seed, Number: -1}
	d := c.dice()
	w.lead(d)
	w.quiet()
	for _, x := range w.clients {
		if !w.stopped && x.busy {
			w.fail("simulator", "%s still waits for an answer when nothing happens any more", x.name)
		}
	}
	w.settle(d)
	for _, s := range w.servers {
		if !w.stopped && s.applied != w.log.commit {
			w.fail("simulator", "%s has applied %d of %d entries when nothing happens any more", s.name, s.applied, w.log.commit)
		}
	}
	for _, x := range w.watches {
		if !w.stopped {
			x.look(w.anyServer(d), false)
		}
	}
}

// settle works off what deletions left: every cascade ends once nothing holds.
func (w *world) settle(d *dice) {
	for range rounds {
		if w.stopped {
			return
		}
		s := w.log.leader
		v := s.m.View()
		held := false
		for n := range things {
			if o := w.object(s, thingRef(n)); o != nil && o.Terminating() {
				held = true
				o.Metadata.Finalizers = without(o.Metadata.Finalizers, finalizer)
				o.Metadata.ResourceVersion = 0
				w.propose(s, w.write(command.Operation{Verb: command.VerbUpdate, Kind: kindThings, Object: o}), d, func(outcome) {})
			}
		}
		for _, c := range v.Cascades(8) {
			w.propose(s, command.CascadePage(c.ID), d, func(outcome) {})
		}
		if !held && v.Stats().Cascades == 0 {
			w.checked("deletions that end", 1)
			w.owned(s)
			return
		}
		w.quiet()
	}
	v := w.log.leader.m.View()
	w.fail("deletions end", "after %d rounds %d cascades are left, or a thing that nothing holds", rounds, v.Stats().Cascades)
}
