package servertest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/transition"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// operators ask one server after another for changes of members, without a client's
// retries.
type operators struct {
	t *testing.T
	c *servertest.Cluster
}

// replace asks a server to have one member come for another.
func (x operators) replace(at, server, with string, patience time.Duration) error {
	x.t.Helper()
	return x.ask(at, patience, &candorv1.ReplaceRequest{Server: server, With: with})
}

func (x operators) ask(at string, patience time.Duration, in *candorv1.ReplaceRequest) error {
	x.t.Helper()
	ctx, cancel := within(patience)
	defer cancel()
	_, err := candorv1.NewClusterServiceClient(linked(x.t, x.c, at)).Replace(ctx, in)
	return convert.ErrorFromStatus(err)
}

// insist asks whoever leads until the change is made.
func (x operators) insist(server, with string) {
	x.t.Helper()
	id := x.id(server)
	x.c.Until(with+" is in for "+server, func() bool {
		// Nobody who was asked before knows better than the members themselves.
		if done := x.done(id, x.id(with)); done {
			return true
		}
		err := x.replace(x.c.Leader().Name(), server, with, 20*time.Second)
		switch candor.ReasonOf(err) {
		case "", candor.ReasonNotLeader, candor.ReasonNotAMember, candor.ReasonUnavailable, candor.ReasonOutcomeUnknown, candor.ReasonSchedulerDegraded, candor.ReasonLeadershipUnconfirmed:
		default:
			x.t.Fatalf("replace %s with %s: %v", server, with, err)
		}
		return err == nil
	})
}

func (x operators) done(target, with string) bool {
	return transition.Satisfied(transition.MemberReplace, target, transition.Membership{With: with}, x.c.Leader().Machine().View().Configuration())
}

// id is that of a server of the cluster, by its name.
func (x operators) id(name string) string {
	x.t.Helper()
	return serverNamed(x.t, x.c, name).ID()
}

func serverNamed(t testing.TB, c *servertest.Cluster, name string) *server.Server {
	t.Helper()
	for i := 0; ; i++ {
		if s := c.Server(i); s.Name() == name {
			return s
		}
	}
}

// shown asks a server for transitions as people see them.
func shown(t testing.TB, c *servertest.Cluster, at string, in *candorv1.TransitionsRequest) []*candorv1.Transition {
	t.Helper()
	ctx, cancel := within(5 * time.Second)
	defer cancel()
	out, err := candorv1.NewTransitionServiceClient(linked(t, c, at)).Transitions(ctx, in)
	if err != nil {
		t.Fatalf("transitions of %s: %v", at, convert.ErrorFromStatus(err))
	}
	return out.GetTransitions()
}

// cancelChange gives one up.
func cancelChange(t testing.TB, c *servertest.Cluster, at, id string) (*candorv1.Transition, error) {
	t.Helper()
	ctx, cancel := within(5 * time.Second)
	defer cancel()
	out, err := candorv1.NewTransitionServiceClient(linked(t, c, at)).CancelTransition(ctx, &candorv1.CancelTransitionRequest{Id: id, Reason: "not any more"})
	return out.GetTransition(), convert.ErrorFromStatus(err)
}

// recorded is one version of a transition's object.
type recorded struct {
	transition.Transition
	Revision uint64
	Cause    candor.Cause
}

// recordsOf are the versions of a transition's object, oldest first.
func recordsOf(t testing.TB, view *fsm.View, id string) (out []recorded) {
	t.Helper()
	view.Chain(candor.Ref{Kind: candor.KindTransitions, Name: id}, func(v *mvcc.Version) bool {
		o, err := v.Object()
		if err != nil || o == nil {
			t.Fatalf("transition %s at revision %d: %v", id, v.Revision, err)
		}
		r := recorded{Revision: v.Revision, Cause: *o.Cause}
		var bad *candor.Error
		if r.Plan, bad = transition.ReadSpec(o.Spec); bad != nil {
			t.Fatal(bad)
		}
		if r.Status, bad = transition.ReadStatus(o.Status); bad != nil {
			t.Fatal(bad)
		}
		out = append(out, r)
		return true
	})
	slices.Reverse(out)
	return out
}

// transitionsBy names every transition that a view has, in the order of their plans.
func transitionsBy(t testing.TB, view *fsm.View) (out []string) {
	t.Helper()
	planned := map[string]uint64{}
	err := view.List(candor.KindTransitions, "", "", 0, func(v *mvcc.Version) bool {
		out = append(out, v.Key[1:])
		planned[v.Key[1:]] = recordsOf(t, view, v.Key[1:])[0].Plan.Revision
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(out, func(a, b string) int { return int(planned[a]) - int(planned[b]) })
	return out
}

// ofKind are the transitions of a kind by a view: how each stands now.
func ofKind(t testing.TB, view *fsm.View, kind transition.Kind) (out []recorded) {
	t.Helper()
	for _, id := range transitionsBy(t, view) {
		if all := recordsOf(t, view, id); all[0].Plan.Kind == kind {
			out = append(out, all[len(all)-1])
		}
	}
	return out
}

// wantEveryChangeAccountedFor wants one state everywhere, every transition to have
// ended, or else to be late and to say why, and no object of one to have ever broken a
// promise. It returns how many there are.
func wantEveryChangeAccountedFor(t testing.TB, c *servertest.Cluster) (count int) {
	t.Helper()
	leader := c.Leader()
	c.Until("every step that is left has been ended", func() bool {
		for _, x := range shown(t, c, leader.Name(), &candorv1.TransitionsRequest{Pending: true}) {
			if x.GetStalled() == nil {
				return false
			}
		}
		return true
	})
	for _, x := range shown(t, c, leader.Name(), &candorv1.TransitionsRequest{Pending: true}) {
		if s := x.GetStalled(); s.GetCause() == "" || s.GetNextAction() == "" || s.GetDeadline() == 0 || x.GetReason() == "" || x.GetMessage() == "" {
			t.Errorf("%s stands still and does not say why: %v", x.GetId(), x)
		}
	}
	wantSoundTenures(t, c)
	for _, s := range c.Servers() {
		view := s.Machine().View()
		ids := transitionsBy(t, view)
		count = len(ids)
		for _, id := range ids {
			var before *transition.Transition
			all := recordsOf(t, view, id)
			for i := range all {
				for _, g := range transition.Guarantees() {
					if wrong := g.Check(before, &all[i].Transition); wrong != "" {
						t.Errorf("%s: version %d of %s breaks %s: %s", s.Name(), all[i].Revision, id, g.Name, wrong)
					}
				}
				before = &all[i].Transition
			}
			if p := before.Plan.Parent; p != "" && before.Status.Phase.Terminal() && len(recordsOf(t, view, p)) == 0 {
				t.Errorf("%s is a step of %s, which there is not", id, p)
			}
		}
	}
	return count
}
