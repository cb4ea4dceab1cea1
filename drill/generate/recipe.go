package generate

import (
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/verify/coverage/lifecycle"
)

// An era lasts 3 s by default, and whoever leads takes its duty as soon as that is free:
// so a pause of so long lets it expire, and if it is all servers that stand still, leaves
// its holder to come back to it.
const justExpired = 3.6

func recipeOf(s lifecycle.Step) recipe {
	switch s.Lifecycle {
	case lifecycle.Duty:
		return duty(s)
	case lifecycle.Era:
		return era(s)
	case lifecycle.Transition:
		return transitions(s)
	case lifecycle.Member:
		return member(s)
	case lifecycle.Leadership:
		return leadership(s)
	case lifecycle.Request:
		return request(s)
	case lifecycle.Object:
		return object(s)
	case lifecycle.Instance, lifecycle.Node, lifecycle.Workload:
		return placement(s)
	case lifecycle.CatchUp:
		return catchUp(s.From).then(catchUp(s.To))
	case lifecycle.Mode:
		return mode(s.From).then(mode(s.To))
	case lifecycle.Access:
		return operator("an operator does, with `candor auth bootstrap`")
	case lifecycle.Token:
		return operator("an operator does, with `candor auth token create` and `revoke`, and `candor cluster join`")
	default:
		return operator("no lifecycle is called that")
	}
}

func killLeader() scenario.Fault {
	return scenario.Fault{Kind: scenario.Kill, Target: "leader", For: sec(2)}
}

func duty(s lifecycle.Step) recipe {
	move := scenario.Fault{Kind: scenario.Move, Duty: "ids", Times: 3, Every: sec(2)}
	paused := scenario.Fault{Kind: scenario.Pause, Target: "all", For: sec(justExpired)}
	var r recipe
	switch {
	case s.Event == "release" || s.From == lifecycle.Released:
		return operator("a controller outside the servers does, that releases control/GROUP and comes back")
	case s.From == lifecycle.Held && s.Event == "takeover":
		r = does("leaders are killed, and the next ones take the fenced duties at once.", scenario.Fault{Kind: scenario.Kill, Target: "leader", For: sec(2), Times: 3, Every: sec(5)})
	case s.From == lifecycle.Expired && s.Event == "takeover":
		r = does("whoever hands out timestamps is killed, and the duty expires before another takes it.", scenario.Fault{Kind: scenario.Kill, Target: "holder/tso", For: sec(6)})
	case s.From == lifecycle.Expired && (s.Event == "seal" || s.Event == "handover"):
		return operator("a holder must wake after its era expired, and give it up before it renews it and before who leads takes it; the simulator shows it")
	case s.From == lifecycle.Expired || s.To == lifecycle.Expired:
		paused.Times, paused.Every = 3, sec(8)
		r = does("all servers stand still until eras expire, and holders wake before anybody takes those.", paused)
	case s.From == lifecycle.Kept && s.To == lifecycle.Sealed:
		r = does("a duty is moved to a server that stands still until the duty is kept for it no more. The move fails, so that the verdict is INCONCLUSIVE.",
			scenario.Fault{Kind: scenario.Pause, Target: "n3", For: sec(8)}, scenario.Fault{Kind: scenario.Move, Duty: "ids", To: "n3", At: sec(0.2)})
	case s.From == lifecycle.Kept || s.To == lifecycle.Kept:
		r = does("a duty is moved from server to server.", move)
	case s.From == lifecycle.Sealed || s.To == lifecycle.Sealed:
		r = does("servers stop in good order, and seal what they hold.", scenario.Fault{Kind: scenario.Restart, Target: "all"})
	default:
		r = does("numbers are handed out.")
	}
	return r.under("numbers")
}

func era(s lifecycle.Step) recipe {
	switch {
	case s.Event == "overflow":
		return operator("seventeen holders in a row must crash before they confirm what was before them; the simulator may")
	case s.Event == "release" || s.Event == "reattach":
		return operator("a controller outside the servers does, that releases control/GROUP and comes back")
	case s.From == lifecycle.EraSealed || s.To == lifecycle.EraSealed:
		return does("a duty is moved from server to server, and each covers the one before.", scenario.Fault{Kind: scenario.Move, Duty: "ids", Times: 3, Every: sec(2)}).under("numbers")
	default:
		return does("leaders are killed, and the next ones seal and cover what those held.", scenario.Fault{Kind: scenario.Kill, Target: "leader", For: sec(2), Times: 3, Every: sec(5)}).under("numbers")
	}
}

