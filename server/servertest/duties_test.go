package servertest_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/replica"
	"github.com/candor-plane/candor/server/servertest"
)

const (
	janitorDuty, idsDuty, tsoDuty = tenure.DutyJanitor, tenure.DutyIDs, tenure.DutyTSO

	// slack is what a takeover may take beside what it waits for.
	slack = 200 * time.Millisecond
)

// allDuties are those that servers hold.
var allDuties = server.DutyNames()

// tenureLasts is how long a tenure lasts without renewal.
var tenureLasts = coordinator.Defaults().Duration

func dutyOf(t testing.TB, name string) tenure.Duty {
	t.Helper()
	duty, err := tenure.DutyOf(name)
	if err != nil {
		t.Fatal(err)
	}
	return duty
}

func holderOf(s *server.Server) string { return "server/" + s.ID() }

// lineage is a duty's by a server's view.
func lineage(t testing.TB, s *server.Server, duty string) tenure.Lineage {
	t.Helper()
	return s.Machine().View().Tenure(dutyOf(t, duty))
}

// renewed waits until a server's view shows that tenures have just been renewed.
func renewed(t testing.TB, c *servertest.Cluster, s *server.Server) {
	t.Helper()
	was := lineage(t, s, idsDuty).Current.RenewedUntil
	c.Until("tenures are renewed", func() bool { return lineage(t, s, idsDuty).Current.RenewedUntil != was })
}

// heldBy waits until a duty is active under a server by that server's view, with every
// handover before it finished, and returns the lineage.
func heldBy(t testing.TB, c *servertest.Cluster, duty string, s *server.Server) tenure.Lineage {
	t.Helper()
	var l tenure.Lineage
	c.Until(fmt.Sprintf("%s holds %s and owes nothing", s.Name(), duty), func() bool {
		l = lineage(t, s, duty)
		return l.Current.State == tenure.StateActive && l.Current.Holder == holderOf(s) && len(l.Unfinished) == 0
	})
	return l
}

// linked connects to a server, and connects again soon after it was away.
func linked(t testing.TB, c *servertest.Cluster, server string) *grpc.ClientConn {
	t.Helper()
	soon := backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.2, MaxDelay: 100 * time.Millisecond}
	conn, err := grpc.NewClient("passthrough:///"+server, grpc.WithContextDialer(c.Dialer()), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: soon, MinConnectTimeout: time.Second}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// move has the holder of a duty hand it to another, as an operator does.
func move(t testing.TB, c *servertest.Cluster, duty string, from, to *server.Server) *candorv1.TransferTenureResponse {
	t.Helper()
	ctx, cancel := within(5 * time.Second)
	defer cancel()
	answer, err := candorv1.NewTenureServiceClient(dial(t, c, from.Name())).TransferTenure(ctx, &candorv1.TransferTenureRequest{Duty: duty, Server: to.Name()})
	if err != nil {
		t.Fatalf("move %s from %s to %s: %v", duty, from.Name(), to.Name(), convert.ErrorFromStatus(err))
	}
	return answer
}

// propose puts a command through the root by way of a server.
func propose(ctx context.Context, s *server.Server, c *command.Command) (fsm.Result, error) {
	result, err := s.Replica().Propose(ctx, replica.Proposal{Command: command.AppendCommand(nil, c)})
	if err == nil {
		err = result.Err()
	}
	return result, err
}

// versions are what a duty's object said, oldest first, by a server's view.
func versions(t testing.TB, s *server.Server, duty string) (out []tenure.Lineage) {
	t.Helper()
	s.Machine().View().Chain(candor.Ref{Kind: candor.KindTenures, Name: dutyOf(t, duty).ObjectName()}, func(v *mvcc.Version) bool {
		o, err := v.Object()
		if err != nil {
			t.Fatal(err)
		}
		l, bad := tenure.ReadStatus(o.Status)
		if bad != nil {
			t.Fatal(bad)
		}
		out = append(out, l)
		return true
	})
	slices.Reverse(out)
	return out
}

// wantSoundTenures waits until every handover is over, and wants every chain of eras to
// be unbroken, as the objects show it, no invariant to have blocked a turn, and one
// state everywhere.
func wantSoundTenures(t testing.TB, c *servertest.Cluster) {
	t.Helper()
	began := time.Now()
	for _, duty := range allDuties {
		c.Until("every handover of "+duty+" is over", func() bool {
			l := lineage(t, c.Leader(), duty)
			return l.Current.State == tenure.StateActive && len(l.Unfinished) == 0
		})
	}
	if took := time.Since(began); took > 2*tenureLasts+time.Second {
		t.Errorf("handovers were over after %s", took)
	}
	wantEqualStates(t, c)
	for _, s := range c.Servers() {
		for _, duty := range allDuties {
			chain := versions(t, s, duty)
			if v := tenure.Audit(chain); v != nil || len(chain) == 0 {
				t.Errorf("%s of %d versions: %v", s.Name(), len(chain), v)
			}
		}
		if n := s.Machine().View().Stats().Violations; n != 0 {
			t.Errorf("%s: invariants blocked %d turns: %+v", s.Name(), n, s.Machine().View().Records())
		}
	}
}

// sightings are when things were first seen, by the views of some servers.
type sightings struct {
	mu     sync.Mutex
	active map[string]map[uint64]time.Time // by duty and era
	led    map[uint64]time.Time            // by term
}

// look begins to watch the servers, until the test ends.
func look(t testing.TB, servers ...*server.Server) *sightings {
	s := &sightings{active: map[string]map[uint64]time.Time{}, led: map[uint64]time.Time{}}
	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() {
		for ; ctx.Err() == nil; time.Sleep(time.Millisecond) {
			for _, one := range servers {
				s.see(one)
			}
		}
	})
	t.Cleanup(func() {
		stop()
		wait.Wait()
	})
	return s
}

func (s *sightings) see(one *server.Server) {
	view, status := one.Machine().View(), one.Replica().Status()
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, seen := s.led[status.Term]; status.Leading && !seen {
		s.led[status.Term] = time.Now()
	}
	for _, l := range view.Tenures() {
		if s.active[l.Duty.Name] == nil {
			s.active[l.Duty.Name] = map[uint64]time.Time{}
		}
		if _, seen := s.active[l.Duty.Name][l.Current.Number]; !seen && l.Current.State == tenure.StateActive {
			s.active[l.Duty.Name][l.Current.Number] = time.Now()
		}
	}
}

// era is when an era was active first; it waits a little for one that is not yet.
func (s *sightings) era(t testing.TB, duty string, era uint64) time.Time {
	t.Helper()
	for range 20 {
		s.mu.Lock()
		at, seen := s.active[duty][era]
		s.mu.Unlock()
		if seen {
			return at
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("era %d of %s was never seen", era, duty)
	return time.Time{}
}

// ledAfter is when somebody began to lead, the first time after an instant.
func (s *sightings) ledAfter(t testing.TB, instant time.Time) time.Time {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var first time.Time
	for _, at := range s.led {
		if at.After(instant) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if first.IsZero() {
		t.Fatal("nobody led")
	}
	return first
}
