package clustertest_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
)

// The same over servers: a namespace is made, and read at once at another node
// with every call, in every class that followers serve. Its proof is checked by
// the client itself.
func TestAClientThatHopsOverServersReadsItsOwnWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		for _, server := range c.Servers() {
			c.Until(server.Name()+" has a proof", func() bool {
				_, w, err := k.Get(t.Context(), candor.Ref{Kind: candor.KindNamespaces, Name: "default"},
					client.OnEndpoint(server.Name()), client.WithFreshness(candor.FreshnessBestEffort))
				return err == nil && w.StalenessBound != nil
			})
		}
		classes := [][]client.ReadOption{
			{client.WithFreshness(candor.FreshnessBounded)},
			{client.WithFreshness(candor.FreshnessBestEffort)},
			{client.WithFollowerReadIndex()},
		}
		var seen candor.Token
		for i := range 30 {
			name := "ns-" + strconv.Itoa(i)
			result, err := k.Create(t.Context(), &candor.Object{
				APIVersion: "candor/v1", Kind: "Namespace", Metadata: candor.Metadata{Name: name},
			})
			noError(t, err)
			for j, server := range c.Servers() {
				var age client.Age
				options := append([]client.ReadOption{client.OnEndpoint(server.Name()), client.WithAge(&age)}, classes[(i+j)%len(classes)]...)
				_, w, err := k.Get(t.Context(), candor.Ref{Kind: candor.KindNamespaces, Name: name}, options...)
				noError(t, err)
				if w.NodeName != server.Name() || !w.ServedToken.Covers(result.Token) || !w.ServedToken.Covers(seen) {
					t.Fatalf("%s served %s after %s was written and %s seen", w.NodeName, w.ServedToken, result.Token, seen)
				}
				if old, known := age.Now(); !known || old > time.Second {
					t.Errorf("%s: an answer %v old (%t), of class %s", server.Name(), old, known, w.Served)
				}
				seen = w.ServedToken
			}
		}
	})
}
