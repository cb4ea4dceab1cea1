package lifecycle

import (
	"slices"

	"github.com/candor-plane/candor"
)

// Unreconciled is an instance, a node or a workload whose status nobody has written.
const Unreconciled State = "UNRECONCILED"

// The states of an instance: its phases.
const (
	Pending   = State(candor.InstancePending)
	Placed    = State(candor.InstancePlaced)
	Succeeded = State(candor.InstanceSucceeded)
	Failed    = State(candor.InstanceFailed)
	Lost      = State(candor.InstanceLost)
)

// The states of a node: the phases of its status, and Cordoned, which is Ready and takes
// nothing new.
const (
	Ready    State = "Ready"
	Cordoned State = "Cordoned"
	NotReady State = "NotReady"
	Draining State = "Draining"
	Drained  State = "Drained"
)

// The states of a workload: the phases of its status.
const (
	Progressing State = "Progressing"
	Available   State = "Available"
	Degraded    State = "Degraded"
	Halted      State = "Stalled"
	Paused      State = "Paused"
	Deleting    State = "Deleting"
)

func instance() Lifecycle {
	l := Lifecycle{
		Name: Instance, Of: "an instance, by the phase of its object", Start: Absent,
		States: []State{Absent, Unreconciled, Pending, Placed, Succeeded, Failed, Lost, Gone},
		Steps: []Declared{
			{Absent, Unreconciled, "create", "it was made"},
			{Gone, Unreconciled, "create", "one of the name of one that is gone was made"},
			{Unreconciled, Pending, "decide", "the scheduler found no place yet"},
			{Unreconciled, Placed, "place", "the scheduler placed it at once"},
			{Pending, Pending, "decide", "the scheduler decided about it again"},
			{Pending, Placed, "place", "the scheduler placed it"},
			{Placed, Succeeded, "exit", "its process ended well"},
			{Placed, Failed, "exit", "its process ended badly, and is not started again"},
			{Placed, Lost, "lose", "its node is gone, or was silent for too long"},
		},
	}
	l.Steps = append(l.Steps, every([]State{Unreconciled, Pending, Placed, Succeeded, Failed, Lost}, Gone, "delete", "its object went")...)
	return l
}

func node() Lifecycle {
	all := []State{Unreconciled, Ready, Cordoned, NotReady, Draining, Drained}
	l := Lifecycle{
		Name: Node, Of: "a node, by its spec and the phase of its status", Start: Absent,
		States: slices.Concat([]State{Absent}, all, []State{Gone}),
		Steps: []Declared{
			{Absent, Unreconciled, "register", "its worker, or an operator, made it known"},
			{Gone, Unreconciled, "register", "a node of the name of one that is gone was made known"},
			{Ready, Cordoned, "cordon", "an operator keeps new instances away"},
			{Cordoned, Ready, "uncordon", "it takes instances again"},
			{Cordoned, Draining, "drain", "what runs there is being evicted"},
			{Cordoned, Drained, "empty", "it drains, and nothing ran there"},
			{Draining, Drained, "empty", "the last instance left"},
			{Drained, Draining, "late", "an instance was found there after all"},
			{Draining, Cordoned, "resume", "the drain was called off"},
			{Drained, Cordoned, "resume", "the drain was called off"},
			{Draining, Ready, "resume", "the drain was called off, and it takes instances again"},
			{Drained, Ready, "resume", "the drain was called off, and it takes instances again"},
		},
	}
	l.Steps = slices.Concat(l.Steps,
		every([]State{Unreconciled, Ready, Cordoned, Draining, Drained}, NotReady, "silence", "nobody hears of its worker"),
		every([]State{Ready, Cordoned, Draining, Drained}, Unreconciled, "clear", "its status was cleared"),
		every([]State{NotReady}, Unreconciled, "clear", "its status was cleared"))
	for _, to := range []State{Ready, Cordoned, Draining, Drained} {
		l.Steps = append(l.Steps, every([]State{Unreconciled, NotReady}, to, "hear", "its worker is heard")...)
	}
	l.Steps = append(l.Steps, every(all, Gone, "delete", "its object went")...)
	return l
}

func workload() Lifecycle {
	all := []State{Unreconciled, Progressing, Available, Degraded, Halted, Paused, Deleting}
	l := Lifecycle{
		Name: Workload, Of: "the rollout of a workload, by the phase of its status", Start: Absent,
		States: slices.Concat([]State{Absent}, all, []State{Gone}),
		Steps: []Declared{
			{Absent, Unreconciled, "create", "it was made"},
			{Gone, Unreconciled, "create", "one of the name of one that is gone was made"},
			{Progressing, Halted, "deadline", "the rollout came no further in time, or was given up"},
			{Paused, Halted, "resume", "it goes on, and its rollout had been given up"},
		},
	}
	l.Steps = slices.Concat(l.Steps,
		every([]State{Unreconciled, Available, Degraded, Halted, Paused}, Progressing, "roll", "a rollout is under way"),
		every([]State{Unreconciled, Progressing, Degraded, Halted, Paused}, Available, "whole", "all instances are of the template and available"),
		every([]State{Unreconciled, Progressing, Available, Halted, Paused}, Degraded, "lose", "an instance is missing, or not available, without a rollout"),
		every([]State{Unreconciled, Progressing, Available, Degraded, Halted}, Paused, "pause", "an operator holds it where it is"),
		every([]State{Unreconciled, Progressing, Available, Degraded, Halted, Paused}, Deleting, "delete", "it was deleted, and its instances hold it"),
		every(all, Gone, "delete", "its object went"))
	return l
}