func transitions(s lifecycle.Step) recipe {
	add := scenario.Fault{Kind: scenario.Add}
	soon := killLeader()
	soon.At = sec(0.3)
	switch to := transition.Phase(s.To); {
	case s.Event == "dispose":
		return operator("the janitor does, 7 days after the end")
	case to == transition.PhaseCancelled:
		return operator("an operator does, with `candor transition cancel`")
	case to == transition.PhaseCompleted || to == transition.PhaseConflicted || to == transition.PhaseSuperseded:
		return operator("no executor of the servers does; a controller outside may, of its own kinds")
	case to == transition.PhaseFailed || to == transition.PhaseAborted:
		return operator("a change must become impossible, or needless, between its planning and its making: servers refuse to plan one that is so before; the explorer shows it")
	case s.From == lifecycle.Stalled || s.To == lifecycle.Stalled:
		return operator("an operator does, with `candor cluster replace` by a server that falls silent for a minute before it has its vote")
	case to == transition.PhasePublished && s.From != lifecycle.State(transition.PhaseApplied):
		return does("members change, and the leader is killed in the middle of it: what executed it says nothing, and the root sees it.",
			add, soon).then(does("a server is replaced likewise.", scenario.Fault{Kind: scenario.Replace, Target: "n3"}, soon))
	default:
		return does("members change.", add).then(does("one is replaced.", scenario.Fault{Kind: scenario.Replace, Target: "n3"}))
	}
}

func member(s lifecycle.Step) recipe {
	add := scenario.Fault{Kind: scenario.Add}
	switch {
	case s.Event == "form":
		return does("a cluster is formed.")
	case s.Event == "move":
		return operator("an operator does, with `candor cluster join` from another address")
	case s.From == lifecycle.Removed:
		return operator("an operator does, who joins a server that was removed with the directory that it had")
	case s.From == lifecycle.NonVoter && s.Event == "remove":
		return operator("an operator does, who removes a server that has joined before it gets its vote")
	case s.Event == "remove":
		return does("a follower is removed.", scenario.Fault{Kind: scenario.Remove, Target: "follower"})
	default:
		return does("a server joins, and gets its vote once it has caught up.", add)
	}
}

func leadership(s lifecycle.Step) recipe {
	switch {
	case s.To == lifecycle.Removed:
		return does("the leader is removed.", scenario.Fault{Kind: scenario.Remove, Target: "leader"})
	case s.Event == "transfer":
		return does("leadership is handed over.", scenario.Fault{Kind: scenario.Transfer, Times: 3, Every: sec(2)})
	case s.From == s.To:
		return does("the followers stand still until the leader steps down, and it may win again.", scenario.Fault{Kind: scenario.Pause, Target: "followers", For: sec(4), Times: 3, Every: sec(8)})
	default:
		return does("leaders are killed.", scenario.Fault{Kind: scenario.Kill, Target: "leader", For: sec(2), Times: 2, Every: sec(5)})
	}
}

func request(s lifecycle.Step) recipe {
	switch s.Event {
	case "deduplicate", "expire", "refuse":
		return does("answers of the leader are lost, and leaders are killed: clients repeat what they asked.",
			scenario.Fault{Kind: scenario.Link, Target: "leader", For: sec(5), Loss: 30},
			scenario.Fault{Kind: scenario.Kill, Target: "leader", For: sec(2), At: sec(6)}).under("transactions")
	case "saturate":
		return operator("a million requests within ten minutes do")
	case "reuse":
		return operator("a client does that gives one request ID to two requests")
	case "forget":
		r := does("clients write for longer than their requests are remembered.")
		r.lasts = 12 * time.Minute
		return r
	default:
		return does("clients write.").under("transactions")
	}
}

