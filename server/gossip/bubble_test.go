package gossip

import (
	"bytes"
	"fmt"
	"runtime/pprof"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor/server/gossip/gossiptest"
)

// These tests run whole clusters with the default profile in virtual time.

func startThree(t *testing.T, network *gossiptest.Network) (n1, n2, n3 *Gossip) {
	t.Helper()
	n1, _ = startIn(t, network, identity(1))
	n2, _ = startIn(t, network, identity(2), n1.Addr())
	n3, _ = startIn(t, network, identity(3), n1.Addr())
	eventually(t, 30*time.Second, "all three together", func() bool { return together(n1, n2, n3) })
	return n1, n2, n3
}

func TestHintsAreAnnouncedOncePerSecondUnlessTheLeaderChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := gossiptest.NewNetwork()
		n1, n2, _ := startThree(t, network)
		before := n1.Stats()
		for i := range 10_000 {
			if err := n1.Update(Hints{LeaderID: serverID(1), Term: 1, Applied: uint64(i + 1)}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		after := n1.Stats()
		published, asked := after.HintsPublished-before.HintsPublished, after.HintUpdates-before.HintUpdates
		if asked != 10_000 || published < 10 || published > 13 {
			t.Errorf("%d updates in 10 s made %d announcements, want 10 to 13", asked, published)
		}
		if m, _ := n2.Lookup(serverID(1)); m.Applied != 10_000 {
			t.Errorf("n2 knows applied %d, want the last value 10000", m.Applied)
		}

		if err := n1.Update(Hints{LeaderID: serverID(1), Term: 1, Applied: 10_001}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		changed := time.Now()
		if err := n1.Update(Hints{LeaderID: serverID(2), Term: 2, Applied: 10_002}); err != nil {
			t.Fatal(err)
		}
		eventually(t, time.Second, "n2 knows the new leader", func() bool {
			m, _ := n2.Lookup(serverID(1))
			return m.LeaderID == serverID(2) && m.Applied == 10_002
		})
		if took := time.Since(changed); took > 500*time.Millisecond {
			t.Errorf("a new leader took %v to be known, want less than the hint interval", took)
		}
	})
}

func TestACrashedServerIsSuspectThenDeadInTheDocumentedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := gossiptest.NewNetwork()
		n1, n2, n3 := startThree(t, network)
		time.Sleep(20 * time.Second)
		crashed := time.Now()
		if err := n3.Abort(); err != nil {
			t.Fatal(err)
		}
		eventually(t, 10*time.Second, "suspect", func() bool { return sees(n1, 3, StateSuspect) && sees(n2, 3, StateSuspect) })
		suspect := time.Since(crashed)
		eventually(t, 10*time.Second, "dead", func() bool { return sees(n1, 3, StateDead) && sees(n2, 3, StateDead) })
		dead := time.Since(crashed)
		if suspect > 5*time.Second || dead > 8*time.Second {
			t.Errorf("suspect after %v, dead after %v; the profile says 5 s and 8 s at most", suspect, dead)
		}
		if sees(n1, 1, StateDead) || !sees(n1, 2, StateAlive) {
			t.Errorf("the others suffered:\n%s", describe(n1))
		}
	})
}

// A server that answers nobody is suspect only with those that cannot reach it.
func TestASilentLinkMakesAServerSuspectOnOneSideAndNotDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := gossiptest.NewNetwork()
		n1, n2, n3 := startThree(t, network)
		heal := network.Split(n1.Addr(), n3.Addr())
		eventually(t, 10*time.Second, "n1 suspects n3", func() bool { return sees(n1, 3, StateSuspect) })
		for range 60 {
			time.Sleep(time.Second)
			if sees(n1, 3, StateDead) || !sees(n2, 3, StateAlive) {
				t.Fatalf("n3 was given up though n2 reaches it:\n%s", describe(n1))
			}
		}
		heal()
		eventually(t, 10*time.Second, "n1 hears n3 again", func() bool { return sees(n1, 3, StateAlive) })
	})
}

func TestAServerThatSaysGoodbyeHasLeftAndComesBackWithoutSeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := gossiptest.NewNetwork()
		n1, n2, n3 := startThree(t, network)
		addr := n1.Addr()
		events := n2.Subscribe(64)
		closing := time.Now()
		if err := n1.Close(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(closing); took > 2*time.Second {
			t.Errorf("Close took %v", took)
		}
		eventually(t, time.Second, "n1 has LEFT for both", func() bool { return sees(n2, 1, StateLeft) && sees(n3, 1, StateLeft) })
		events.Close()
		for e := range events.C() {
			if e.Member.State == StateDead {
				t.Errorf("a goodbye was taken for a death: %+v", e)
			}
		}

		transport, err := network.ListenAt(addr)
		if err != nil {
			t.Fatal(err)
		}
		id := identity(1)
		id.BootID = "boot-1-2"
		logger, _ := testLogger()
		again := start(t, Config{Identity: id, Transport: transport, Logger: logger})
		eventually(t, 20*time.Second, "together again", func() bool { return together(again, n2, n3) })
		if m, _ := n2.Lookup(serverID(1)); m.BootID != "boot-1-2" || m.Leaving {
			t.Errorf("n2 knows n1 as %+v", m)
		}
	})
}

