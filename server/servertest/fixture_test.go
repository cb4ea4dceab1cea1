package servertest_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

const widgets = candor.KindName("widgets.example.com")

// kindOf declares a namespaced kind.
func kindOf(plural, word string) *candor.Object {
	return &candor.Object{
		APIVersion: candor.APIVersion, Kind: "Kind", Metadata: candor.Metadata{Name: plural + ".example.com"},
		Spec: fmt.Appendf(nil, `{"group":"example.com","version":"v1","scope":"Namespaced","names":{"kind":%q,"plural":%q}}`, word, plural),
	}
}

func widget(namespace, name string) *candor.Object {
	return &candor.Object{APIVersion: "example.com/v1", Kind: "Widget", Metadata: candor.Metadata{Namespace: namespace, Name: name}, Spec: []byte(`{}`)}
}

func widgetRef(namespace, name string) candor.Ref {
	return candor.Ref{Kind: widgets, Namespace: namespace, Name: name}
}

// must makes a write that nothing stands against.
func must(t testing.TB, k *client.Client, o *candor.Object) client.Result {
	t.Helper()
	ctx, cancel := within(20 * time.Second)
	defer cancel()
	result, err := k.Create(ctx, o)
	if err != nil {
		t.Fatalf("create %s %s: %v", o.Kind, o.Metadata.Name, err)
	}
	return result
}

// dial connects to one server and no other, without a client's retries.
func dial(t testing.TB, c *servertest.Cluster, server string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+server, grpc.WithContextDialer(c.Dialer()), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// wantEqualStates waits until every running server has applied the same entries
// and fails unless they came to the same state.
func wantEqualStates(t testing.TB, c *servertest.Cluster) {
	t.Helper()
	leader := c.Leader()
	c.Until("every server has applied the same entries", func() bool {
		for _, s := range c.Servers() {
			if s.Machine().View().Token() != leader.Machine().View().Token() {
				return false
			}
		}
		return true
	})
	wantEqualDigests(t, c)
}

// wantEqualDigests compares what the servers remember of their states, index by
// index.
func wantEqualDigests(t testing.TB, c *servertest.Cluster) {
	t.Helper()
	common := 0
	known := map[uint64]fsm.Digest{}
	for _, s := range c.Servers() {
		for _, d := range s.Machine().Digests(0) {
			first, seen := known[d.Index]
			if !seen {
				known[d.Index] = d.Digest
				continue
			}
			common++
			if first != d.Digest {
				t.Errorf("%s differs from another server after index %d", s.Name(), d.Index)
			}
		}
	}
	if common == 0 {
		t.Error("no two servers remember a digest of one index")
	}
}

// names are the names of servers.
func names(servers []*server.Server) (out []string) {
	for _, s := range servers {
		out = append(out, s.Name())
	}
	return out
}

// without are the running servers but some.
func without(c *servertest.Cluster, out ...*server.Server) (rest []*server.Server) {
	for _, s := range c.Servers() {
		if !slices.Contains(out, s) {
			rest = append(rest, s)
		}
	}
	return rest
}
