package gossip

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	candor "github.com/candor-plane/candor"
)

func TestThreeServersFindEachOtherFromOneSeed(t *testing.T) {
	n1, _ := startLoopback(t, identity(1))
	n2, _ := startLoopback(t, identity(2), n1.Addr())
	n3, _ := startLoopback(t, identity(3), n1.Addr())
	eventually(t, 10*time.Second, "all together", func() bool { return together(n1, n2, n3) })
	for _, g := range []*Gossip{n1, n2, n3} {
		members := g.Members()
		if len(members) != 3 || members[0].Name != "n1" || members[1].Name != "n2" || members[2].Name != "n3" {
			t.Errorf("members of %s:\n%s", g.cfg.Identity.Name, describe(g))
		}
	}
	m, ok := n2.Lookup(serverID(3))
	if !ok || m.Addr != n3.Addr() || m.APIAddr != "127.0.0.1:7003" || m.RaftAddr != "127.0.0.1:7103" ||
		m.DebugAddr != "127.0.0.1:7203" || m.FeatureLevel != 1 || m.Version != "v0.1.0" {
		t.Errorf("n2 knows n3 as %+v", m)
	}
	eventually(t, 10*time.Second, "n2 heard n3", func() bool {
		m, _ := n2.Lookup(serverID(3))
		return !m.HeardAt.IsZero() && m.RTT > 0
	})
}

func TestHintsTravelAndArriveAsEvents(t *testing.T) {
	n1, _ := startLoopback(t, identity(1))
	n2, _ := startLoopback(t, identity(2), n1.Addr())
	eventually(t, 10*time.Second, "both together", func() bool { return together(n1, n2) })
	events := n2.Subscribe(16)
	defer events.Close()

	want := Hints{LeaderID: serverID(1), Term: 3, Applied: 99, Voter: true, Mode: "HEALTHY"}
	if err := n1.Update(want); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "n2 has the hints of n1", func() bool {
		m, _ := n2.Lookup(serverID(1))
		return m.Hints == want
	})
	self, _ := n1.Lookup(serverID(1))
	if self.Hints != want || !self.Self {
		t.Errorf("n1 shows itself as %+v", self)
	}
	timeout := time.After(10 * time.Second)
	for {
		select {
		case e := <-events.C():
			if e.Member.ServerID == serverID(1) && e.Member.Hints == want && e.Was == StateAlive {
				return
			}
		case <-timeout:
			t.Fatal("no event brought the hints")
		}
	}
}

func TestAServerOfAnotherClusterIsRefusedAndBothSidesSayWhy(t *testing.T) {
	home, homeLog := startLoopback(t, identity(1))
	id := identity(2)
	id.ClusterID = "another-cluster"
	stranger, strangerLog := startLoopback(t, id, home.Addr())

	eventually(t, 10*time.Second, "both refused", func() bool {
		return home.Stats().Refused[candor.ReasonClusterMismatch] > 1 && stranger.Stats().Refused[candor.ReasonClusterMismatch] > 1
	})
	for _, side := range []struct {
		name           string
		g              *Gossip
		log            *logBuffer
		theirs, mine   string
		refusedID      string
		refusedAddress string
	}{
		{"home", home, homeLog, "another-cluster", testCluster, serverID(2), stranger.Addr()},
		{"stranger", stranger, strangerLog, testCluster, "another-cluster", serverID(1), home.Addr()},
	} {
		if got := len(side.g.Members()); got != 1 {
			t.Errorf("%s lists %d members, want itself only:\n%s", side.name, got, describe(side.g))
		}
		refusals := side.g.Stats().Refusals
		if len(refusals) != 1 || refusals[0].ClusterID != side.theirs || refusals[0].ServerID != side.refusedID ||
			refusals[0].Addr != side.refusedAddress || refusals[0].Reason != candor.ReasonClusterMismatch {
			t.Errorf("%s remembers %+v", side.name, refusals)
		}
		lines := side.log.lines("refused a peer")
		if len(lines) != 1 {
			t.Fatalf("%s logged %d lines, want 1: %v", side.name, len(lines), lines)
		}
		for _, want := range []string{"CLUSTER_MISMATCH", "its_cluster=" + side.theirs, "this_cluster=" + side.mine} {
			if !strings.Contains(lines[0], want) {
				t.Errorf("%s: %q does not say %s", side.name, lines[0], want)
			}
		}
	}
}

func TestServersWithoutTheKeyAreNotHeard(t *testing.T) {
	key := NewKey()
	encrypted := func(n int, seeds ...string) *Gossip {
		logger, _ := testLogger()
		return start(t, Config{
			Identity: identity(n), BindAddr: "127.0.0.1", Seeds: seeds, Logger: logger, Profile: quickProfile(), Keyring: openKeyring(t, key),
		})
	}
	n1 := encrypted(1)
	n2 := encrypted(2, n1.Addr())
	plain, _ := startLoopback(t, identity(3), n1.Addr())
	eventually(t, 10*time.Second, "holders of the key together, and the other refused", func() bool {
		return together(n1, n2) && plain.Stats().JoinFailures > 1
	})
	if _, ok := n1.Lookup(serverID(3)); ok || len(plain.Members()) != 1 {
		t.Errorf("a server without the key came in:\n%s", describe(n1))
	}
}