func TestAServerThatLeftMayReturnAtAnotherAddressAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := gossiptest.NewNetwork()
		n1, n2, n3 := startThree(t, network)
		if err := n3.Close(); err != nil {
			t.Fatal(err)
		}
		id := identity(3)
		id.BootID = "boot-3-2"
		again, _ := startIn(t, network, id, n1.Addr())
		eventually(t, 3*time.Second, "n3 is known at its new address", func() bool {
			a, _ := n1.Lookup(serverID(3))
			b, _ := n2.Lookup(serverID(3))
			return a.State == StateAlive && a.Addr == again.Addr() && b.State == StateAlive && b.Addr == again.Addr()
		})
		if len(n1.Conflicts())+len(n2.Conflicts()) != 0 {
			t.Errorf("conflicts %+v %+v", n1.Conflicts(), n2.Conflicts())
		}
	})
}

// The server itself keeps asking until its death at the old address is noticed:
// the periodic exchange, which would also heal it, is out of the way here.
func TestAServerThatMovedAsksUntilItsPeersAcceptIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := gossiptest.NewNetwork()
		begin := func(n int, boot string, seeds ...string) *Gossip {
			id, profile := identity(n), DefaultProfile()
			id.BootID, profile.PushPullInterval = boot, time.Hour
			logger, _ := testLogger()
			return start(t, Config{Identity: id, Transport: network.Listen(), Seeds: seeds, Logger: logger, Profile: profile})
		}
		n1 := begin(1, "boot-1-1")
		n2 := begin(2, "boot-2-1", n1.Addr())
		n3 := begin(3, "boot-3-1", n1.Addr())
		eventually(t, 30*time.Second, "all three together", func() bool { return together(n1, n2, n3) })
		if err := n3.Abort(); err != nil {
			t.Fatal(err)
		}
		again := begin(3, "boot-3-2", n1.Addr())
		eventually(t, time.Second, "the conflict shows", func() bool { return len(n1.Conflicts()) == 1 && len(again.Conflicts()) == 1 })
		eventually(t, 20*time.Second, "n3 is accepted at its new address", func() bool {
			a, _ := n1.Lookup(serverID(3))
			b, _ := n2.Lookup(serverID(3))
			return a.State == StateAlive && a.Addr == again.Addr() && b.State == StateAlive && b.Addr == again.Addr()
		})
	})
}

// Long after the library has dropped the dead, halves still look for each other.
func TestHalvesOfALongSplitFindEachOtherAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := gossiptest.NewNetwork()
		n1, n2, n3 := startThree(t, network)
		heal12, heal13 := network.Split(n1.Addr(), n2.Addr()), network.Split(n1.Addr(), n3.Addr())
		time.Sleep(10 * time.Minute)
		if !sees(n1, 2, StateDead) || !sees(n1, 3, StateDead) || !sees(n2, 1, StateDead) || !sees(n3, 1, StateDead) {
			t.Fatalf("the split was not noticed:\n%s\n%s\n%s", describe(n1), describe(n2), describe(n3))
		}
		if !sees(n2, 3, StateAlive) {
			t.Fatal("the greater half fell apart")
		}
		heal12()
		heal13()
		eventually(t, 20*time.Second, "together again", func() bool { return together(n1, n2, n3) })
	})
}

func TestTwoLiveServersWithOneIDAreProvenWithBothAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := gossiptest.NewNetwork()
		n1, n2, n3 := startThree(t, network)
		events := n1.Subscribe(64)
		twin := identity(2)
		twin.BootID = "boot-twin"
		second, _ := startIn(t, network, twin, n1.Addr())

		proven := func(g *Gossip) bool {
			for _, c := range g.Conflicts() {
				if c.ServerID == serverID(2) && c.Duplicate() {
					return true
				}
			}
			return false
		}
		eventually(t, 20*time.Second, "n1, n3 and the twin have proof", func() bool { return proven(n1) && proven(n3) && proven(second) })
		c := n1.Conflicts()[0]
		if c.Existing.Addr != n2.Addr() || c.Other.Addr != second.Addr() || c.Existing.BootID != "boot-2-1" || c.Other.BootID != "boot-twin" {
			t.Errorf("n1 reports %+v", c)
		}
		if m, _ := n1.Lookup(serverID(2)); m.Addr != n2.Addr() || m.State != StateAlive {
			t.Errorf("the first holder of the ID lost it: %+v", m)
		}
		events.Close()
		reports := 0
		for e := range events.C() {
			if e.Conflict != nil && e.Conflict.Duplicate() {
				reports++
			}
		}
		if reports != 1 {
			t.Errorf("%d events report the proof, want 1", reports)
		}
		if err := second.Abort(); err != nil {
			t.Fatal(err)
		}
		eventually(t, 2*time.Minute, "the conflict ends with the twin", func() bool { return len(n1.Conflicts()) == 0 && len(n3.Conflicts()) == 0 })
	})
}

