package servertest_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
)

func TestAWatchGoesOnWithoutGapOrDuplicateWhenItsServerDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		first := mustCreate(t, k, "first").Object.Metadata.ResourceVersion
		ctx, cancel := within(time.Minute)
		defer cancel()
		watch, err := k.Watch(ctx, client.WatchOptions{Kind: candor.KindNamespaces, AfterRevision: first})
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		var want, got []string
		next := func(name string) {
			revision := mustCreate(t, k, name).Object.Metadata.ResourceVersion
			want = append(want, fmt.Sprintf("%s@%d", name, revision))
			for watch.Revision() < revision {
				batch, err := watch.Next(ctx)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range batch.Events {
					got = append(got, fmt.Sprintf("%s@%d", e.Object.Metadata.Name, e.Revision))
				}
			}
		}
		next("one")
		c.Kill(c.Leader().Name())
		next("two")
		next("three")
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("watched %v, want %v", got, want)
		}
	})
}

func TestPagesOfAListAreOfOneRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		for i := range 5 {
			mustCreate(t, k, fmt.Sprintf("ns-%d", i))
		}
		page, err := k.List(t.Context(), candor.KindNamespaces, client.ListOptions{Limit: 2})
		if err != nil || page.Continue == "" {
			t.Fatalf("first page: %v, %+v", err, page)
		}
		mustCreate(t, k, "ns-9-late")
		rest, err := k.List(t.Context(), candor.KindNamespaces, client.ListOptions{Continue: page.Continue})
		if err != nil || rest.Revision != page.Revision {
			t.Fatalf("rest: %v, %+v after revision %d", err, rest, page.Revision)
		}
		for _, o := range rest.Objects {
			if o.Metadata.Name == "ns-9-late" {
				t.Error("a later object is on a later page")
			}
		}
	})
}

func TestAConflictNamesBothVersions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		stale := mustCreate(t, k, "shared").Object
		o := namespace("shared")
		o.Metadata.Labels = map[string]string{"a": "b"}
		newer, err := k.Update(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		stale.Metadata.Labels = map[string]string{"a": "c"}
		_, err = k.Update(t.Context(), stale)
		wantReason(t, err, candor.ReasonConflict)
		for _, version := range []uint64{stale.Metadata.ResourceVersion, newer.Object.Metadata.ResourceVersion} {
			if !strings.Contains(err.Error(), strconv.FormatUint(version, 10)) {
				t.Errorf("%v: does not name version %d", err, version)
			}
		}
	})
}

func TestUnknownKindAndFieldAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := servertest.Start(t).Client(t)
		o := namespace("odd")
		o.Kind = "Gadget"
		_, err := k.Create(t.Context(), o)
		wantReason(t, err, candor.ReasonUnknownKind)
		o = namespace("odd")
		o.Spec = []byte(`{"colour":"red"}`)
		_, err = k.Create(t.Context(), o)
		wantReason(t, err, candor.ReasonInvalid)
		var e *candor.Error
		if !errors.As(err, &e) || len(e.Fields) == 0 || !strings.Contains(e.Fields[0].Path+err.Error(), "colour") {
			t.Errorf("%v does not name the field", err)
		}
	})
}

func TestACompactedRevisionIsRefusedWithTheFloor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := servertest.Start(t).Client(t)
		old := mustCreate(t, k, "one").Object.Metadata.ResourceVersion
		newest := mustCreate(t, k, "two").Object.Metadata.ResourceVersion
		floor, err := k.Cluster().Compact(t.Context(), newest)
		if err != nil || floor != newest {
			t.Fatalf("compact: %v, floor %d", err, floor)
		}
		_, _, err = k.Get(t.Context(), refOf("one"), client.AtRevision(old))
		wantReason(t, err, candor.ReasonCompacted)
		if !strings.Contains(err.Error(), strconv.FormatUint(floor, 10)) {
			t.Errorf("%v does not name the floor %d", err, floor)
		}
	})
}

func TestARepeatedRequestIsAnsweredAgainByTheNextLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		notAfter := c.Leader().Machine().View().ClusterTime() + int64(5*time.Minute)
		once := []client.WriteOption{client.WithRequestID("once"), client.WithNotAfter(notAfter)}
		first, err := k.Create(t.Context(), namespace("mine"), once...)
		if err != nil {
			t.Fatal(err)
		}
		c.Kill(c.Leader().Name())
		again, err := k.Create(t.Context(), namespace("mine"), once...)
		if err != nil || !again.Replayed || again.Token != first.Token {
			t.Errorf("again: %v, replayed %v, %s after %s", err, again.Replayed, again.Token, first.Token)
		}
	})
}

// An answer without the object still says which version was made.
func TestAWriteCanBeAnsweredWithoutItsObject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		made, err := k.Create(t.Context(), namespace("lean"), client.WithoutObject())
		if err != nil || made.Object != nil || !made.Changed {
			t.Fatalf("create answered %+v, %v", made, err)
		}
		o, _, err := k.Get(t.Context(), refOf("lean"))
		if err != nil || o.Metadata.ResourceVersion != made.Token.Revision {
			t.Errorf("read %+v, %v; version %d was said to be made", o, err, made.Token.Revision)
		}
		again, err := k.Update(t.Context(), namespace("lean"), client.WithoutObject())
		if err != nil || again.Object != nil || again.Changed {
			t.Errorf("an update that changes nothing answered %+v, %v", again, err)
		}
	})
}
