package integration

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// TestAFollowerThatRestartsBehindServesNothingThatItCannotProve: it missed
// writes, comes back cut off with what its snapshot holds, and then catches up.
func TestAFollowerThatRestartsBehindServesNothingThatItCannotProve(t *testing.T) {
	s := newScenario(t, 3, append([]string{"--snapshot-bytes", "2048"}, calm...)...)
	leader, p := s.leads(), s.aFollower()
	until(s.ctx, t, "a snapshot of "+p.name, func() bool { return s.snapshotOf(p) > 0 })
	s.links.Part([]string{p.name}, others(s.names(), p.name))
	pass(s.ctx, t, 400*time.Millisecond)
	s.leaves(p)
	p.kill()
	behind := window{from: s.traffic.now()}
	pass(s.ctx, t, 600*time.Millisecond)
	behind.to = s.traffic.now()
	p.begin(t)
	s.returns(p)
	pass(s.ctx, t, reconnected)
	w := s.last(brief)
	s.stillLeads(leader)
	well := s.mends(s.servers...)
	h := s.judge()
	goesOn(t, h, behind, 10)
	goesOn(t, h, w, 30)
	silent(t, h, w, p.name)
	healthy(t, h, well, s.names()...)
}

// TestAServerThatNeedsASnapshotServesNothingBefore: the cluster was restored, so
// that its log begins after what it holds, and the newcomer's link to the leader
// is cut until it was a member for a while.
func TestAServerThatNeedsASnapshotServesNothingBefore(t *testing.T) {
	t.Parallel()
	c := &cluster{t: t, dir: t.TempDir(), links: newLinks(t)}
	s := scenarioOf(t, c)
	file := s.backup()
	first := c.server(calm...)
	if code, out := command(t, "snapshot", "restore", file, "--name", first.name, "--data", first.data, "--raft", first.raft); code != 0 {
		t.Fatal(out)
	}
	first.begin(t)
	s.k = c.client()
	s.answers(s.ctx, s.k, first)
	s.traffic.prepare(s.ctx, t, s.k)
	second := c.join(calm...)
	s.answers(s.ctx, s.k, second)
	s.promote(s.ctx, s.k, second)
	s.lead(s.ctx, s.k, first)
	s.load(first, second)

	third := c.server(append([]string{"--join", strings.Join(c.addresses(), ",")}, calm...)...)
	s.links.Part([]string{first.name}, []string{third.name})
	third.begin(t)
	s.leaves(third)
	s.traffic.at(c, third)
	s.returns(third)
	s.enlist(third)
	pass(s.ctx, t, reconnected)
	w := s.last(brief)
	s.stillLeads(first.name)
	if index := s.snapshotOf(third); index != 0 {
		t.Fatalf("INCONCLUSIVE: %s has a snapshot of %d already", third.name, index)
	}
	well := s.mends(s.servers...)
	if s.snapshotOf(third) == 0 {
		t.Errorf("INCONCLUSIVE: %s needed no snapshot", third.name)
	}
	h := s.judge()
	goesOn(t, h, w, 30)
	viewless(t, h, w, third.name)
	healthy(t, h, well, s.names()...)
}

// backup is the state of another cluster, with some objects in it.
func (s *scenario) backup() string {
	s.t.Helper()
	other := alone(s.ctx, s.t)
	w := other.write(s.ctx, 2)
	w.goOn(s.ctx, s.t, 50)
	w.end()
	file := filepath.Join(s.dir, "backup.candor")
	if code, out := command(s.t, "--server", other.servers[0].api, "snapshot", "save", file); code != 0 {
		s.t.Fatal(out)
	}
	other.servers[0].kill()
	return file
}

// enlist adds a server as an operator does who knows where it is.
func (s *scenario) enlist(p *process) {
	s.t.Helper()
	status, err := s.k.Cluster().Status(s.ctx, client.OnEndpoint(p.api), client.WithoutSession())
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = s.k.Cluster().Join(s.ctx, client.JoinRequest{
		ServerID: status.NodeID, Name: p.name, RaftAddress: p.raft, APIAddress: p.api, ClusterID: status.ClusterID, FeatureLevel: candor.FeatureLevel,
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *scenario) snapshotOf(p *process) uint64 {
	s.t.Helper()
	report, err := s.k.Diagnostics(p.api).Node(s.ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	return report.SnapshotIndex
}
