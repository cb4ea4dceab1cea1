package lifecycle

import (
	"slices"

	"github.com/candor-plane/candor"
)

// Stopped is a server that does not run, between two boots.
const Stopped State = "STOPPED"

// Unknown is a catch-up state that is not known, for want of a proof.
const Unknown State = "UNKNOWN"

func catchUp() Lifecycle {
	fresh, lagging, bootstrap, recovering, unavailable := State(candor.CatchUpFresh), State(candor.CatchUpLagging),
		State(candor.CatchUpBootstrapRequired), State(candor.CatchUpRecovering), State(candor.CatchUpUnavailable)
	viewed := []State{Unknown, fresh, lagging, bootstrap, recovering}
	l := Lifecycle{
		Name: CatchUp, Of: "the view of one server, by what its answers say of catching up", Start: Stopped,
		States: slices.Concat([]State{Stopped, unavailable}, viewed),
		Steps: slices.Concat(
			[]Declared{{Stopped, unavailable, "start", "it runs, and has no view yet"}},
			every(viewed, Stopped, "stop", "that boot of it ended"),
			every([]State{unavailable}, Stopped, "stop", "that boot of it ended"),
		),
	}
	// Samples leave out what comes between two of them, so all may follow all; but a view
	// that exists stays.
	from := slices.Concat([]State{Stopped, unavailable}, viewed)
	for _, to := range []struct {
		state State
		says  string
	}{
		{Unknown, "nobody has proven lately how far it is"},
		{fresh, "a proof is applied, and its lag is within policy"},
		{lagging, "it is behind, or its proof is old, and the leader's log holds what is missing"},
		{bootstrap, "the leader's log begins after what it needs"},
		{recovering, "it installs a snapshot, or replays its log"},
	} {
		l.Steps = append(l.Steps, every(from, to.state, "observe", to.says)...)
	}
	return l
}

func mode() Lifecycle {
	modes := []struct {
		mode candor.DegradedMode
		says string
	}{
		{candor.ModeHealthy, "nothing is wrong with it"},
		{candor.ModeCoordinatorDegraded, "the root is fine, and nobody leads, or it drains"},
		{candor.ModeRootLagging, "its lag or the age of its proof is beyond policy"},
		{candor.ModeRootUnavailable, "it has no view, or no proof within the window"},
		{candor.ModeViewOnly, "it is quarantined, removed, or set aside by an operator"},
	}
	l := Lifecycle{Name: Mode, Of: "one server, by the mode that its answers tell", Start: Stopped, States: []State{Stopped}}
	for _, m := range modes {
		l.States = append(l.States, State(m.mode))
	}
	l.Steps = every(l.States, Stopped, "stop", "that boot of it ended")
	for _, m := range modes {
		l.Steps = append(l.Steps, every(l.States, State(m.mode), "observe", m.says)...)
	}
	return l
}
