package servertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/servertest"
)

func TestAnOwnerMayBeNamedByItsTypeAndIsStoredByItsKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		owner := mustCreate(t, k, "owner").Object
		ctx, cancel := within(time.Minute)
		defer cancel()
		child := namespace("child")
		child.Metadata.Owners = []candor.OwnerReference{{Kind: candor.OwnerType(candor.APIVersion, "Namespace"), Name: "owner", UID: owner.Metadata.UID}}
		made, err := k.Create(ctx, child)
		if err != nil || len(made.Object.Metadata.Owners) != 1 || made.Object.Metadata.Owners[0].Kind != candor.KindNamespaces {
			t.Fatalf("made %+v, %v", made.Object, err)
		}
		// The same, said in the same way, changes nothing.
		again, err := k.Update(ctx, child)
		if err != nil || again.Changed {
			t.Errorf("again: changed %t, %v", again.Changed, err)
		}
		child.Metadata.Owners[0].Kind = candor.OwnerType(candor.APIVersion, "Gadget")
		_, err = k.Update(ctx, child)
		wantReason(t, err, candor.ReasonInvalid)
		if _, err := k.Delete(ctx, refOf("owner")); err != nil {
			t.Fatal(err)
		}
		c.Until("the dependent goes with its owner", func() bool {
			_, _, err := k.Get(ctx, refOf("child"))
			return candor.ReasonOf(err) == candor.ReasonNotFound
		})
	})
}
