package clustertest_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
)

// holderOf is who acts under a duty by the leader's word, and in which era.
func holderOf(t *testing.T, c *servertest.Cluster, k *client.Client, duty string) (name string, era uint64) {
	t.Helper()
	list, err := k.Tenures(t.Context(), client.OnEndpoint(c.Leader().Name()), client.WithoutSession())
	noError(t, err)
	for _, x := range list.Tenures {
		if x.Duty == duty && x.Current.Active() {
			return x.Current.HolderName, x.Current.Number
		}
	}
	return "", 0
}

// While duties move from server to server, callers go on, and no number comes twice
// or, of timestamps, goes back.
func TestNumbersAreTakenOnceWhileTheirDutiesMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		stop := make(chan struct{})
		var mu sync.Mutex
		var ids []uint64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				last := uint64(0)
				for {
					select {
					case <-stop:
						return
					case <-time.After(3 * time.Millisecond):
					}
					id, err := k.AllocIDs(t.Context(), 1)
					if err != nil {
						t.Error(err)
						return
					}
					at, err := k.Timestamps(t.Context(), 1)
					if err != nil {
						t.Error(err)
						return
					}
					if at.First <= last {
						t.Errorf("%d after %d", at.First, last)
					}
					last = at.First
					mu.Lock()
					ids = append(ids, id.First)
					mu.Unlock()
				}
			})
		}
		for _, to := range []string{c.Follower().Name(), c.Leader().Name(), c.Follower().Name()} {
			for _, duty := range []string{"ids", "tso"} {
				c.Until(duty+" is held", func() bool { name, _ := holderOf(t, c, k, duty); return name != "" })
				_, before := holderOf(t, c, k, duty)
				moved, err := k.TransferTenure(t.Context(), duty, to)
				noError(t, err)
				if x := moved.Tenure.Current; !x.Active() || x.HolderName != to || moved.SealedEra != before && x.Number != before {
					t.Errorf("%s to %s: era %d was sealed of %d, and then %+v", duty, to, moved.SealedEra, before, x)
				}
			}
			time.Sleep(100 * time.Millisecond)
		}
		close(stop)
		all.Wait()
		slices.Sort(ids)
		if n := len(slices.Compact(slices.Clone(ids))); n != len(ids) || n < 100 {
			t.Errorf("%d IDs, %d of them different: want each once, and many", len(ids), n)
		}
	})
}

// A transfer may be asked of any server, and asked again.
func TestATransferFindsTheHolderAndMayBeRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		to := c.Follower().Name()
		k := c.Client(t, to)
		c.Until("janitor is held", func() bool { name, _ := holderOf(t, c, k, "janitor"); return name != "" })
		first, err := k.TransferTenure(t.Context(), "janitor", to)
		noError(t, err)
		again, err := k.TransferTenure(t.Context(), "janitor", to)
		noError(t, err)
		// Whoever is asked may still see the era before, which was sealed for the same server.
		for began := time.Now(); again.SealedEra < first.Tenure.Current.Number && time.Since(began) < 5*time.Second; time.Sleep(10 * time.Millisecond) {
			again, err = k.TransferTenure(t.Context(), "janitor", to)
			noError(t, err)
		}
		if first.Tenure.Current.HolderName != to || again.SealedEra != first.Tenure.Current.Number || again.Tenure.Current.Number != again.SealedEra {
			t.Errorf("first %+v, again %+v: want %s to have it, and to keep it", first, again, to)
		}
		_, err = k.TransferTenure(t.Context(), "janitor", "nobody")
		wantReason(t, err, candor.ReasonNotAMember)
		_, err = k.TransferTenure(t.Context(), "cleaning", to)
		wantReason(t, err, candor.ReasonInvalid)
		_, err = k.TransferTenure(t.Context(), "control/web", to)
		wantReason(t, err, candor.ReasonInvalid)
	})
}

