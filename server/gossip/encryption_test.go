package gossip

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor/server/gossip/gossiptest"

	candor "github.com/candor-plane/candor"
)

// These tests run clusters with key rings in virtual time, on the default profile.

// startKeyed starts the n-th server; a nil ring is plaintext.
func startKeyed(t *testing.T, network *gossiptest.Network, n int, ring *Keyring, seeds ...string) (*Gossip, *logBuffer) {
	t.Helper()
	logger, lines := testLogger()
	return start(t, Config{Identity: identity(n), Transport: network.Listen(), Seeds: seeds, Logger: logger, Keyring: ring}), lines
}

// noHarm fails if one of the servers was ever held to be SUSPECT or DEAD by one
// that it watches; the returned function ends the watch.
func noHarm(t *testing.T, nodes ...*Gossip) (end func()) {
	t.Helper()
	watched := map[string]bool{}
	for _, g := range nodes {
		watched[g.cfg.Identity.ServerID] = true
	}
	var subs []*Subscription
	for _, g := range nodes {
		subs = append(subs, g.Subscribe(4096))
	}
	return func() {
		t.Helper()
		for i, sub := range subs {
			sub.Close()
			for e := range sub.C() {
				if e.Missed > 0 {
					t.Errorf("%d events were missed", e.Missed)
				}
				if watched[e.Member.ServerID] && e.Member.State != StateAlive {
					t.Errorf("%s held %s to be %s", nodes[i].cfg.Identity.Name, e.Member.Name, e.Member.State)
				}
			}
		}
	}
}

// hintsFlow announces a new value by each server and waits until all have all.
func hintsFlow(t *testing.T, applied uint64, nodes ...*Gossip) {
	t.Helper()
	for _, g := range nodes {
		if err := g.Update(Hints{LeaderID: serverID(1), Term: 1, Applied: applied}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, 10*time.Second, "hints are everywhere", func() bool {
		for _, g := range nodes {
			for _, from := range nodes {
				if m, _ := g.Lookup(from.cfg.Identity.ServerID); m.Applied != applied {
					return false
				}
			}
		}
		return true
	})
}

func TestAKeyRotatesUnderRunningGossipAndNobodyNotices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := gossiptest.NewNetwork()
		old, next := NewKey(), NewKey()
		rings := []*Keyring{openKeyring(t, old), openKeyring(t, old), openKeyring(t, old)}
		n1, log1 := startKeyed(t, network, 1, rings[0])
		n2, log2 := startKeyed(t, network, 2, rings[1], n1.Addr())
		n3, log3 := startKeyed(t, network, 3, rings[2], n1.Addr())
		eventually(t, 30*time.Second, "all three together", func() bool { return together(n1, n2, n3) })
		end := noHarm(t, n1, n2, n3)
		applied := uint64(0)
		for _, step := range []func(*Keyring) (bool, error){
			func(k *Keyring) (bool, error) { return k.Add(next) },
			func(k *Keyring) (bool, error) { return k.Use(next.Fingerprint()) },
			func(k *Keyring) (bool, error) { return k.Remove(old.Fingerprint()) },
		} {
			for _, ring := range rings {
				must(t, true)(step(ring))
				applied++
				hintsFlow(t, applied, n1, n2, n3)
				time.Sleep(30 * time.Second) // two full exchanges
			}
		}
		time.Sleep(time.Minute)
		end()
		for _, side := range []struct {
			g   *Gossip
			log *logBuffer
		}{{n1, log1}, {n2, log2}, {n3, log3}} {
			s := side.g.Stats()
			if s.DecryptFailures != 0 || s.Refused[candor.ReasonUnauthenticated] != 0 || len(s.Refusals) != 0 {
				t.Errorf("%s could not read %d messages: %+v", side.g.cfg.Identity.Name, s.DecryptFailures, s.Refusals)
			}
			if len(s.Keys) != 1 || s.Keys[0].Fingerprint != next.Fingerprint() || !s.Keys[0].Primary {
				t.Errorf("%s shows the keys %+v", side.g.cfg.Identity.Name, s.Keys)
			}
			text := strings.Join(side.log.lines(""), "\n")
			checkSecret(t, old, text)
			checkSecret(t, next, text)
			if !strings.Contains(text, "primary_key="+old.Fingerprint()) {
				t.Error("the log does not name the key that gossip began with")
			}
		}
	})
}

