package gossip

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor/server/gossip/gossiptest"
)

const testCluster = "6f1d3a52-0c7e-4e0b-9a55-0d6a2f4c1b10"

// serverID names the n-th server of a test: n1 is ...0001.
func serverID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

func identity(n int) Identity {
	return Identity{
		ClusterID:    testCluster,
		ServerID:     serverID(n),
		BootID:       fmt.Sprintf("boot-%d-1", n),
		Name:         fmt.Sprintf("n%d", n),
		APIAddr:      fmt.Sprintf("127.0.0.1:%d", 7000+n),
		RaftAddr:     fmt.Sprintf("127.0.0.1:%d", 7100+n),
		DebugAddr:    fmt.Sprintf("127.0.0.1:%d", 7200+n),
		FeatureLevel: 1,
		Version:      "v0.1.0",
	}
}

// quickProfile finds a death within about a second of real time.
func quickProfile() Profile {
	p := DefaultProfile()
	p.ProbeInterval = 100 * time.Millisecond
	p.ProbeTimeout = 60 * time.Millisecond
	p.GossipInterval = 20 * time.Millisecond
	p.PushPullInterval = time.Second
	p.ReclaimAfter = 100 * time.Millisecond
	p.RejoinInterval = 200 * time.Millisecond
	p.HintInterval = 100 * time.Millisecond
	return p
}

// logBuffer keeps log lines for a test to read.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) lines(substring string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []string
	for line := range strings.Lines(b.buf.String()) {
		if strings.Contains(line, substring) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

func testLogger() (hclog.Logger, *logBuffer) {
	buf := &logBuffer{}
	return hclog.New(&hclog.LoggerOptions{Name: "test", Output: buf, Level: hclog.Debug}), buf
}

// startLoopback starts a server on a free loopback port.
func startLoopback(t *testing.T, id Identity, seeds ...string) (*Gossip, *logBuffer) {
	t.Helper()
	logger, lines := testLogger()
	return start(t, Config{
		Identity: id, BindAddr: "127.0.0.1", Seeds: seeds, Logger: logger, Profile: quickProfile(),
	}), lines
}

// startIn starts a server on a network in memory, with the default profile.
func startIn(t *testing.T, n *gossiptest.Network, id Identity, seeds ...string) (*Gossip, *logBuffer) {
	t.Helper()
	logger, lines := testLogger()
	return start(t, Config{Identity: id, Transport: n.Listen(), Seeds: seeds, Logger: logger}), lines
}

func start(t *testing.T, cfg Config) *Gossip {
	t.Helper()
	g, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatalf("start %s: %v", cfg.Identity.Name, err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Logf("close %s: %v", cfg.Identity.Name, err)
		}
	})
	return g
}

// eventually polls a condition; within is real time, or virtual in a bubble.
func eventually(t *testing.T, within time.Duration, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); ; time.Sleep(10 * time.Millisecond) {
		if condition() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// sees reports whether g holds a server to be in a state.
func sees(g *Gossip, n int, s State) bool {
	m, ok := g.Lookup(serverID(n))
	return ok && m.State == s
}

// together reports whether all of the servers see each other alive.
func together(nodes ...*Gossip) bool {
	for _, g := range nodes {
		if g.Stats().Members[StateAlive] < len(nodes) {
			return false
		}
	}
	return true
}

func describe(g *Gossip) string {
	var b strings.Builder
	for _, m := range g.Members() {
		fmt.Fprintf(&b, "%s %s %s boot=%s applied=%d\n", m.Name, m.State, m.Addr, m.BootID, m.Applied)
	}
	return b.String()
}
