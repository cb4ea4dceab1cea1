package integration

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill/stage/disk"
)

// damage is a way to lose what a file held. Each makes another file of it.
var damage = map[string]func([]byte) []byte{
	// The stable store's second half may be free pages, which nobody misses.
	"truncated":   func(b []byte) []byte { return b[:len(b)/3] },
	"emptied":     func([]byte) []byte { return nil },
	"bit flipped": func(b []byte) []byte { return disk.FlipBit(b, 20) },
	"missing":     nil,
}

// filled is a stopped server with a snapshot, a log from its first entry on,
// and these objects.
func filled(ctx context.Context, t *testing.T) (*cluster, map[string]uint64) {
	t.Helper()
	c := alone(ctx, t, "--snapshot-bytes", "4096")
	p, k := c.servers[0], c.client()
	w := c.write(ctx, 2)
	w.goOn(ctx, t, 100)
	until(ctx, t, "a snapshot", func() bool {
		status, err := k.Diagnostics(p.api).Node(ctx)
		return err == nil && status.SnapshotIndex > 0
	})
	w.goOn(ctx, t, 10)
	return c, w.end()
}

// path is the one file of the server's that the pattern fits.
func (p *process) path(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(p.data, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %q, %v", pattern, found, err)
	}
	return found[0]
}

// isNamed wants a start to refuse the damaged file by its name, and leaves the
// file as it was before.
func (p *process) isNamed(t *testing.T, path string, mangle func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if mangle == nil {
		err = os.Remove(path)
	} else {
		err = os.WriteFile(path, mangle(data), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.refuses(t, candor.ReasonDataCorrupt, path)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestADamagedFileIsRefusedByNameAndNeverServed(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	c, acked := filled(ctx, t)
	p := c.servers[0]
	p.stop(t)
	for _, pattern := range []string{"identity.json", "clean-stop.json", "raft/stable.db", "raft/wal/segments.json", "raft/wal/*.wal"} {
		path := p.path(t, pattern)
		for how, mangle := range damage {
			if pattern == "clean-stop.json" && mangle == nil {
				continue // What a crash leaves.
			}
			t.Run(filepath.Base(pattern)+" "+how, func(t *testing.T) { p.isNamed(t, path, mangle) })
		}
	}
	segment := p.path(t, "raft/wal/*.wal")
	t.Run("the last entry", func(t *testing.T) {
		p.isNamed(t, segment, func(b []byte) []byte { return disk.FlipBit(b, len(bytes.TrimRight(b, "\x00"))-20) })
	})
	t.Run("after a crash", func(t *testing.T) {
		p.begin(t)
		c.answers(ctx, c.client(), p)
		p.kill()
		for _, path := range []string{segment, p.path(t, "raft/stable.db"), p.path(t, "identity.json")} {
			p.isNamed(t, path, damage["bit flipped"])
			p.isNamed(t, path, damage["truncated"])
		}
	})
	p.begin(t)
	c.answers(ctx, c.client(), p)
	c.holds(ctx, c.client(), acked)
}

// TestADamagedSnapshotIsSetAsideWhereTheLogHasItAll: nothing that the snapshot
// held is served from it, and nothing is lost.
func TestADamagedSnapshotIsSetAsideWhereTheLogHasItAll(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	c, acked := filled(ctx, t)
	p := c.servers[0]
	p.stop(t)
	path := p.path(t, "raft/snapshots/*.snap")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, disk.FlipBit(data, len(data)/2), 0o600); err != nil {
		t.Fatal(err)
	}
	p.begin(t)
	k := c.client()
	c.answers(ctx, k, p)
	status, err := k.Cluster().Status(ctx)
	if err != nil || status.RestartState != candor.RestartRebuild || !strings.Contains(status.RestartReason, path) {
		t.Errorf("status %+v, %v", status, err)
	}
	if _, err := os.Stat(path + ".damaged"); err != nil {
		t.Error(err)
	}
	c.holds(ctx, k, acked)
}

// TestADamagedSnapshotIsRefusedWhereNothingReplacesIt restores a new cluster, whose
// log does not reach back before its snapshot.
func TestADamagedSnapshotIsRefusedWhereNothingReplacesIt(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	c, acked := filled(ctx, t)
	file := filepath.Join(c.dir, "backup.candor")
	if code, out := command(t, "--server", c.servers[0].api, "snapshot", "save", file); code != 0 {
		t.Fatal(out)
	}
	p := newProcess(t, c.dir, "restored")
	if code, out := command(t, "snapshot", "restore", file, "--name", p.name, "--data", p.data, "--raft", p.raft); code != 0 {
		t.Fatal(out)
	}
	restored := &cluster{t: t, dir: c.dir, servers: []*process{p}}
	p.begin(t)
	k := restored.client()
	restored.answers(ctx, k, p)
	create(ctx, t, k, "after")
	p.stop(t)
	path := p.path(t, "raft/snapshots/*.snap")
	for how, mangle := range damage {
		if mangle != nil {
			t.Run(how, func(t *testing.T) { p.isNamed(t, path, mangle) })
		}
	}
	t.Run("in the middle", func(t *testing.T) {
		p.isNamed(t, path, func(b []byte) []byte { return disk.FlipBit(b, len(b)/2) })
	})
	p.begin(t)
	restored.answers(ctx, k, p)
	for name := range acked {
		if _, _, err := k.Get(ctx, candor.Ref{Kind: candor.KindNamespaces, Name: name}, client.WithoutSession()); err != nil {
			t.Errorf("%s after the restore: %v", name, err)
		}
	}
}
