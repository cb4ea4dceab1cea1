package integration

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/coordinator/allocator"
	"github.com/candor-plane/candor/fsm/tenure"
)

// TestAWallClockThatJumpsDecidesNothing: an hour forward and back, under load, of the
// leader, which holds timestamps, and of a follower, which holds IDs; then of both that
// are left when the leader is killed. No tenure is lost by it, no timestamp leaps, and
// what a request did is remembered as long as before.
func TestAWallClockThatJumpsDecidesNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	f := failingCluster(ctx, t)
	leader := f.leader(ctx, f.k)
	follower := f.next(leader, 0)
	for duty, p := range map[string]*process{tenure.DutyTSO: leader, tenure.DutyIDs: follower} {
		if f.settled(ctx, duty) != p {
			f.move(ctx, duty, p)
		}
	}
	f.recovers(ctx)
	once := create(ctx, t, f.k, "once")
	eras := func() (out []uint64) {
		for _, duty := range []string{tenure.DutyIDs, tenure.DutyTSO, tenure.DutyJanitor, tenure.DutyTopology} {
			all := f.lineages(ctx, duty)
			out = append(out, all[len(all)-1].Current.Number)
		}
		return out
	}
	terms := func() uint64 {
		status, err := f.k.Cluster().Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return status.Term
	}
	were, term := eras(), terms()
	began, first := time.Now(), f.newestTimestamp()
	for _, p := range []*process{leader, follower} {
		for i, by := range []time.Duration{time.Hour, -time.Hour, 0} {
			f.shifts(ctx, p, by)
			for _, duty := range []string{tenure.DutyIDs, tenure.DutyTSO} {
				f.first(ctx, duty, "", time.Now())
			}
			create(ctx, t, f.k, fmt.Sprintf("%s-%d", p.name, i))
			if again := create(ctx, t, f.k, "once"); again != once {
				t.Errorf("%s shifted by %s: a request that was repeated did it again, at %d and %d", p.name, by, once, again)
			}
			pass(ctx, t, 1600*time.Millisecond) // a tenure, and a little
		}
	}
	switch now, elected := eras(), terms(); {
	case elected != term:
		// A machine that starves the leader has another elected, whatever its clock says.
		t.Logf("INCONCLUSIVE: term %d began after %d, so eras are not compared: %v and %v", elected, term, now, were)
	case !slices.Equal(now, were):
		t.Errorf("eras %v, and %v before the clocks jumped", now, were)
	}
	if passed, counted := time.Since(began), f.newestTimestamp()-first; (counted - passed).Abs() > 3*time.Second {
		t.Errorf("timestamps moved by %s in %s", counted, passed)
	}
	f.shifts(ctx, f.next(leader, 0), time.Hour)
	f.shifts(ctx, f.next(leader, 1), -time.Hour)
	killed := time.Now()
	leader.kill()
	t.Logf("timestamps of another after %s", f.first(ctx, tenure.DutyTSO, f.holders[leader], killed).Round(time.Millisecond))
	leader.begin(t)
	f.answers(ctx, f.k, leader)
	if again := create(ctx, t, f.k, "once"); again != once {
		t.Errorf("a request that was repeated did it again, at %d and %d", once, again)
	}
	if passed, counted := time.Since(began), f.newestTimestamp()-first; (counted - passed).Abs() > 5*time.Second {
		t.Errorf("timestamps moved by %s in %s", counted, passed)
	}
	f.verdict(ctx, 1)
}

// shifts has the wall clock of a server jump, and waits until it shows: a shift that
// nobody sees ends the test.
func (f *failing) shifts(ctx context.Context, p *process, by time.Duration) {
	f.t.Helper()
	tell(f.t, p.data+".clock", by.String())
	until(ctx, f.t, fmt.Sprintf("INCONCLUSIVE: the clock of %s to be shifted by %s", p.name, by), func() bool {
		status, err := f.k.Cluster().Status(ctx, client.OnEndpoint(p.api))
		return err == nil && (time.Until(status.Witness.ViewUpdatedAt)-by).Abs() < time.Minute
	})
}

// newestTimestamp is the cluster time of the newest one that was handed out.
func (f *failing) newestTimestamp() time.Duration {
	f.t.Helper()
	answers := f.of(tenure.DutyTSO)
	if len(answers) == 0 {
		f.t.Fatal("INCONCLUSIVE: no timestamp was handed out")
	}
	var newest uint64
	for _, a := range answers {
		newest = max(newest, a.Last())
	}
	told, _ := allocator.Split(newest)
	return told
}
