package servertest_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
)

// TestADeletedNamespaceTakesEverythingInsideAndNothingElse: page by page, over
// the API, held by finalizers until those are gone, closed to newcomers.
func TestADeletedNamespaceTakesEverythingInsideAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		ctx, cancel := within(2 * time.Minute)
		defer cancel()
		must(t, k, kindOf("widgets", "Widget"))
		must(t, k, kindOf("gadgets", "Gadget"))
		mustCreate(t, k, "team")
		mustCreate(t, k, "team-2")
		for i := range 120 {
			must(t, k, widget("team", fmt.Sprintf("w%03d", i)))
		}
		gadget := widget("team", "g")
		gadget.Kind = "Gadget"
		must(t, k, gadget)
		must(t, k, widget("team-2", "near"))
		must(t, k, widget("default", "far"))
		held := widget("team", "held")
		held.Metadata.Finalizers = []string{"example.com/hold"}
		must(t, k, held)

		gone, err := k.Delete(ctx, refOf("team"))
		if err != nil || gone.Removed {
			t.Fatalf("delete: %+v, %v", gone, err)
		}
		for _, s := range c.Servers() {
			_, err := c.Client(t, s.Name()).Create(ctx, widget("team", "late"))
			wantReason(t, err, candor.ReasonNamespaceTerminating)
		}
		c.Until("only what a finalizer holds is left", func() bool {
			page, err := k.List(ctx, widgets, client.ListOptions{Namespace: "team"})
			return err == nil && len(page.Objects) == 1
		})
		o, _, err := k.Get(ctx, widgetRef("team", "held"))
		if err != nil || !o.Terminating() {
			t.Fatalf("the held object: %+v, %v", o, err)
		}
		if ns, _, err := k.Get(ctx, refOf("team")); err != nil || !ns.Terminating() {
			t.Fatalf("the namespace went before what is in it: %+v, %v", ns, err)
		}
		_, err = k.Create(ctx, widget("team", "late"))
		wantReason(t, err, candor.ReasonNamespaceTerminating)
		_, err = k.Create(ctx, namespace("team"))
		wantReason(t, err, candor.ReasonAlreadyExists)

		o.Metadata.Finalizers = nil
		if _, err := k.Update(ctx, o); err != nil {
			t.Fatal(err)
		}
		c.Until("the namespace is gone", func() bool {
			_, _, err := k.Get(ctx, refOf("team"))
			return candor.ReasonOf(err) == candor.ReasonNotFound
		})
		for _, kind := range []candor.KindName{widgets, "gadgets.example.com"} {
			if page, err := k.List(ctx, kind, client.ListOptions{Namespace: "team"}); err != nil || len(page.Objects) != 0 {
				t.Errorf("%s in the deleted namespace: %+v, %v", kind, page, err)
			}
		}
		for _, ref := range []candor.Ref{widgetRef("team-2", "near"), widgetRef("default", "far"), refOf("team-2")} {
			if _, _, err := k.Get(ctx, ref); err != nil {
				t.Errorf("%s went too: %v", ref, err)
			}
		}
		_, err = k.Create(ctx, widget("team", "late"))
		wantReason(t, err, candor.ReasonNotFound)
		mustCreate(t, k, "team")
		must(t, k, widget("team", "w000"))
		wantEqualStates(t, c)
	})
}

// TestADeletionGoesOnUnderTheNextLeader: what a leader began and did not end is
// in the state, and whoever leads takes it up.
func TestADeletionGoesOnUnderTheNextLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithServers(5))
		k := c.Client(t)
		must(t, k, kindOf("widgets", "Widget"))
		mustCreate(t, k, "team")
		for i := range 250 {
			must(t, k, widget("team", fmt.Sprintf("w%03d", i)))
		}
		ctx, cancel := within(time.Minute)
		defer cancel()
		if _, err := k.Delete(ctx, refOf("team")); err != nil {
			t.Fatal(err)
		}
		c.Kill(c.Leader().Name())
		c.Until("the namespace is gone", func() bool {
			_, _, err := k.Get(ctx, refOf("team"))
			return candor.ReasonOf(err) == candor.ReasonNotFound
		})
		if n := c.Leader().Machine().View().Live(widgets); n != 0 {
			t.Errorf("%d widgets are left", n)
		}
		wantEqualStates(t, c)
	})
}