// A controller outside the servers goes through a tenure's whole life, and another
// takes over.
func TestAControllerHoldsATenure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		ana, eva := clientOf(t, c, "ana").Control("web"), clientOf(t, c, "eva").Control("web")
		ctx := t.Context()
		won, err := ana.Campaign(ctx, client.Candidate{Candidacy: "a1", Duration: 2 * time.Second})
		noError(t, err)
		x := won.Current
		if x.Holder != "client/ana" || x.Number != 1 || !x.Active() || won.Mandate != "FENCED" || ana.Duty() != "control/web" {
			t.Fatalf("won %+v", x)
		}
		again, err := ana.Campaign(ctx, client.Candidate{Candidacy: "a1", Duration: 2 * time.Second})
		noError(t, err)
		if again.Current.Number != 1 {
			t.Errorf("the repeat of a campaign won era %d", again.Current.Number)
		}
		bound := client.Frontiers{ID: 10, Transition: 4}
		_, err = ana.Reserve(ctx, 1, bound)
		noError(t, err)
		renewed, err := ana.Renew(ctx, 1)
		noError(t, err)
		if renewed.Current.Bound != bound || renewed.Current.RenewedUntil < x.RenewedUntil {
			t.Errorf("renewed %+v", renewed.Current)
		}
		usage := client.Frontiers{ID: 7, Transition: 4}
		sealed, err := ana.Seal(ctx, 1, usage, "client/eva")
		noError(t, err)
		if s := sealed.Current; s.State != "SEALED" || *s.Usage != usage || s.Sealing != "EXACT" || s.Successor != "client/eva" {
			t.Fatalf("sealed %+v", s)
		}
		_, err = eva.Campaign(ctx, client.Candidate{Candidacy: "e1", Expect: 1, Cite: sealed.Current.Seal, Duration: time.Second})
		wantReason(t, err, candor.ReasonLineageMismatch) // it covers not what was used
		taken, err := eva.Campaign(ctx, client.Candidate{Candidacy: "e1", Expect: 1, Cite: sealed.Current.Seal, Start: usage, Duration: time.Second})
		noError(t, err)
		if len(taken.Unfinished) != 1 || taken.Current.Lineage != sealed.Current.Seal {
			t.Errorf("taken %+v", taken)
		}
		_, err = ana.Renew(ctx, 1)
		wantReason(t, err, candor.ReasonEraStale)
		_, err = eva.Confirm(ctx, 2, 1, sealed.Current.Seal)
		noError(t, err)
		closed, err := eva.Close(ctx, 2, 1)
		noError(t, err)
		if len(closed.Unfinished) != 0 || closed.Finished.State != "CLOSED" {
			t.Errorf("closed %+v", closed)
		}
		released, err := eva.Release(ctx, 2, usage)
		noError(t, err)
		back, err := eva.Reattach(ctx, 2, released.Current.Seal, "e2")
		noError(t, err)
		if back.Current.Number != 3 || back.Finished.State != "REATTACHED" {
			t.Errorf("reattached %+v", back)
		}
		// Who campaigns for a duty that is held waits until it ends.
		began := time.Now()
		last, err := ana.Campaign(ctx, client.Candidate{Candidacy: "a2", Expect: 3, Duration: time.Second})
		noError(t, err)
		if took := time.Since(began); last.Current.Number != 4 || last.Unfinished[0].Sealing != "BOUND" || took < 500*time.Millisecond {
			t.Errorf("after %s: %+v", took, last)
		}
		_, err = clientOf(t, c, "anonymous").Control("web").Renew(ctx, 4)
		wantReason(t, err, candor.ReasonForbidden)
	})
}

func clientOf(t *testing.T, c *servertest.Cluster, actor string) *client.Client {
	t.Helper()
	k, err := client.New(client.Config{Endpoints: []string{c.Leader().Name()}, Actor: actor, Dialer: c.Dialer()})
	noError(t, err)
	t.Cleanup(func() { noError(t, k.Close()) })
	return k
}
