package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
)

// alone is a cluster of one server that answers.
func alone(ctx context.Context, t *testing.T, flags ...string) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: t.TempDir()}
	p := c.server(append([]string{"--bootstrap"}, flags...)...)
	c.begin()
	c.answers(ctx, c.client(), p)
	return c
}

// another is a server with the name and a copy of the data of this one, on
// addresses of its own.
func (p *process) another(t *testing.T, flags ...string) *process {
	t.Helper()
	other := newProcess(t, t.TempDir(), p.name, flags...)
	if err := os.CopyFS(other.data, os.DirFS(p.data)); err != nil {
		t.Fatal(err)
	}
	return other
}

func TestAPortInUseIsNamedWithItsFlag(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	gossip, debug := freeAddress(t), freeAddress(t)
	holder := alone(ctx, t, "--gossip", gossip, "--debug", debug).servers[0]
	for flag, address := range map[string]string{"--api": holder.api, "--raft": holder.raft, "--gossip": gossip, "--debug": debug} {
		t.Run(strings.TrimPrefix(flag, "--"), func(t *testing.T) {
			p := newProcess(t, t.TempDir(), "n2", "--bootstrap", flag, address)
			p.refuses(t, candor.ReasonAddressInUse, flag, address)
		})
	}
}

func TestADirectoryInUseIsRefusedWithTheProcess(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	holder := alone(ctx, t).servers[0]
	p := newProcess(t, t.TempDir(), holder.name)
	p.data = holder.data
	p.refuses(t, candor.ReasonDataLocked, holder.data, fmt.Sprintf("process %d", holder.child.Process.Pid))
}

func TestADirectoryOfAnotherServerIsRefused(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	holder := alone(ctx, t).servers[0]
	holder.stop(t)
	p := newProcess(t, t.TempDir(), "other")
	p.data = holder.data
	p.refuses(t, candor.ReasonDataForeign, filepath.Join(holder.data, "identity.json"), `"n1"`, `"other"`)
}

// TestACopiedDirectoryIsNeverASecondVoter: a copy beside its original has the
// same server ID, and its vote for itself would count. It is refused at any
// address but the original's, where the original already listens.
func TestACopiedDirectoryIsNeverASecondVoter(t *testing.T) {
	for _, servers := range []int{1, 3} {
		t.Run(fmt.Sprint(servers), func(t *testing.T) {
			c := start(t, servers)
			k := c.client()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			create(ctx, t, k, "before")
			original := c.servers[servers-1]
			c.answers(ctx, k, original)
			original.kill()
			copied := original.another(t, original.flags...)
			original.begin(t)
			c.answers(ctx, k, original)
			copied.refuses(t, candor.ReasonDataForeign, copied.data, original.raft, copied.raft, "--raft")
			// Nor while the original is away: it may come back.
			original.kill()
			copied.refuses(t, candor.ReasonDataForeign, original.raft)
			original.begin(t)
			c.answers(ctx, k, original)
			copied.raft = original.raft
			copied.refuses(t, candor.ReasonAddressInUse, original.raft)
			create(ctx, t, k, "after")
			c.wantMembers(ctx, k, servers, servers)
		})
	}
}

func TestDataOfAnotherClusterAreRefused(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	there, here := alone(ctx, t), alone(ctx, t)
	p, target := here.servers[0], there.servers[0]
	status, err := here.client().Cluster().Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	p.stop(t)
	flags := p.flags[:len(p.flags)-1] // without --bootstrap
	p.flags = append(slices.Clip(flags), "--join", target.api)
	p.refuses(t, candor.ReasonDataForeign, p.data, status.ClusterID, "--join", target.api)
	p.flags = append(slices.Clip(flags), "--initial-cluster", p.name+"="+p.api+"/"+p.raft)
	p.refuses(t, candor.ReasonDataForeign, p.data, status.ClusterID, "--initial-cluster")
	p.flags = flags
	p.begin(t)
	here.answers(ctx, here.client(), p)
}

// TestAServerOfAnotherClusterIsNotTakenIn: neither by a list that names it nor
// by an operator who adds it. Both clusters stay as they were.
func TestAServerOfAnotherClusterIsNotTakenIn(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	here, there := alone(ctx, t), alone(ctx, t)
	foreign := there.servers[0]
	p := newProcess(t, t.TempDir(), "a")
	p.flags = append(p.flags, "--initial-cluster", fmt.Sprintf("a=%s/%s,b=%s/%s", p.api, p.raft, foreign.api, foreign.raft))
	p.begin(t)
	p.endsWith(t, candor.ReasonClusterMismatch, foreign.api)

	status, err := there.client().Cluster().Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{status.NodeID, "7f9c24e8-3b12-4fef-91e0-5d4c0a2b6d11"} {
		code, out := command(t, "--server", here.servers[0].api, "cluster", "join", "guest", "--id", id, "--raft-address", foreign.raft, "--api-address", foreign.api)
		if code != candor.ReasonClusterMismatch.Disposition().Exit || !strings.Contains(out, string(candor.ReasonClusterMismatch)) || !strings.Contains(out, foreign.raft) {
			t.Errorf("join of %s ended with %d: %s", id, code, out)
		}
	}
	for _, c := range []*cluster{here, there} {
		c.wantMembers(ctx, c.client(), 1, 1)
		create(ctx, t, c.client(), "after")
	}
}

// TestAVoterDoesNotMove: a server with a voter's ID elsewhere, such as one that
// was copied before it had data, would be a voter that has forgotten its votes.
func TestAVoterDoesNotMove(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c := start(t, 3)
	k := c.client()
	create(ctx, t, k, "before")
	status, err := k.Cluster().Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	code, out := command(t, "--server", strings.Join(c.addresses(), ","), "cluster", "join", status.NodeName,
		"--id", status.NodeID, "--raft-address", freeAddress(t), "--api-address", freeAddress(t))
	if code != candor.ReasonMemberExists.Disposition().Exit || !strings.Contains(out, c.named(status.NodeName).raft) {
		t.Errorf("a join of voter %s elsewhere ended with %d: %s", status.NodeName, code, out)
	}
	c.wantMembers(ctx, k, 3, 3)
	create(ctx, t, k, "after")
}
