package integration

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// A room holds the ballast (40 MiB), two segments of the log (32 MiB each), and
// the watermark: that is more than a segment, and with what it takes to end the
// pressure less than the ballast.
const (
	roomBytes  = 160 << 20
	watermark  = 34 << 20
	shortBytes = 25 << 20 // enough to delete something
)

// TestAServerWhoseDiskIsFullLeavesTheOthersToGoOn: one of three. It hands
// leadership over whenever it has it, and once there is room it holds all that
// the others do.
func TestAServerWhoseDiskIsFullLeavesTheOthersToGoOn(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 55*time.Second)
	defer cancel()
	r := newRoom(t, 2*roomBytes) // with snapshots
	c := plan(t, 3, "--disk-watermark", fmt.Sprint(watermark), "--snapshot-bytes", "2097152")
	p := c.servers[0]
	p.data = filepath.Join(r.path, p.name)
	c.begin()
	k := c.client()
	c.lead(ctx, k, p)
	w := c.write(ctx, 2)
	w.goOn(ctx, t, 20)
	r.leave(t, shortBytes)
	until(ctx, t, "another leader", func() bool { return c.leader(ctx, k) != p })
	w.goOn(ctx, t, 20)
	c.pressed(ctx, k, p)
	// Leadership may come back, as when the others die.
	if _, err := k.Cluster().TransferLeader(ctx, p.name); err != nil && candor.ReasonOf(err) != candor.ReasonUnavailable {
		t.Fatal(err)
	}
	w.goOn(ctx, t, 20)

	r.leave(t, 0)
	acked := w.end()
	// More than the segment that it writes to still holds.
	for i := range 160 {
		name := fmt.Sprintf("large-%d", i)
		acked[name] = large(ctx, t, k, name)
	}
	create(ctx, t, k, "after")
	until(ctx, t, "a log write that finds no room", func() bool { return strings.Contains(p.said(t), "no space left on device") })
	select {
	case <-p.ended:
		t.Errorf("%s did not survive: %s", p.name, p.said(t))
		p.kill()
	default:
	}
	// A snapshot that found no room takes none.
	until(ctx, t, "the end of a snapshot that finds no room", func() bool { return strings.Contains(p.said(t), "no snapshot taken") })
	until(ctx, t, "snapshots that are whole", func() bool {
		left, err := filepath.Glob(filepath.Join(p.data, "raft/snapshots/*.tmp"))
		return err == nil && len(left) == 0
	})
	r.empty(t)
	if p.child == nil {
		p.begin(t)
	}
	c.sameDigests(ctx, k, c.servers...)
	until(ctx, t, "the end of the pressure", func() bool { return !c.disk(ctx, k, p).Pressure })
	c.holds(ctx, k, acked)
}

// TestAFullClusterRefusesWritesAndGoesOn: all of three. Writes are surely not
// done, reads and deletions go on, and removing the ballast is enough to write
// again. What was acknowledged survives a stop with full disks.
func TestAFullClusterRefusesWritesAndGoesOn(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 55*time.Second)
	defer cancel()
	rooms := []*room{newRoom(t, roomBytes), newRoom(t, roomBytes), newRoom(t, roomBytes)}
	c := plan(t, 3, "--disk-watermark", fmt.Sprint(watermark))
	for i, p := range c.servers {
		p.data = filepath.Join(rooms[i].path, p.name)
	}
	c.begin()
	k := c.client()
	w := c.write(ctx, 4)
	w.goOn(ctx, t, 200)
	create(ctx, t, k, "gone")
	for _, r := range rooms {
		r.leave(t, shortBytes)
	}
	for _, p := range c.servers {
		c.pressed(ctx, k, p)
	}
	acked := w.end()
	c.refuses(ctx, k)
	c.holds(ctx, k, acked)
	if _, err := k.Delete(ctx, candor.Ref{Kind: candor.KindNamespaces, Name: "gone"}); err != nil {
		t.Errorf("a deletion while the disks are short: %v", err)
	}

	for _, r := range rooms {
		r.leave(t, 0)
	}
	for _, p := range c.servers {
		until(ctx, t, "a full disk", func() bool { return c.disk(ctx, k, p).FreeBytes == 0 })
	}
	c.refuses(ctx, k)
	c.holds(ctx, k, acked)
	for _, p := range c.servers {
		p.kill()
	}
	c.begin()
	for _, p := range c.servers {
		c.answers(ctx, k, p)
	}
	c.holds(ctx, k, acked)
	c.refuses(ctx, k)

	for _, p := range c.servers {
		if err := os.Remove(filepath.Join(p.data, "ballast")); err != nil {
			t.Fatal(err)
		}
	}
	acked["after"] = create(ctx, t, k, "after")
	c.holds(ctx, k, acked)
	c.sameDigests(ctx, k, c.servers...)
}

func (c *cluster) disk(ctx context.Context, k *client.Client, p *process) client.DiskStatus {
	c.t.Helper()
	report, err := k.Diagnostics(p.api).Node(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	return *report.Disk
}

// pressed waits until a server finds its disk short, and says so.
func (c *cluster) pressed(ctx context.Context, k *client.Client, p *process) {
	c.t.Helper()
	until(ctx, c.t, "disk pressure on "+p.name, func() bool {
		if !c.disk(ctx, k, p).Pressure {
			return false
		}
		status, err := k.Cluster().Status(ctx, client.OnEndpoint(p.api))
		if err != nil {
			c.t.Fatal(err)
		}
		for _, f := range status.Findings {
			if f.Reason == string(candor.ReasonDiskPressure) && f.Subject == p.data {
				return true
			}
		}
		return false
	})
}

// refuses wants writes to be refused for want of room, as surely not done. While
// leadership moves, that may be the reason for a moment.
func (c *cluster) refuses(ctx context.Context, k *client.Client) {
	c.t.Helper()
	until(ctx, c.t, "a refusal for want of room", func() bool {
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err := k.Create(short, object("refused"))
		if reason := candor.ReasonOf(err); err == nil || reason.Disposition().Exit != candor.ExitUnavailable {
			c.t.Fatalf("a write without room: %v", err)
		}
		return candor.ReasonOf(err) == candor.ReasonDiskPressure
	})
	until(ctx, c.t, "a command refused for want of room", func() bool {
		code, out := command(c.t, "--server", strings.Join(c.addresses(), ","), "--timeout", "1s", "label", "namespace", "w0-0", "room=none")
		if code != candor.ExitUnavailable {
			c.t.Fatalf("a write without room ended with %d: %s", code, out)
		}
		return strings.Contains(out, string(candor.ReasonDiskPressure))
	})
	if _, _, err := k.Get(ctx, candor.Ref{Kind: candor.KindNamespaces, Name: "refused"}); candor.ReasonOf(err) != candor.ReasonNotFound {
		c.t.Errorf("a refused write was done: %v", err)
	}
}

// large makes an object of the size of a large one, which no snapshot shrinks.
func large(ctx context.Context, t *testing.T, k *client.Client, name string) uint64 {
	t.Helper()
	noise := make([]byte, 110<<10)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	o := object(name)
	o.Metadata.Annotations = map[string]string{"noise": hex.EncodeToString(noise)}
	result, err := k.Create(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	return result.Object.Metadata.ResourceVersion
}
