package servertest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
)

func namespace(name string) *candor.Object {
	return &candor.Object{APIVersion: "candor/v1", Kind: "Namespace", Metadata: candor.Metadata{Name: name}, Spec: []byte("{}")}
}

func refOf(name string) candor.Ref { return candor.Ref{Kind: candor.KindNamespaces, Name: name} }

func within(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}

func mustCreate(t testing.TB, k *client.Client, name string) client.Result {
	t.Helper()
	ctx, cancel := within(20 * time.Second)
	defer cancel()
	result, err := k.Create(ctx, namespace(name))
	if err != nil {
		t.Fatalf("create %s: %v", name, err)
	}
	return result
}

func wantReason(t testing.TB, err error, want ...candor.Reason) {
	t.Helper()
	for _, reason := range want {
		if candor.ReasonOf(err) == reason {
			return
		}
	}
	t.Fatalf("error %v: want one of %v", err, want)
}

// TestALeaderThatDiesIsReplacedAndNothingAcknowledgedIsLost kills leader after
// leader of a five-server cluster.
func TestALeaderThatDiesIsReplacedAndNothingAcknowledgedIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithServers(5))
		k := c.Client(t)
		mustCreate(t, k, "before")
		for _, name := range []string{"after-one", "after-two"} {
			c.Kill(c.Leader().Name())
			mustCreate(t, k, name)
		}
		for _, name := range []string{"before", "after-one", "after-two"} {
			if _, w, err := k.Get(t.Context(), refOf(name)); err != nil || w.Served != candor.FreshnessStrong {
				t.Errorf("%s: %v, served %s", name, err, w.Served)
			}
		}
	})
}
