package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/verify/history"
)

// scenario is a cluster under traffic and what befalls it.
type scenario struct {
	*cluster
	ctx     context.Context
	k       *client.Client
	traffic *traffic
	// absences are of servers' processes; the last of a server may still last.
	absences []absence
	// began is when all was well for the first time.
	began int64
}

// calm lets servers wait so long for one another that a machine which is busy
// replaces no leader: for scenarios in which the leader stays.
var calm = []string{"--heartbeat", "1s", "--election", "1s", "--leader-lease", "500ms"}

// leastChecked is how many items each check of the record must have had.
const leastChecked = 20

// wellBefore is how long all is well at the beginning, and at the end.
const wellBefore = 500 * time.Millisecond

// newScenario begins n servers and the traffic, and lets it run while all is
// well.
func newScenario(t *testing.T, n int, flags ...string) *scenario {
	t.Helper()
	t.Parallel()
	return newScenarioOver(t, newLinks(t), n, flags...)
}

func newScenarioOver(t *testing.T, l *links, n int, flags ...string) *scenario {
	t.Helper()
	c := &cluster{t: t, dir: t.TempDir(), links: l}
	c.plan(n, flags...)
	c.begin()
	s := scenarioOf(t, c)
	s.k = c.client()
	s.traffic.prepare(s.ctx, t, s.k)
	for _, p := range c.servers {
		s.answers(s.ctx, s.k, p)
	}
	s.load(c.servers...)
	return s
}

// scenarioOf is one without servers or traffic yet.
func scenarioOf(t *testing.T, c *cluster) *scenario {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	t.Cleanup(cancel)
	return &scenario{cluster: c, ctx: ctx, traffic: newTraffic()}
}

// load begins the traffic.
func (s *scenario) load(servers ...*process) {
	s.t.Helper()
	s.t.Cleanup(func() { s.traffic.end(s.t) })
	for _, p := range servers {
		s.traffic.at(s.cluster, p)
	}
	s.traffic.hop(s.cluster, servers...)
	s.began = s.traffic.now()
	pass(s.ctx, s.t, wellBefore)
}

func (s *scenario) names() []string {
	var names []string
	for _, p := range s.servers {
		names = append(names, p.name)
	}
	return names
}

// leads is the name of the leader.
func (s *scenario) leads() string {
	s.t.Helper()
	return s.leader(s.ctx, s.k).name
}

// aFollower is one of those that do not lead.
func (s *scenario) aFollower() *process {
	s.t.Helper()
	return s.named(others(s.names(), s.leads())[0])
}

// stillLeads wants the leader to be the same as before.
func (s *scenario) stillLeads(before string) {
	s.t.Helper()
	if now := s.leads(); now != before {
		s.t.Errorf("%s leads; before the fault it was %s, which kept its majority", now, before)
	}
}

// leadsBut waits for a leader that is none of these, by what the others say.
func (s *scenario) leadsBut(not ...string) string {
	s.t.Helper()
	var led string
	until(s.ctx, s.t, fmt.Sprintf("a leader beside %v", not), func() bool {
		for _, name := range others(s.names(), not...) {
			p := s.named(name)
			if p.child == nil {
				continue
			}
			ctx, cancel := context.WithTimeout(s.ctx, time.Second)
			status, err := s.k.Cluster().Status(ctx, client.OnEndpoint(p.api), client.WithoutSession())
			cancel()
			if err == nil && strings.EqualFold(status.Role, "leader") {
				led = name
				return true
			}
		}
		return false
	})
	return led
}

// last lets a fault last, sees to it in the middle that it is what it was made,
// and returns its time.
func (s *scenario) last(d time.Duration) window {
	s.t.Helper()
	w := window{from: s.traffic.now()}
	pass(s.ctx, s.t, d/2)
	s.links.bites(s.names()...)
	pass(s.ctx, s.t, d/2)
	w.to = s.traffic.now()
	return w
}

