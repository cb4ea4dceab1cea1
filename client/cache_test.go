package client_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/informer"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

func cacheOf(t *testing.T, c *client.Client, o client.CacheOptions) *client.Cache {
	t.Helper()
	k, err := c.Cache(o)
	noError(t, err)
	t.Cleanup(func() { noError(t, k.Close()) })
	return k
}

// What a cache missed and nobody keeps any more, it finds out by a list.
func TestACacheThatMissedTooMuchListsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1")
		n1 := s.node("n1")
		n1.on("List", sequence(n1.pageOf(5, webObject(5), named("gone", 4)), n1.pageOf(500, webObject(400), named("new", 499))))
		n1.on("Watch", sequence(
			streams(nil, n1.started(5), recorded(6)),
			streams(nil, n1.started(500), recorded(501))))
		c := s.client([]string{"n1"})
		cache := cacheOf(t, c, client.CacheOptions{Kinds: []client.CacheKind{{Kind: web.Kind}}})
		noError(t, cache.WaitForSync(t.Context()))
		noError(t, cache.Store().WaitFor(t.Context(), 6))
		var told []string
		_, cancel := cache.Store().Subscribe(func(b informer.Batch) {
			for i := range b.Changes {
				change := &b.Changes[i]
				word := "changed"
				switch {
				case change.Before == nil:
					word = "new"
				case change.After == nil:
					word = "gone"
				}
				told = append(told, change.Ref.Name+" "+word)
			}
		})
		defer cancel()
		n1.on("Watch", sequence(
			refuses(&candor.Error{Reason: candor.ReasonCompacted, Revision: 400, Message: "the floor is 400"}),
			streams(nil, n1.started(500), recorded(501))))
		n1.stop()
		n1.start()
		noError(t, cache.Store().WaitFor(t.Context(), 501))
		if got := strings.Join(told, ", "); got != "web changed, new new, gone gone, web changed" {
			t.Errorf("told of %s", got)
		}
		if st := cache.Status()[0]; st.Lists != 2 || st.Revision != 501 {
			t.Errorf("status %+v", st)
		}
	})
}

// A kind that cannot be listed yet is tried again, and the wait for it says why.
func TestACacheThatCannotBeFilledSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1")
		n1 := s.node("n1")
		n1.on("List", refuses(&candor.Error{Reason: candor.ReasonUnknownKind, Message: "no such kind"}))
		n1.on("Watch", streams(nil, n1.started(5)))
		c := s.client([]string{"n1"})
		cache := cacheOf(t, c, client.CacheOptions{Kinds: []client.CacheKind{{Kind: web.Kind}}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := cache.WaitForSync(ctx)
		wantReason(t, err, candor.ReasonUnknownKind)
		n1.on("List", n1.pageOf(5, webObject(5)))
		noError(t, cache.WaitForSync(t.Context()))
		if errors.Is(t.Context().Err(), context.Canceled) || cache.Store().Read().Len(web.Kind) != 1 {
			t.Errorf("it holds %d", cache.Store().Read().Len(web.Kind))
		}
	})
}

func TestACacheOfWhatCannotBeIsRefused(t *testing.T) {
	c := newStage(t, "n1").client([]string{"n1"})
	for name, kinds := range map[string][]client.CacheKind{
		"none": nil, "empty": {{}}, "twice": {{Kind: web.Kind}, {Kind: web.Kind}}, "selector": {{Kind: web.Kind, Selector: "a in"}},
	} {
		if _, err := c.Cache(client.CacheOptions{Kinds: kinds}); candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func named(name string, revision uint64) *candorv1.Object {
	o := webObject(revision)
	o.Metadata.Name = name
	return o
}

func (n *node) pageOf(revision uint64, objects ...*candorv1.Object) script {
	return func(c *call) error {
		return c.send(&candorv1.ListResponse{Revision: revision, Objects: objects, Witness: n.witness(token(revision), n)})
	}
}
