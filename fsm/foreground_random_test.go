package fsm

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
)

// TestEveryDeletionEndsOnceNothingHolds: whoever owns whom, in whatever way they are
// deleted, and wherever a machine was restored in between.
func TestEveryDeletionEndsOnceNothingHolds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRoot(t)
		name := func(what string) string { return fmt.Sprintf("o%d", rapid.IntRange(0, 9).Draw(rt, what)) }
		owners := func() (out []candor.OwnerReference) {
			for range rapid.IntRange(0, 3).Draw(rt, "owners") {
				n := name("owner")
				uid := "uid-default-" + n
				if o := r.get(widget("default", n)); o != nil {
					uid = o.Metadata.UID
				}
				out = append(out, candor.OwnerReference{Kind: widgets, Name: n, UID: uid, BlockOwnerDeletion: rapid.Bool().Draw(rt, "blocks")})
			}
			return out
		}
		finalizers := func() []string {
			if rapid.Bool().Draw(rt, "held") {
				return []string{"test/hold"}
			}
			return nil
		}
		lives := 0
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			switch rapid.IntRange(0, 7).Draw(rt, "step") {
			case 0, 1, 2:
				lives++
				op := create("default", name("new"), `{}`)
				op.Object.Metadata.UID = fmt.Sprintf("uid-%d", lives)
				op.Object.Metadata.Owners, op.Object.Metadata.Finalizers = owners(), finalizers()
				r.write(op)
			case 3:
				if ref := widget("default", name("changed")); r.get(ref) != nil {
					to, f := owners(), finalizers()
					r.update(ref, func(o *candor.Object) {
						o.Metadata.Owners = to
						if o.Terminating() && len(f) > 0 {
							return
						}
						o.Metadata.Finalizers = f
					})
				}
			case 4, 5:
				p := rapid.SampledFrom([]candor.Propagation{candor.PropagateForeground, candor.PropagateBackground, candor.PropagateOrphan}).Draw(rt, "how")
				r.write(remove(widgets, "default", name("deleted"), p))
			case 6:
				if c := r.m.View().Cascades(3); len(c) > 0 {
					r.do(command.CascadePage(c[rapid.IntRange(0, len(c)-1).Draw(rt, "page")].ID))
				}
			default:
				back, again := restored(t, r.m), r.replayed()
				wantSame(t, "restored", r.m, back)
				wantSame(t, "replayed", r.m, again)
				if rapid.Bool().Draw(rt, "goes on") {
					r.m = back
				}
			}
			if n := r.m.View().Stats().Violations; n != 0 {
				rt.Fatalf("an invariant had to block a turn: %+v", r.m.View().Records())
			}
			if n := r.m.state.faults; n != 0 {
				rt.Fatalf("a turn failed: %+v", r.m.View().Records())
			}
		}
		for range 20 {
			r.cascadeAll()
			for i := range 10 {
				if ref := widget("default", fmt.Sprintf("o%d", i)); r.get(ref) != nil {
					r.update(ref, func(o *candor.Object) {
						var kept []string
						for _, f := range o.Metadata.Finalizers {
							if f == candor.FinalizerForeground {
								kept = append(kept, f)
							}
						}
						o.Metadata.Finalizers = kept
					})
				}
			}
		}
		for i := range 10 {
			if o := r.get(widget("default", fmt.Sprintf("o%d", i))); o != nil && o.Terminating() {
				rt.Errorf("%s is still there: %+v", o.Metadata.Name, o.Metadata)
			}
		}
		if n := r.m.View().Stats().Cascades; n != 0 || len(r.m.state.foreground) != 0 {
			rt.Errorf("%d cascades are left, %d are known", n, len(r.m.state.foreground))
		}
		wantSame(t, "replayed", r.m, r.replayed())
	})
}