// leaves is when a server's process is about to stop; returns is when it is back.
func (s *scenario) leaves(p *process) {
	s.absences = append(s.absences, absence{server: p.name, from: s.traffic.now()})
}

func (s *scenario) returns(p *process) {
	s.t.Helper()
	until(s.ctx, s.t, p.name+" to be reached", func() bool {
		ctx, cancel := context.WithTimeout(s.ctx, time.Second)
		defer cancel()
		_, err := s.k.Cluster().Status(ctx, client.OnEndpoint(p.api), client.WithoutSession())
		return err == nil
	})
	for i := range s.absences {
		if a := &s.absences[i]; a.server == p.name && a.to == 0 {
			a.to = s.traffic.now()
		}
	}
}

// goesOn wants so many writes acknowledged in the window, at any server.
func goesOn(t *testing.T, h *history.History, w window, least int) {
	t.Helper()
	count := 0
	for o := range h.All() {
		if !o.Kind.Reads() && o.Outcome == history.OutcomeOK && o.Invoke >= w.from && o.Return <= w.to {
			count++
		}
	}
	if count < least {
		t.Errorf("%d writes were acknowledged from %s to %s; want %d", count, time.Duration(w.from), time.Duration(w.to), least)
	}
}

// mends ends every cut and waits until each of the servers has applied what was
// committed at the end of the fault, and then serves what a healthy one does. It
// returns the time of that.
func (s *scenario) mends(servers ...*process) window {
	s.t.Helper()
	s.links.HealAll()
	status, err := s.k.Cluster().Status(s.ctx, client.OnEndpoint(s.leader(s.ctx, s.k).api))
	if err != nil {
		s.t.Fatal(err)
	}
	var names []string
	for _, p := range servers {
		names = append(names, p.name)
		until(s.ctx, s.t, p.name+" to catch up", func() bool {
			ctx, cancel := context.WithTimeout(s.ctx, time.Second)
			defer cancel()
			mine, err := s.k.Cluster().Status(ctx, client.OnEndpoint(p.api), client.WithoutSession())
			return err == nil && mine.Leader != nil && mine.Applied.Index >= status.CommitIndex
		})
	}
	w := window{from: s.traffic.now()}
	for missing := "nothing yet"; missing != ""; missing = shortOf(s.traffic.recorded(s.t), w, names...) {
		if !passes(s.ctx, wellBefore) {
			s.t.Fatalf("all is mended, and not well: %s", missing)
		}
		w.to = s.traffic.now()
	}
	return w
}

// judge ends the traffic and holds the record against every promise.
func (s *scenario) judge() *history.History {
	s.t.Helper()
	h := s.traffic.end(s.t)
	labelled(s.t, h, s.absences)
	load := history.Load{
		Acknowledged: 100, Nodes: len(s.servers),
		Reads: map[candor.Freshness]int{candor.FreshnessStrong: 50, candor.FreshnessBounded: 50, candor.FreshnessBestEffort: 100},
	}
	if verdict := history.Check(h, append(history.Standard(leastChecked), load)...); verdict.Verdict() != history.Pass {
		s.t.Errorf("%s:\n%s", verdict.Verdict(), verdict)
	}
	s.keep(h)
	census := h.Census()
	s.t.Logf("%d operations: reads %v, writes %v, refused %v", census.Operations, census.Reads, census.Writes, census.Refused)
	return h
}

// keep writes the record of a test that failed where `go test -artifacts` keeps
// it.
func (s *scenario) keep(h *history.History) {
	s.t.Helper()
	s.t.Cleanup(func() {
		if !s.t.Failed() {
			return
		}
		path := filepath.Join(s.t.ArtifactDir(), "history.jsonl")
		file, err := os.Create(path)
		if err != nil {
			s.t.Error(err)
			return
		}
		defer file.Close()
		if err := history.Write(file, h, s.t.Name()); err != nil {
			s.t.Error(err)
		}
	})
}
