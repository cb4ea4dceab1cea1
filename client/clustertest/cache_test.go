package clustertest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
)

func namespace(name, team string) *candor.Object {
	return &candor.Object{
		APIVersion: "candor/v1", Kind: "Namespace", Metadata: candor.Metadata{Name: name, Labels: map[string]string{"team": team}},
	}
}

// What was acknowledged is in the cache soon, whatever becomes of the servers.
func TestACacheFollowsThroughTheDeathsOfServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithData(t.TempDir()))
		k := c.Client(t)
		ctx := t.Context()
		_, err := k.Create(ctx, namespace("before", "a"))
		noError(t, err)
		cache, err := k.Cache(client.CacheOptions{Kinds: []client.CacheKind{
			{Kind: candor.KindNamespaces, Labels: []string{"team"}}, {Kind: candor.KindRoles},
		}})
		noError(t, err)
		defer func() { noError(t, cache.Close()) }()
		noError(t, cache.WaitForSync(ctx))
		store := cache.Store()
		if store.Read().Get(candor.Ref{Kind: candor.KindNamespaces, Name: "before"}) == nil {
			t.Error("what was there before is not in the cache")
		}
		for _, name := range []string{"one", "two", "three"} {
			victim := c.Leader().Name()
			c.Kill(victim)
			made, err := k.Create(ctx, namespace(name, "b"))
			noError(t, err)
			bounded, cancel := context.WithTimeout(ctx, 30*time.Second)
			noError(t, store.WaitFor(bounded, made.Token.Revision, candor.KindNamespaces))
			cancel()
			if store.Read().Get(candor.Ref{Kind: candor.KindNamespaces, Name: name}) == nil {
				t.Errorf("%s is not in the cache", name)
			}
			c.Restart(victim)
			c.Settle()
		}
		n := 0
		for range store.Read().Labelled(candor.KindNamespaces, "team", "b") {
			n++
		}
		if n != 3 {
			t.Errorf("%d namespaces of team b, want 3", n)
		}
		_, err = k.Delete(ctx, candor.Ref{Kind: candor.KindNamespaces, Name: "one"})
		noError(t, err)
		c.Until("one is gone", func() bool { return store.Read().Get(candor.Ref{Kind: candor.KindNamespaces, Name: "one"}) == nil })
		for _, s := range cache.Status() {
			if !s.Synced || s.Lists != 1 || s.Err != nil {
				t.Errorf("status %+v: want one list, and a watch ever since", s)
			}
		}
	})
}
