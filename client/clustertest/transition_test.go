package clustertest_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
)

// A change of the members names its transition, which tells of its steps afterwards, by
// the service and by its objects alike.
func TestAReplacementIsToldByItsTransition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		added, gone := c.AddServer(), c.Follower()
		done, err := k.Cluster().Replace(t.Context(), gone.Name(), added.Name(), client.ReplaceOptions{})
		noError(t, err)
		waited, err := k.Transitions().Wait(t.Context(), done.Transition)
		noError(t, err)
		// The root may see the end before the executor has told of its part.
		for began := time.Now(); waited.Executor == "" && time.Since(began) < 10*time.Second; time.Sleep(10 * time.Millisecond) {
			waited, err = k.Transitions().Wait(t.Context(), done.Transition)
			noError(t, err)
		}
		list, err := k.Transitions().List(t.Context(), false)
		noError(t, err)
		got, err := k.Transitions().Get(t.Context(), done.Transition)
		noError(t, err)
		x := got.Transitions[0]
		if !x.Succeeded() || x.Kind != "member-replace" || x.Target != gone.ID() || x.Failure() != nil || x.Times.Ended <= x.Times.Planned || x.PlanReason != "REQUESTED" {
			t.Errorf("%+v", x)
		}
		x.TargetName, waited.TargetName = "", "" // only the service knows names
		if diff := cmp.Diff(x, *waited); diff != "" {
			t.Errorf("the object tells another story (-service +object):\n%s", diff)
		}
		var steps []string
		for _, s := range list.Transitions {
			if s.Parent == done.Transition && s.Succeeded() {
				steps = append(steps, s.Kind)
			}
		}
		if diff := cmp.Diff([]string{"member-remove", "member-promote"}, steps); diff != "" {
			t.Errorf("steps, the newest first (-want +got):\n%s", diff)
		}
		if pending, err := k.Transitions().List(t.Context(), true); err != nil || len(pending.Transitions) != 0 {
			t.Errorf("pending %+v, %v", pending, err)
		}
	})
}

// The leader that is removed hands over and does not see the end of it: the caller does.
func TestTheRemovalOfTheLeaderIsHeardToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		for range 2 {
			_, err := k.Cluster().Promote(t.Context(), c.AddServer().Name(), 0)
			noError(t, err)
		}
		for range 2 {
			gone := c.Leader()
			done, err := k.Cluster().Remove(t.Context(), gone.Name(), client.RemoveOptions{})
			noError(t, err)
			if done.Transition == "" || done.ConfigurationIndex == 0 {
				t.Errorf("%+v", done)
			}
			c.Stop(gone.Name())
			c.Until("another leads", func() bool { return c.Leader() != gone })
		}
	})
}

// Who stops waiting hears which transition goes on; others may wait for it, and give it
// up.
func TestAChangeThatIsNotOverInTimeIsNamedAndCanBeCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		added := c.AddServer()
		c.Stop(added.Name())
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		_, err := k.Cluster().Replace(ctx, c.Follower().Name(), added.Name(), client.ReplaceOptions{})
		cancel()
		wantReason(t, err, candor.ReasonOutcomeUnknown)
		id := client.TransitionIn(err)
		if !strings.HasPrefix(id, "member-replace-") {
			t.Fatalf("%v: names %q", err, id)
		}
		pending, err := k.Transitions().List(t.Context(), true, client.OnEndpoint(c.Leader().Name()))
		noError(t, err)
		if n := len(pending.Transitions); n != 2 || pending.Transitions[n-1].ID != id || pending.Transitions[0].Parent != id || pending.Transitions[0].Attempts == 0 {
			t.Errorf("pending %+v", pending.Transitions)
		}
		hurried, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err = k.Transitions().Wait(hurried, id)
		cancel()
		wantReason(t, err, candor.ReasonTimedOut)
		ended := make(chan *client.Transition, 1)
		go func() {
			x, err := k.Transitions().Wait(t.Context(), id)
			if err != nil {
				t.Error(err)
			}
			ended <- x
		}()
		synctest.Wait()
		cancelled, err := k.Transitions().Cancel(t.Context(), id, "it never comes")
		noError(t, err)
		x := <-ended
		if cancelled.Phase != "CANCELLED" || x == nil || x.Phase != "CANCELLED" || x.Succeeded() || x.Message != "it never comes" {
			t.Errorf("cancelled %+v, waited for %+v", cancelled, x)
		}
		wantReason(t, x.Failure(), candor.ReasonConflict)
		if got := client.TransitionIn(x.Failure()); got != id {
			t.Errorf("the failure names %q", got)
		}
		_, err = k.Transitions().Get(t.Context(), "member-add-0123456789abcdef01234567")
		wantReason(t, err, candor.ReasonNotFound)
	})
}
