package integration

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server"
)

// lost is a cluster of three of which one is left, killed, with its directory and a
// directory of another that fell behind before.
type lost struct {
	*cluster
	left, behind *process
	acked        map[string]uint64
	clusterID    string
}

// loses has two of three servers fall, one of them early, while writes go on.
func loses(ctx context.Context, t *testing.T, flags ...string) *lost {
	t.Helper()
	c := start(t, 3, flags...)
	l := &lost{cluster: c, left: c.servers[0], behind: c.servers[2]}
	k := c.client()
	c.lead(ctx, k, l.left)
	status, err := k.Cluster().Status(ctx, client.OnEndpoint(l.left.api))
	if err != nil {
		t.Fatal(err)
	}
	l.clusterID = status.ClusterID
	w := c.write(ctx, 6)
	w.goOn(ctx, t, 200)
	l.behind.kill()
	w.goOn(ctx, t, 200)
	c.servers[1].kill()
	// The leader has all that was acknowledged, and some that was not.
	l.acked = w.end()
	l.left.kill()
	if err := os.RemoveAll(c.servers[1].data); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestOneOfThreeGoesOnAfterTheOthersAreLost(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 110*time.Second)
	defer cancel()
	l := loses(ctx, t, "--snapshot-bytes", "65536")
	file := filepath.Join(l.dir, "plan.json")
	if code, out := command(t, "cluster", "recover", "plan", "--data", l.left.data, "--plan", file); code != 0 || !strings.Contains(out, "1 of 3 are here") {
		t.Fatalf("plan: %d\n%s", code, out)
	}
	if code, out := command(t, "cluster", "recover", "apply", "--plan", file, "--accept-loss", "another"); code != candor.ExitUsage || !strings.Contains(out, "nothing was done") {
		t.Fatalf("without the word: %d\n%s", code, out)
	}
	l.recoverThoughKilled(ctx, file)

	// As it was always started: the list of its first servers included.
	l.left.begin(t)
	k := l.connect(l.left.api)
	l.servers = l.servers[:1]
	l.answers(ctx, k, l.left)
	l.wantMembers(ctx, k, 1, 1)
	l.holds(ctx, k, l.acked)

	for _, name := range []string{"n4", "n5"} {
		p := newProcess(t, l.dir, name, "--join", l.left.api)
		l.servers = append(l.servers, p)
		p.begin(t)
		l.answers(ctx, k, p)
		l.promote(ctx, k, p)
	}
	l.wantMembers(ctx, k, 3, 3)
	all := l.client()
	w := l.write(ctx, 6)
	w.goOn(ctx, t, 100)
	l.refusesTheOldOnes(ctx, w, all)
	for name, revision := range w.end() {
		if old, was := l.acked[name]; was && revision <= old {
			t.Errorf("%s was created at revision %d, and before the recovery at %d", name, revision, old)
		}
		l.acked[name] = revision
	}
	l.holds(ctx, all, l.acked)
	l.sameDigests(ctx, all, l.servers...)

	// The new cluster stands without the one that was left.
	l.left.kill()
	rest := l.connect(l.servers[1].api, l.servers[2].api)
	create(ctx, t, rest, "without-the-first")
}

// recoverThoughKilled applies the plan, killed ever later, until it comes to its end.
func (l *lost) recoverThoughKilled(ctx context.Context, file string) {
	l.t.Helper()
	killed := 0
	for after := 2 * time.Millisecond; ; after += 4 * time.Millisecond {
		cmd := exec.CommandContext(ctx, binary, "cluster", "recover", "apply", "--plan", file, "--accept-loss", l.clusterID)
		cmd.SysProcAttr = lifeline()
		if err := cmd.Start(); err != nil {
			l.t.Fatal(err)
		}
		timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		timer.Stop()
		if err == nil {
			break
		}
		if cmd.ProcessState.ExitCode() != -1 {
			l.t.Fatalf("after %d kills: exit code %d", killed, cmd.ProcessState.ExitCode())
		}
		killed++
	}
	if killed < 5 {
		l.t.Errorf("INCONCLUSIVE: it was killed %d times", killed)
	}
	l.t.Logf("killed %d times", killed)
	if code, out := command(l.t, "cluster", "recover", "apply", "--plan", file, "--accept-loss", l.clusterID); code != 0 || !strings.Contains(out, "was recovered before") {
		l.t.Errorf("once more: %d\n%s", code, out)
	}
}