// blockedSink is a log that takes nothing until it is released.
type blockedSink struct{ release chan struct{} }

func (s blockedSink) Write(p []byte) (int, error) {
	<-s.release
	return len(p), nil
}

// In real time: a goroutine that waits for the logger's lock holds up a bubble.
func TestALogSinkThatBlocksDoesNotMakeTheServerSilent(t *testing.T) {
	n2, _ := startLoopback(t, identity(2))
	n3, _ := startLoopback(t, identity(3), n2.Addr())
	sink := blockedSink{release: make(chan struct{})}
	started := make(chan *Gossip, 1)
	go func() {
		g, err := Start(t.Context(), Config{
			Identity: identity(1), BindAddr: "127.0.0.1", Seeds: []string{n2.Addr()}, Profile: quickProfile(), QueueSize: 1,
			Logger: hclog.New(&hclog.LoggerOptions{Output: sink, Level: hclog.Debug}),
		})
		if err != nil {
			t.Error(err)
		}
		started <- g
	}()
	eventually(t, 10*time.Second, "n2 and n3 see n1", func() bool { return sees(n2, 1, StateAlive) && sees(n3, 1, StateAlive) })
	first, _ := n2.Lookup(serverID(1))
	for n := 4; n <= 6; n++ {
		id := identity(n)
		id.ClusterID = "another-cluster"
		startLoopback(t, id, first.Addr)
	}
	eventually(t, 20*time.Second, "n1 still answers after three seconds", func() bool {
		m, _ := n2.Lookup(serverID(1))
		return m.HeardAt.Sub(first.Since) > 3*time.Second
	})
	close(sink.release)
	n1 := <-started
	eventually(t, 10*time.Second, "n1 catches up", func() bool { return together(n1, n2, n3) })
	if s := n1.Stats(); s.QueueDrops == 0 || s.LogDrops == 0 {
		t.Errorf("a full queue and a full log were not counted: %+v", s)
	}
	if err := n1.Close(); err != nil {
		t.Error(err)
	}
}

func TestAnAddressInUseIsRefusedByName(t *testing.T) {
	n1, _ := startLoopback(t, identity(1))
	addr, err := net.ResolveTCPAddr("tcp", n1.Addr())
	if err != nil {
		t.Fatal(err)
	}
	logger, _ := testLogger()
	_, err = Start(t.Context(), Config{Identity: identity(2), BindAddr: "127.0.0.1", BindPort: addr.Port, Logger: logger})
	if candor.ReasonOf(err) != candor.ReasonAddressInUse || !strings.Contains(err.Error(), n1.Addr()) {
		t.Fatalf("error %v, want %s naming %s", err, candor.ReasonAddressInUse, n1.Addr())
	}
}

func TestStartRefusesWhatCannotWork(t *testing.T) {
	logger, _ := testLogger()
	for name, change := range map[string]func(*Config){
		"no logger":             func(c *Config) { c.Logger = nil },
		"name for an address":   func(c *Config) { c.BindAddr = "localhost" },
		"every interface":       func(c *Config) { c.BindAddr = "0.0.0.0"; c.Insecure = true },
		"plaintext on a net":    func(c *Config) { c.BindAddr = "10.0.0.1" },
		"advertised name":       func(c *Config) { c.AdvertiseAddr = "localhost" },
		"port":                  func(c *Config) { c.BindPort = 65536 },
		"seed without port":     func(c *Config) { c.Seeds = []string{"127.0.0.1"} },
		"seed with port 0":      func(c *Config) { c.Seeds = []string{"127.0.0.1:0"} },
		"queue size":            func(c *Config) { c.QueueSize = -1 },
		"identity":              func(c *Config) { c.Identity.ServerID = "n1" },
		"hints":                 func(c *Config) { c.Hints.LeaderID = "n1" },
		"half a profile":        func(c *Config) { c.Profile.ProbeInterval = time.Second },
		"probe longer than gap": func(c *Config) { c.Profile = quickProfile(); c.Profile.ProbeTimeout = time.Second },
	} {
		cfg := Config{Identity: identity(1), BindAddr: "127.0.0.1", Logger: logger}
		change(&cfg)
		g, err := Start(t.Context(), cfg)
		if candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("%s: error %v, want %s", name, err, candor.ReasonInvalid)
		}
		if g != nil {
			_ = g.Close()
		}
	}
}

func TestUpdateRefusesHintsThatCannotBeAnnounced(t *testing.T) {
	n1, _ := startLoopback(t, identity(1))
	if err := n1.Update(Hints{LeaderID: "n2"}); candor.ReasonOf(err) != candor.ReasonInvalid {
		t.Fatalf("error %v, want %s", err, candor.ReasonInvalid)
	}
	if n1.Stats().HintUpdates != 0 {
		t.Error("refused hints were taken")
	}
}