func object(s lifecycle.Step) recipe {
	if s.From == lifecycle.Foreground || s.To == lifecycle.Foreground {
		return operator("a client does that deletes an owner in the foreground: `candor delete --cascade foreground`")
	}
	r := does("objects of many kinds come, change and go.").under("lists", "transactions")
	if s.From == lifecycle.Terminating || s.To == lifecycle.Terminating {
		r = does("instances come and go, and their processes hold them.").under("placements")
		r.nodes = 12
	}
	return r
}

func placement(s lifecycle.Step) recipe {
	var r recipe
	lose := scenario.Fault{Kind: scenario.LoseNodes, For: sec(12), Count: 4}
	switch {
	case s.From == lifecycle.Cordoned || s.To == lifecycle.Cordoned || s.From == lifecycle.Draining || s.To == lifecycle.Draining || s.From == lifecycle.Drained || s.To == lifecycle.Drained:
		return operator("an operator does, with `candor node cordon`, `uncordon` and `drain`")
	case s.From == lifecycle.Paused || s.To == lifecycle.Paused:
		return operator("an operator does, who sets spec.paused of a workload")
	case s.Event == "clear" || s.Lifecycle == lifecycle.Node && (s.From == lifecycle.Gone || s.To == lifecycle.Gone):
		return operator("an operator does, with `candor delete node`, or by writing its status")
	case s.Event == "decide" || s.Event == "place":
		r = does("the scheduler is killed while it places.", scenario.Fault{Kind: scenario.Kill, Target: "holder/schedule", For: sec(2), Times: 2, Every: sec(5)})
	case s.Event == "create" || s.Event == "delete" || s.Event == "exit" || s.Event == "register":
		r = does("instances are made, end, and go.")
	default:
		lose.For = sec(50)
		r = does("worker nodes fall silent for so long that what ran there is given up, and come back.", lose)
	}
	r.nodes = 12
	return r.under("placements")
}

// catchUp brings a follower's view into a state.
func catchUp(to lifecycle.State) recipe {
	switch to {
	case lifecycle.Unknown:
		return does("a follower is cut off for longer than any proof counts.", scenario.Fault{Kind: scenario.Partition, Target: "follower", Shape: scenario.Isolated, For: sec(5)})
	case lifecycle.State(candor.CatchUpLagging):
		return does("what is sent to a follower comes late.", scenario.Fault{Kind: scenario.Link, Target: "follower", For: sec(4), Delay: sec(0.7)})
	case lifecycle.State(candor.CatchUpBootstrapRequired), lifecycle.State(candor.CatchUpRecovering):
		r := does("a follower misses so much that it needs a snapshot.", scenario.Fault{Kind: scenario.Starve, Target: "follower", For: sec(6)})
		r.flags = map[string]string{"snapshot-bytes": "16384", "trailing-bytes": "4096", "trailing-entries": "16"}
		return r
	case lifecycle.State(candor.CatchUpUnavailable):
		return does("a server joins, and has no view at first.", scenario.Fault{Kind: scenario.Add})
	case lifecycle.Stopped:
		return does("a follower is killed, and comes back.", scenario.Fault{Kind: scenario.Kill, Target: "follower", For: sec(2)})
	default:
		return does("all is well again.")
	}
}

// mode brings a server into a mode.
func mode(to lifecycle.State) recipe {
	switch candor.DegradedMode(to) {
	case candor.ModeCoordinatorDegraded:
		return does("the leader is killed, and for a moment nobody leads.", killLeader())
	case candor.ModeRootLagging:
		return does("what is sent to a follower comes late.", scenario.Fault{Kind: scenario.Link, Target: "follower", For: sec(4), Delay: sec(0.7)})
	case candor.ModeRootUnavailable:
		return does("a follower is cut off for longer than any proof counts.", scenario.Fault{Kind: scenario.Partition, Target: "follower", Shape: scenario.Isolated, For: sec(5)})
	case candor.ModeViewOnly:
		return operator("an operator does, who removes a server and leaves it running, or sets its view aside")
	case candor.DegradedMode(lifecycle.Stopped):
		return does("a follower is killed, and comes back.", scenario.Fault{Kind: scenario.Kill, Target: "follower", For: sec(2)})
	default:
		return does("all is well again.")
	}
}
