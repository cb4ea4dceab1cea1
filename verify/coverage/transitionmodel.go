package coverage

import (
	"fmt"
	"slices"

	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/verify/coverage/lifecycle"
	"github.com/candor-plane/candor/verify/explore/transitionmodel"
)

func exploreTransitions(c *Coverage) error {
	for _, b := range transitionmodel.Tour() {
		w := walker[transitionmodel.World, transitionmodel.Action]{
			model: &transitionmodel.Model{Bounds: b, Rules: transitionmodel.Real()},
			by:    "transitions: " + b.String(),
			steps: transitionSteps,
			tells: func(key []byte, w transitionmodel.World) []byte {
				for i := range w.Objects {
					x := &w.Objects[i].Status
					key = fmt.Appendf(key, "%s %v", x.Phase, x.Times)
				}
				return key
			},
		}
		if err := w.run(c); err != nil {
			return err
		}
	}
	return nil
}

func transitionSteps(before transitionmodel.World, _ transitionmodel.Action, after transitionmodel.World) []lifecycle.Step {
	var steps []lifecycle.Step
	for i := range after.Objects {
		x := &after.Objects[i]
		var was transition.Status
		if at := slices.IndexFunc(before.Objects, func(o transitionmodel.Object) bool { return o.Record == x.Record }); at >= 0 {
			if was = before.Objects[at].Status; was.Phase == x.Status.Phase {
				continue
			}
		}
		steps = append(steps, only(ofTransition(x.Record, &was, &x.Status, false))...)
	}
	removed := func(id string) bool {
		return slices.ContainsFunc(before.Objects, func(o transitionmodel.Object) bool {
			taken := o.Plan.Kind == transition.MemberRemove || o.Plan.Kind == transition.MemberReplace
			return taken && o.Plan.Target == id && o.Happened
		})
	}
	was, is := servers(before.Servers), servers(after.Servers)
	if !slices.Equal(was, is) {
		steps = append(steps, only(ofMembers(was, is, removed))...)
	}
	if before.Leader != after.Leader {
		asked := slices.ContainsFunc(before.Slots, func(s transitionmodel.Slot) bool {
			return s.Kind == transition.LeaderTransfer && s.Target == after.Leader && !s.Pending.IsZero()
		})
		steps = append(steps, only(ofLeaders(before.Leader, after.Leader, was, asked))...)
	}
	return steps
}

func servers(list []transitionmodel.Server) []transition.Server {
	out := make([]transition.Server, 0, len(list))
	for _, s := range list {
		out = append(out, transition.Server{ID: s.ID, Address: s.Address, Voter: s.Voter})
	}
	return out
}
