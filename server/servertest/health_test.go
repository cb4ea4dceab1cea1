package servertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// writable asks each server's health service whether a write that comes to it
// can be expected to be done.
func writable(t *testing.T, c *servertest.Cluster) func(name string) bool {
	services := map[string]healthv1.HealthClient{}
	for _, s := range c.Servers() {
		connection, err := grpc.NewClient("passthrough:///"+s.Name(), grpc.WithContextDialer(c.Dialer()), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = connection.Close() })
		services[s.Name()] = healthv1.NewHealthClient(connection)
	}
	return func(name string) bool {
		ctx, cancel := within(time.Second)
		defer cancel()
		out, err := services[name].Check(ctx, &healthv1.HealthCheckRequest{Service: "candor.write"})
		if err != nil {
			t.Fatalf("health of %s: %v", name, err)
		}
		return out.GetStatus() == healthv1.HealthCheckResponse_SERVING
	}
}

func TestWritesAreHealthyOnlyWhereAQuorumWasConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		healthy := writable(t, c)
		all := func(want bool, names ...string) func() bool {
			return func() bool {
				for _, name := range names {
					if healthy(name) != want {
						return false
					}
				}
				return true
			}
		}
		c.Until("writes are healthy everywhere", all(true, "n1", "n2", "n3"))
		// A cluster where nothing happens stays so.
		for range 40 {
			time.Sleep(250 * time.Millisecond)
			if !all(true, "n1", "n2", "n3")() {
				t.Fatal("writes are not healthy on an idle cluster")
			}
		}

		// A follower that hears its leader, and cannot reach it: what is sent to it
		// would not be forwarded.
		leader, deaf := c.Leader(), c.Follower()
		c.Cut(deaf.Name(), leader.Name())
		c.Until("a follower that cannot forward says so", all(false, deaf.Name()))
		c.Heal()
		c.Until("and is healthy again", all(true, "n1", "n2", "n3"))

		old := c.Leader()
		c.Isolate(old.Name())
		c.Until("an isolated leader says so", all(false, old.Name()))
		next := c.Leader(old.Name())
		var others []string
		for _, s := range c.Servers() {
			if s != old {
				others = append(others, s.Name())
			}
		}
		c.Until("the others are healthy with "+next.Name(), all(true, others...))
		c.Heal()
		c.Until("all are healthy again", all(true, "n1", "n2", "n3"))

		c.Kill(c.Follower().Name())
		c.Kill(c.Follower().Name())
		last := c.Servers()[0]
		c.Until("without a majority no write is healthy", all(false, last.Name()))
	})
}

// rounds is how often the leader of an idle cluster had its leadership confirmed
// in half a minute. It fails if asking wrote anything to the log.
func rounds(t *testing.T, c *servertest.Cluster) uint64 {
	healthy := writable(t, c)
	c.Until("writes are healthy everywhere", func() bool { return healthy("n1") && healthy("n2") && healthy("n3") })
	leader := c.Leader().Replica()
	before := leader.Status()
	time.Sleep(30 * time.Second)
	after := leader.Status()
	if after.LastIndex != before.LastIndex {
		t.Errorf("asking wrote %d entries to the log", after.LastIndex-before.LastIndex)
	}
	return after.ConfirmRounds - before.ConfirmRounds
}

// TestHealthAsksSeldom: on an idle cluster where nobody asks for proofs, health's
// is renewed about once a second by each server, and they share rounds.
func TestHealthAsksSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithDuties(), servertest.WithFreshness(func(f *server.Freshness) {
			f.Beacon, f.Policy.FreshAge, f.Policy.Window = time.Hour, 2*time.Hour, 3*time.Hour
		}))
		if n := rounds(t, c); n < 10 || n > 90 {
			t.Errorf("%d rounds in 30 s of rest, want at most 3 a second", n)
		}
	})
}

// TestBeaconsAskNoMoreThanTheirIntervalAllows: each server's once in a tenth of a
// second, and health's questions come on top.
func TestBeaconsAskNoMoreThanTheirIntervalAllows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithDuties())
		if n := rounds(t, c); n < 100 || n > 3*300+90 {
			t.Errorf("%d rounds in 30 s of rest, want 10 a second for each of 3 servers at most, and health's", n)
		}
		for _, s := range c.Servers() {
			if asked := readerOf(t, c, s).freshness(t).GetProbes(); asked < 100 || asked > 450 {
				t.Errorf("%s asked %d times in half a minute and a little", s.Name(), asked)
			}
		}
	})
}