func TestAServerThatMissedAKeySaysSoHarmsNobodyAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := gossiptest.NewNetwork()
		old, next := NewKey(), NewKey()
		ring1, ring2, ring3 := openKeyring(t, old), openKeyring(t, old), openKeyring(t, old)
		n1, log1 := startKeyed(t, network, 1, ring1)
		n2, _ := startKeyed(t, network, 2, ring2, n1.Addr())
		n3, log3 := startKeyed(t, network, 3, ring3, n1.Addr())
		eventually(t, 30*time.Second, "all three together", func() bool { return together(n1, n2, n3) })
		end := noHarm(t, n1, n2)
		for _, ring := range []*Keyring{ring1, ring2} {
			must(t, true)(ring.Add(next))
			must(t, true)(ring.Use(next.Fingerprint()))
		}
		eventually(t, 30*time.Second, "n3 is given up, and gives up", func() bool {
			return sees(n1, 3, StateDead) && sees(n2, 3, StateDead) && !sees(n3, 1, StateAlive) && !sees(n3, 2, StateAlive)
		})
		hintsFlow(t, 7, n1, n2)
		time.Sleep(5 * time.Minute)

		if got := n3.Stats().DecryptFailures; got < 10 {
			t.Errorf("n3 counts %d messages that it cannot open, want every one", got)
		}
		if !remembers(n3, causeForeignKey, serverID(1)) {
			t.Errorf("n3 does not say whom it cannot understand: %+v", n3.Stats().Refusals)
		}
		if !remembers(n1, causeOwnKey, serverID(3)) {
			t.Errorf("n1 does not say who cannot understand it: %+v", n1.Stats().Refusals)
		}
		if n1.Stats().DecryptFailures != 0 {
			t.Errorf("n1 cannot open %d messages, though it has both keys", n1.Stats().DecryptFailures)
		}
		for name, log := range map[string]*logBuffer{"n1": log1, "n3": log3} {
			lines := log.lines("shares no key with a peer")
			if len(lines) == 0 || len(lines) > 6 {
				t.Errorf("%s logged %d lines in five minutes, want one for each peer and cause:\n%s", name, len(lines), strings.Join(lines, "\n"))
			}
		}

		must(t, true)(ring3.Add(next))
		eventually(t, 30*time.Second, "all three together again", func() bool { return together(n1, n2, n3) })
		end()
		hintsFlow(t, 8, n1, n2, n3)
		settled := n3.Stats().DecryptFailures
		time.Sleep(time.Minute)
		if now := n3.Stats().DecryptFailures; now != settled {
			t.Errorf("n3 still fails to open messages: %d, then %d", settled, now)
		}
	})
}

// remembers reports whether g lists a refusal for a cause, of one server if named.
func remembers(g *Gossip, cause, server string) bool {
	for _, r := range g.Stats().Refusals {
		if r.Reason == candor.ReasonUnauthenticated && r.Cause == cause && (server == "" || r.ServerID == server) {
			return true
		}
	}
	return false
}