// refusesTheOldOnes brings back a server of the old history while writes go on.
func (l *lost) refusesTheOldOnes(ctx context.Context, w *writers, k *client.Client) {
	l.t.Helper()
	code, out := command(l.t, "cluster", "recover", "plan", "--data", l.behind.data)
	if code != 0 || !strings.Contains(out, "perhaps never committed") || !strings.Contains(out, "whether anything was cannot be told from here") {
		l.t.Errorf("the plan for the one that fell behind: %d\n%s", code, out)
	}
	before := l.term(ctx, k)
	l.behind.begin(l.t)
	until(ctx, l.t, "its calls are refused", func() bool { return strings.Contains(l.behind.said(l.t), "belongs to cluster") })
	w.goOn(ctx, l.t, 200)
	told, err := l.connect(l.behind.api).Cluster().Status(ctx, client.OnEndpoint(l.behind.api))
	if err != nil || told.Leader != nil || told.HistoryID == l.history(ctx, k) {
		l.t.Errorf("the old server says %+v: %v", told, err)
	}
	if after := l.term(ctx, k); after != before {
		l.t.Errorf("the old server moved the term from %d to %d", before, after)
	}
	l.behind.kill()

	back := newProcess(l.t, l.dir, l.behind.name, "--join", l.left.api)
	back.data, back.raft = l.behind.data, l.behind.raft
	back.refuses(l.t, candor.ReasonDataForeign, "recovered without this server", back.data)
	code, out = command(l.t, "cluster", "recover", "plan", "--data", l.behind.data, "--data", filepath.Join(l.dir, "n1"))
	if code == 0 {
		l.t.Errorf("two histories in one plan:\n%s", out)
	}
}

func (l *lost) term(ctx context.Context, k *client.Client) uint64 {
	l.t.Helper()
	return l.status(ctx, k).Term
}

func (l *lost) history(ctx context.Context, k *client.Client) string {
	l.t.Helper()
	return l.status(ctx, k).HistoryID
}

func (l *lost) status(ctx context.Context, k *client.Client) *client.ClusterStatus {
	l.t.Helper()
	status, err := k.Cluster().Status(ctx, client.OnEndpoint(l.left.api))
	if err != nil {
		l.t.Fatal(err)
	}
	return status
}

// The one whose log goes further goes on, of whatever is left.
func TestTwoThatAreLeftAreComparedAndGoingBackIsTwoMoves(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 80*time.Second)
	defer cancel()
	c := start(t, 5)
	k := c.client()
	first, second := c.servers[0], c.servers[1]
	c.lead(ctx, k, first)
	w := c.write(ctx, 4)
	w.goOn(ctx, t, 50)
	second.kill()
	w.goOn(ctx, t, 100)
	for _, p := range c.servers[2:] {
		p.kill()
	}
	acked := w.end()
	first.stop(t)
	quiet := hclog.NewNullLogger()
	plan, err := server.PlanRecovery(server.Recovery{Data: []string{second.data, first.data}, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	if plan.Chosen().Name != first.name || plan.Here != 2 || plan.Quorum != 3 || plan.Complete || !plan.Chosen().CleanStop {
		t.Errorf("the plan: %+v", plan)
	}
	done, err := server.Recover(plan, quiet)
	if err != nil {
		t.Fatal(err)
	}
	alone := c.connect(first.api)
	c.servers = c.servers[:1]
	first.begin(t)
	c.answers(ctx, alone, first)
	c.holds(ctx, alone, acked)
	first.stop(t)

	for _, name := range []string{"raft", "identity.json"} {
		if err := os.Rename(filepath.Join(done.Kept, name), filepath.Join(first.data, name)); err != nil {
			t.Fatal(err)
		}
	}
	again, err := server.PlanRecovery(server.Recovery{Data: []string{first.data}, Logger: quiet})
	if err != nil || again.HistoryID != plan.HistoryID || again.Chosen().LastIndex != plan.Chosen().LastIndex {
		t.Errorf("gone back: %+v, %v", again, err)
	}
}

// Certificates name the cluster, which is the same one: nobody needs a new one.
func TestARecoveredClusterKeepsItsCertificatesAndRoles(t *testing.T) {
	g := guard(t, 80*time.Second)
	create(g.ctx, t, g.root, "before")
	left := g.servers[0]
	g.heard(left)
	for _, p := range g.servers {
		p.kill()
	}
	quiet := hclog.NewNullLogger()
	plan, err := server.PlanRecovery(server.Recovery{Data: []string{left.data}, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Recover(plan, quiet); err != nil {
		t.Fatal(err)
	}
	for _, p := range g.servers[1:] {
		if err := os.RemoveAll(p.data); err != nil {
			t.Fatal(err)
		}
	}
	g.servers = g.servers[:1]
	left.begin(t)
	root := g.as("root")
	g.answers(g.ctx, root, left)
	create(g.ctx, t, root, "after")
	if _, _, err := g.root.Get(g.ctx, candor.Ref{Kind: candor.KindNamespaces, Name: "default"}); candor.ReasonOf(err) != candor.ReasonHistoryMismatch {
		t.Errorf("a session from before the recovery: %v", err)
	}
	g.cliWith(g.trusting(), candor.ReasonUnauthenticated.Disposition().Exit, "get", "namespaces")

	joined := newProcess(t, g.dir, "n4", "--auth", "--audit", "writes", "--join", left.api)
	succeeds(t, "tls", "issue", "server", "--dir", g.folder, "--data", joined.data, "--name", joined.name, "--address", "127.0.0.1")
	joined.flags = append(joined.flags, tlsFlags(g.files(joined.name))...)
	g.servers = append(g.servers, joined)
	joined.begin(t)
	g.answers(g.ctx, root, joined)
	g.promote(g.ctx, root, joined)
	g.wantMembers(g.ctx, root, 2, 2)
}