func TestAForgottenServerIsNeitherListedNorSearchedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := gossiptest.NewNetwork()
		n1, n2, n3 := startThree(t, network)
		if n1.Forget(serverID(3)) {
			t.Error("a live server was forgotten")
		}
		if err := n3.Abort(); err != nil {
			t.Fatal(err)
		}
		eventually(t, 10*time.Second, "dead", func() bool { return sees(n1, 3, StateDead) && sees(n2, 3, StateDead) })
		searching := n1.Stats().JoinAttempts
		time.Sleep(time.Minute)
		if n1.Stats().JoinAttempts == searching {
			t.Error("a lost server is not searched for")
		}
		if !n1.Forget(serverID(3)) || !n2.Forget(serverID(3)) {
			t.Error("a dead server was not forgotten")
		}
		time.Sleep(time.Minute)
		settled := n1.Stats().JoinAttempts
		time.Sleep(time.Minute)
		if _, ok := n1.Lookup(serverID(3)); ok || n1.Stats().JoinAttempts != settled {
			t.Errorf("still listed or searched for:\n%s", describe(n1))
		}
		n1.Expect(2)
		time.Sleep(time.Minute)
		if n1.Stats().JoinAttempts != settled {
			t.Error("joined without any address to try")
		}
	})
}

// The same seed list everywhere is how clusters are configured.
func TestASeedListThatNamesThisServerTooIsSatisfied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := gossiptest.NewNetwork()
		transports := []*gossiptest.Transport{network.Listen(), network.Listen(), network.Listen()}
		var seeds []string
		for _, transport := range transports {
			seeds = append(seeds, transport.Addr())
		}
		var nodes []*Gossip
		for i, transport := range transports {
			logger, _ := testLogger()
			nodes = append(nodes, start(t, Config{Identity: identity(i + 1), Transport: transport, Seeds: seeds, Logger: logger}))
		}
		eventually(t, 30*time.Second, "all together", func() bool { return together(nodes...) })
		time.Sleep(10 * time.Second)
		settled := nodes[0].Stats()
		time.Sleep(time.Minute)
		if now := nodes[0].Stats(); now.JoinAttempts != settled.JoinAttempts || now.JoinFailures != settled.JoinFailures {
			t.Errorf("still joining with everybody there: %d attempts, then %d", settled.JoinAttempts, now.JoinAttempts)
		}
	})
}

func TestSeedsThatComeUpLateAreFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := gossiptest.NewNetwork()
		reserved := network.Listen()
		addr := reserved.Addr()
		if err := reserved.Shutdown(); err != nil {
			t.Fatal(err)
		}
		n2, lines := startIn(t, network, identity(2), addr)
		time.Sleep(5 * time.Minute)
		if got := len(lines.lines("no seed or known peer could be joined")); got < 4 || got > 6 {
			t.Errorf("%d complaints in five minutes, want about one a minute", got)
		}
		transport, err := network.ListenAt(addr)
		if err != nil {
			t.Fatal(err)
		}
		logger, _ := testLogger()
		n1 := start(t, Config{Identity: identity(1), Transport: transport, Logger: logger})
		eventually(t, 10*time.Second, "together", func() bool { return together(n1, n2) })
	})
}

// A probe of a silent peer is under way, and still nothing outlives Close.
func TestCloseWaitsForWhatTheLibraryLeavesBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := gossiptest.NewNetwork()
		n1, n2, n3 := startThree(t, network)
		mark := fmt.Appendf(nil, "%q:%q", goroutineLabel, n1.instance)
		if !goroutineProfileContains(t, mark) {
			t.Fatal("the library's goroutines do not carry the label")
		}
		for _, peer := range []*Gossip{n2, n3} {
			network.Split(n1.Addr(), peer.Addr())
		}
		time.Sleep(2500 * time.Millisecond)
		if err := n1.Abort(); err != nil {
			t.Fatal(err)
		}
		if goroutineProfileContains(t, mark) {
			t.Error("a goroutine outlived Abort")
		}
		if err := n1.Close(); err != nil {
			t.Errorf("a second stop: %v", err)
		}
		if n1.Forget(serverID(2)) || len(n1.Members()) != 3 {
			t.Error("a stopped gossip changed its table")
		}
		if _, open := <-n1.Subscribe(1).C(); open {
			t.Error("a stopped gossip takes subscribers")
		}
	})
}

func goroutineProfileContains(t *testing.T, mark []byte) bool {
	t.Helper()
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(profile.Bytes(), mark)
}