func TestWithoutTheKeyNobodyIsLetInAndBothSidesSayWhy(t *testing.T) {
	right := NewKey()
	for name, c := range map[string]struct {
		stranger       []Key
		demand         Encryption // the stranger's
		demandHome     Encryption
		home, theirs   []string // causes that each side names
		mayHearOfHomes bool     // the stranger understands what it is sent
	}{
		"no key ring": {home: []string{causePlaintext}, theirs: []string{causeNoKeyring}},
		"a wrong key": {stranger: []Key{NewKey()}, home: []string{causeForeignKey}, theirs: []string{causeForeignKey}},
		"still sends plaintext": {
			stranger: []Key{right}, demand: EncryptionAccepted, mayHearOfHomes: true,
			home: []string{causePlaintext}, theirs: []string{causeOwnPlain},
		},
		"a wrong key, and plaintext would do": {
			stranger: []Key{NewKey()}, demandHome: EncryptionOffered, demand: EncryptionOffered,
			home: []string{causeForeignKey}, theirs: []string{causeForeignKey},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := gossiptest.NewNetwork()
				homes, outside := []*gossiptest.Transport{network.Listen(), network.Listen()}, network.Listen()
				join := func(n int, at *gossiptest.Transport, demand Encryption, keys ...Key) (*Gossip, *logBuffer) {
					logger, lines := testLogger()
					cfg := Config{
						Identity: identity(n), Transport: at, Logger: logger, Encryption: demand,
						Seeds: []string{homes[0].Addr(), homes[1].Addr(), outside.Addr()},
					}
					if keys != nil {
						cfg.Keyring = openKeyring(t, keys...)
					}
					return start(t, cfg), lines
				}
				n1, homeLog := join(1, homes[0], c.demandHome, right)
				n2, _ := join(2, homes[1], c.demandHome, right)
				stranger, strangerLog := join(3, outside, c.demand, c.stranger...)
				eventually(t, 30*time.Second, "holders of the key together", func() bool { return together(n1, n2) })
				time.Sleep(5 * time.Minute)
				_, in := n1.Lookup(serverID(3))
				if in || (len(stranger.Members()) != 1 && !c.mayHearOfHomes) {
					t.Errorf("let in:\n%s\n%s", describe(n1), describe(stranger))
				}
				for _, side := range []struct {
					g      *Gossip
					log    *logBuffer
					causes []string
				}{{n1, homeLog, c.home}, {stranger, strangerLog, c.theirs}} {
					for _, cause := range side.causes {
						if !remembers(side.g, cause, "") {
							t.Errorf("%s does not name the cause %q: %+v", side.g.cfg.Identity.Name, cause, side.g.Stats().Refusals)
						}
						if got := len(side.log.lines(`cause="` + cause + `"`)); got < 1 || got > 4 {
							t.Errorf("%s logged %q %d times", side.g.cfg.Identity.Name, cause, got)
						}
					}
					if side.g.Stats().Refused[candor.ReasonUnauthenticated] < 10 {
						t.Errorf("%s counts %v", side.g.cfg.Identity.Name, side.g.Stats().Refused)
					}
				}
			})
		})
	}
}

// A server without a key among some that offer encryption is a step too early:
// it is heard, but hears nothing.
func TestAPeerWithoutAKeyRingSaysSoToThoseThatOfferEncryption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := gossiptest.NewNetwork()
		plain, _ := startIn(t, network, identity(2))
		logger, _ := testLogger()
		offers := start(t, Config{
			Identity: identity(1), Transport: network.Listen(), Seeds: []string{plain.Addr()}, Logger: logger,
			Keyring: openKeyring(t, NewKey()), Encryption: EncryptionOffered,
		})
		eventually(t, time.Minute, "both say why", func() bool {
			return remembers(offers, causePeerKeyless, "") && remembers(plain, causeNoKeyring, "")
		})
	})
}

// The documented way from plaintext: three rounds of restarts, one server at a
// time. Nobody but the one that restarts is ever missed.
func TestEncryptionIsTurnedOnInThreeRoundsOfRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := gossiptest.NewNetwork()
		key := NewKey()
		n1, n2, n3 := startThree(t, network)
		nodes := []*Gossip{n1, n2, n3}
		rings := []*Keyring{openKeyring(t, key), openKeyring(t, key), openKeyring(t, key)}
		boot := 1
		applied := uint64(0)
		for _, demand := range []Encryption{EncryptionAccepted, EncryptionOffered, EncryptionRequired} {
			boot++
			for i := range nodes {
				addr := nodes[i].Addr()
				others := []*Gossip{nodes[(i+1)%3], nodes[(i+2)%3]}
				end := noHarm(t, others...)
				if err := nodes[i].Close(); err != nil {
					t.Fatal(err)
				}
				transport, err := network.ListenAt(addr)
				if err != nil {
					t.Fatal(err)
				}
				id := identity(i + 1)
				id.BootID = strings.Replace(id.BootID, "-1", "-r", 1) + string(rune('0'+boot))
				logger, _ := testLogger()
				nodes[i] = start(t, Config{
					Identity: id, Transport: transport, Seeds: []string{others[0].Addr()}, Logger: logger,
					Keyring: rings[i], Encryption: demand,
				})
				eventually(t, 30*time.Second, "together after a restart with encryption "+demand.String(), func() bool { return together(nodes...) })
				time.Sleep(30 * time.Second)
				end()
				applied++
				hintsFlow(t, applied, nodes...)
			}
		}
		for _, g := range nodes {
			if s := g.Stats(); s.Refused[candor.ReasonUnauthenticated] != 0 {
				t.Errorf("%s refused %+v", g.cfg.Identity.Name, s.Refusals)
			}
		}
		plain, _ := startIn(t, network, identity(4), n1.Addr())
		time.Sleep(30 * time.Second)
		if _, in := nodes[0].Lookup(serverID(4)); in || len(plain.Members()) != 1 {
			t.Error("a server in plaintext is still let in")
		}
	})
}

