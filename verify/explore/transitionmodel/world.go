package transitionmodel

import (
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/topology"
	"github.com/candor-plane/candor/fsm/transition"
)

// The present in cluster time stands still; deadlines lie behind it.
const (
	now      = int64(1)
	deadline = int64(1000)
)

// World is everything at one moment. It is a value; what it refers to is never
// changed.
type World struct {
	// Revision is the root's, Configuration the index of the newest configuration.
	Revision, Configuration uint64
	Leader                  string
	Servers                 []Server
	Objects                 []Object
	Slots                   []Slot

	// Era is the present one. Processes are its executor, and the one before that may
	// go on; each is of no era where nobody runs.
	Era       uint64
	Processes [2]Process
	Wire      []Message
	// Asked are the requests that were made, a bit each; NewEras how many faults
	// brought.
	Asked   uint32
	NewEras int
}

// Server is a member.
type Server struct {
	ID, Address string
	Voter       bool
	// Silent: it does not answer. Behind: it has not caught up.
	Silent, Behind bool
}

// Object is a transition as the root stores it, and whether, by the model's own look
// at the members, what it wants has held since it was planned.
type Object struct {
	*transition.Transition
	Record   string // its name by the rules
	Happened bool
}

// Slot is the root's index of one kind and target.
type Slot struct {
	Kind   transition.Kind
	Target string
	transition.Entry
}

// Process is one executor in the middle of a round, or between two.
type Process struct {
	Era  uint64
	Node string
	// Seen is what it saw when the round began, and Answers what it heard since. Call is
	// what it waits for; nil between rounds.
	Seen    topology.Seen
	Answers []answer
	Call    *call
}

// Message is a command on its way.
type Message struct {
	// Request is the number of an operator's, from 1; Era of an executor's.
	Request int
	Era     uint64
	// Event is for the root, Call for the members; an executor's event has both.
	Event *transition.Event
	Plan  *transition.Plan
	Call  *call
	// Means is the transition that the event is about, by its sender.
	Means string
	// Applied: the root has taken it once.
	Applied bool
}

func (w *World) configuration() transition.Configuration {
	c := transition.Configuration{Index: w.Configuration, Leader: w.Leader}
	for _, s := range w.Servers {
		c.Servers = append(c.Servers, transition.Server{ID: s.ID, Address: s.Address, Voter: s.Voter})
	}
	return c
}

// survey is what a leader finds of the members.
func (w *World) survey() topology.Configuration {
	c := topology.Configuration{Index: w.Configuration, Leader: w.Leader, Proven: 2}
	for _, s := range w.Servers {
		m := topology.Server{ID: s.ID, Address: s.Address, Voter: s.Voter, Answers: !s.Silent, Applied: 2}
		if s.Behind {
			m.Applied = 1
		}
		c.Servers = append(c.Servers, m)
	}
	return c
}

func (w *World) seen(rules *Rules) topology.Seen {
	s := topology.Seen{Token: candor.Token{Term: 1, Index: w.Revision, Revision: w.Revision}, Leader: w.Leader, Now: now}
	for _, o := range w.Objects {
		if !o.Status.Phase.Terminal() {
			s.Pending = append(s.Pending, *o.Transition)
		}
	}
	s.Pending = rules.Sees(s.Pending)
	return s
}

// pends says whether some transition does.
func (w *World) pends() bool {
	return slices.ContainsFunc(w.Slots, func(s Slot) bool { return !s.Pending.IsZero() })
}

func (w *World) slot(kind transition.Kind, target string) int {
	return slices.IndexFunc(w.Slots, func(s Slot) bool { return s.Kind == kind && s.Target == target })
}

func (w *World) object(id string) int {
	return slices.IndexFunc(w.Objects, func(o Object) bool { return o.Record == id })
}

func (w *World) server(id string) int {
	return slices.IndexFunc(w.Servers, func(s Server) bool { return s.ID == id })
}

// commits says whether a majority answers.
func (w *World) commits() bool { return holds(w.Servers, nil) }

// holds says whether the voters that answer are a majority, those in silent aside.
func holds(servers []Server, silent []string) bool {
	voters, answer := 0, 0
	for _, s := range servers {
		if !s.Voter {
			continue
		}
		voters++
		if silent == nil && !s.Silent || silent != nil && !slices.Contains(silent, s.ID) {
			answer++
		}
	}
	return 2*answer > voters
}

// alive says whether the present era has an executor.
func (w *World) alive() bool { return w.Processes[0].Era == w.Era }

// waits is the process that a message is awaited by; -1 for none.
func (w *World) waits(m *Message) int {
	for i := range w.Processes {
		if p := &w.Processes[i]; m.Call != nil && p.Era == m.Era && p.Call == m.Call {
			return i
		}
	}
	return -1
}

func (w World) sent(m Message) World {
	w.Wire = append(slices.Clip(w.Wire), m)
	return w
}

func (w World) without(i int) World {
	w.Wire = slices.Delete(slices.Clone(w.Wire), i, i+1)
	return w
}