func TestPlaintextBeyondLoopbackNeedsConsentOnTheWayToEncryptionToo(t *testing.T) {
	logger, _ := testLogger()
	ring := openKeyring(t, NewKey())
	for _, c := range []struct {
		name string
		cfg  Config
		good bool
	}{
		{"required", Config{Keyring: ring}, true},
		{"offered", Config{Keyring: ring, Encryption: EncryptionOffered}, false},
		{"offered, insecure", Config{Keyring: ring, Encryption: EncryptionOffered, Insecure: true}, true},
		{"accepted", Config{Keyring: ring, Encryption: EncryptionAccepted}, false},
		{"accepted without a ring", Config{Encryption: EncryptionAccepted, Insecure: true}, false},
		{"none of the three", Config{Keyring: ring, Encryption: 3}, false},
	} {
		c.cfg.Identity, c.cfg.Logger, c.cfg.BindAddr = identity(1), logger, "192.0.2.1"
		_, err := c.cfg.withDefaults()
		if (err == nil) != c.good || (err != nil && candor.ReasonOf(err) != candor.ReasonInvalid) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// sizedTransport remembers the largest packet.
type sizedTransport struct {
	*gossiptest.Transport
	mu      sync.Mutex
	largest int
}

func (s *sizedTransport) WriteTo(b []byte, to string) (time.Time, error) {
	s.mu.Lock()
	s.largest = max(s.largest, len(b))
	s.mu.Unlock()
	return s.Transport.WriteTo(b, to)
}

func TestTheLargestMetadataTravelsEncryptedInPackets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := gossiptest.NewNetwork()
		key := NewKey()
		var nodes []*Gossip
		var wires []*sizedTransport
		for n := 1; n <= 3; n++ {
			id := identity(n)
			id.Version = strings.Repeat("v", maxVersionBytes)
			for _, field := range []*string{&id.APIAddr, &id.RaftAddr, &id.DebugAddr, &id.Name} {
				for grown := id; checkRoom(grown) == nil && grown.validate() == nil; grown = id {
					id = grown
					*field += "x"
				}
				*field = strings.TrimSuffix(*field, "x")
			}
			wire := &sizedTransport{Transport: network.Listen()}
			wires = append(wires, wire)
			logger, _ := testLogger()
			cfg := Config{Identity: id, Transport: wire, Logger: logger, Keyring: openKeyring(t, key), Profile: DefaultProfile()}
			cfg.Profile.PushPullInterval = time.Hour
			if n > 1 {
				cfg.Seeds = []string{wires[0].Addr()}
			}
			nodes = append(nodes, start(t, cfg))
		}
		eventually(t, 30*time.Second, "all three together", func() bool { return together(nodes...) })
		for _, g := range nodes {
			full := Hints{LeaderID: serverID(1), Term: 1 << 63, Applied: 1 << 63, Voter: true, Mode: strings.Repeat("M", maxModeBytes)}
			if err := g.Update(full); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, 30*time.Second, "the largest hints are everywhere", func() bool {
			for _, g := range nodes {
				for n := 1; n <= 3; n++ {
					if m, _ := g.Lookup(serverID(n)); m.Applied != 1<<63 {
						return false
					}
				}
			}
			return true
		})
		encoded := *nodes[0].delegate.announced.Load()
		if len(encoded) < MaxMetaBytes-8 {
			t.Fatalf("the metadata has %d bytes; the test wants the most, %d", len(encoded), MaxMetaBytes)
		}
		for i, wire := range wires {
			wire.mu.Lock()
			largest := wire.largest
			wire.mu.Unlock()
			// 1472 bytes fill an Ethernet frame of 1500.
			if largest <= len(encoded) || largest > 1472 {
				t.Errorf("the largest packet of n%d has %d bytes, with metadata of %d", i+1, largest, len(encoded))
			}
			t.Logf("n%d: largest packet %d, metadata %d", i+1, largest, len(encoded))
		}
	})
}
