package replica

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/server/replica/datadir"
)

// durable is one server on a real directory, in real time.
type durable struct {
	t        testing.TB
	path     string
	kind     datadir.LogStore
	disk     datadir.Disk
	settings Settings
	r        *Replica
	dir      *datadir.Dir
	fatal    atomic.Pointer[error]
}

func newDurable(t testing.TB, kind datadir.LogStore) *durable {
	s := Default()
	s.Heartbeat, s.Election, s.LeaderLease, s.CommitTimeout = 50*time.Millisecond, 50*time.Millisecond, 40*time.Millisecond, 5*time.Millisecond
	s.DiskWatermarkBytes, s.DiskInterval = 1<<20, 20*time.Millisecond
	d := &durable{t: t, path: t.TempDir(), kind: kind, settings: s}
	t.Cleanup(func() { d.kill() })
	return d
}

func (d *durable) open() error {
	dir, err := datadir.Open(d.path, datadir.Options{
		Name: "n1", ClusterID: "c1", LogStore: d.kind, SegmentBytes: 64 << 10, BallastBytes: -1, Disk: d.disk, Logger: hclog.NewNullLogger(),
	})
	if err != nil {
		return err
	}
	_, trans := raft.NewInmemTransport("a1")
	d.dir = dir
	d.r, err = New(Config{
		Dir: dir, Machine: fsm.New(fsm.Config{ClusterID: "c1"}), Transport: trans, Peers: nobody{}, Settings: d.settings,
		Logger: hclog.NewNullLogger(), OnFatal: func(err error) { d.fatal.CompareAndSwap(nil, &err) },
	})
	if err != nil {
		d.r = nil
		if closed := dir.Close(); closed != nil {
			d.t.Error(closed)
		}
		if closed := trans.Close(); closed != nil {
			d.t.Error(closed)
		}
	}
	return err
}

// start opens the server and waits until it leads.
func (d *durable) start() {
	d.t.Helper()
	if err := d.open(); err != nil {
		d.t.Fatal(err)
	}
	if d.dir.Empty() {
		if err := d.r.Bootstrap([]raft.Server{{ID: raft.ServerID(d.dir.Identity().ServerID), Address: "a1"}}); err != nil {
			d.t.Fatal(err)
		}
	}
	for began := time.Now(); !d.r.Leading(); time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			d.t.Fatalf("does not lead after %s: %+v", time.Since(began), d.r.Status())
		}
	}
}

func (d *durable) stop() {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := d.r.Close(ctx); err != nil {
		d.t.Fatal(err)
	}
	d.r = nil
}

func (d *durable) kill() {
	if d.r == nil {
		return
	}
	if err := d.r.Kill(); err != nil {
		d.t.Error(err)
	}
	d.r = nil
}

func (d *durable) create(names ...string) {
	d.t.Helper()
	for _, name := range names {
		result, err := propose(d.r, name, 10*time.Second)
		if err == nil {
			err = result.Err()
		}
		if err != nil {
			d.t.Fatal(err)
		}
	}
}

func (d *durable) fill(from, to int) {
	d.t.Helper()
	for i := from; i < to; i++ {
		d.create(fmt.Sprint("n", i))
	}
}

func (d *durable) wantAll(to int) {
	d.t.Helper()
	for i := range to {
		v, err := d.r.machine.View().Get(candor.Ref{Kind: candor.KindNamespaces, Name: fmt.Sprint("n", i)}, 0)
		if err != nil || v == nil {
			d.t.Fatalf("n%d is missing: %v", i, err)
		}
	}
}

type nobody struct{}

func (nobody) Confirm(context.Context, raft.Server, ConfirmQuestion) (ConfirmAnswer, error) {
	return ConfirmAnswer{}, errLost
}

func (nobody) Prove(context.Context, raft.Server, uint64) (ProveAnswer, error) {
	return ProveAnswer{}, errLost
}

func (nobody) Forward(context.Context, raft.Server, uint64, []byte, uint64) (ForwardAnswer, error) {
	return ForwardAnswer{}, errLost
}

func kinds(t *testing.T, run func(t *testing.T, d *durable)) {
	for _, kind := range []datadir.LogStore{datadir.WAL, datadir.BoltDB} {
		t.Run(string(kind), func(t *testing.T) { run(t, newDurable(t, kind)) })
	}
}

func TestEverythingAcknowledgedSurvivesStopAndCrash(t *testing.T) {
	kinds(t, func(t *testing.T, d *durable) {
		d.settings.SnapshotBytes, d.settings.SnapshotInterval = 8<<10, 10*time.Millisecond
		d.settings.TrailingBytes, d.settings.TrailingEntries = 1<<10, 1
		d.start()
		d.fill(0, 100)
		digest := d.r.machine.View().Digest()
		d.stop()
		d.start()
		if got := d.r.Status(); got.Restart != candor.RestartReady || len(got.Configuration.Servers) != 1 {
			t.Errorf("after a clean stop: %+v", got)
		}
		d.wantAll(100)
		d.fill(100, 200)
		d.kill()
		d.start()
		if got := d.r.Status(); got.Restart != candor.RestartCatchUp {
			t.Errorf("after a crash: %s (%s)", got.Restart, got.RestartWhy)
		}
		d.wantAll(200)
		if got := d.r.Status(); got.SnapshotIndex == 0 || got.FirstIndex < 2 {
			t.Errorf("no snapshot was taken: %+v", got)
		}
		if d.r.machine.View().Digest() == digest {
			t.Error("the digest did not move")
		}
		if d.fatal.Load() != nil {
			t.Error(*d.fatal.Load())
		}
	})
}

func TestAStopWithMuchToReplayLeavesASnapshot(t *testing.T) {
	d := newDurable(t, datadir.WAL)
	d.settings.StopSnapshotBytes = 4 << 10
	d.start()
	d.fill(0, 50)
	at := d.r.applied.index.Load()
	d.stop()
	if err := d.open(); err != nil {
		t.Fatal(err)
	}
	if got := d.dir.Recovery().SnapshotIndex; got != at {
		t.Errorf("snapshot at %d, stopped at %d", got, at)
	}
	if got := d.r.applied.index.Load(); got != at {
		t.Errorf("the view starts at %d", got)
	}
}

// damageSnapshot flips a byte in the middle of the newest snapshot.
func (d *durable) damageSnapshot() string {
	d.t.Helper()
	found, err := filepath.Glob(filepath.Join(d.path, "raft", "snapshots", "*.snap"))
	if err != nil || len(found) != 1 {
		d.t.Fatalf("snapshots %v %v", found, err)
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		d.t.Fatal(err)
	}
	data[len(data)/2] ^= 0x10
	if err := os.WriteFile(found[0], data, 0o600); err != nil {
		d.t.Fatal(err)
	}
	return found[0]
}

func TestADamagedSnapshotIsRefusedByNameOrRebuilt(t *testing.T) {
	kinds(t, func(t *testing.T, d *durable) {
		d.start()
		d.fill(0, 40)
		if err := d.r.Snapshot(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.fill(40, 50)
		d.stop()
		file := d.damageSnapshot()
		d.start()
		if got := d.r.Status(); got.Restart != candor.RestartRebuild || !strings.Contains(got.RestartWhy, file) {
			t.Errorf("restart %s: %s", got.Restart, got.RestartWhy)
		}
		d.wantAll(50)

		d.stop()
		d.settings.TrailingBytes, d.settings.TrailingEntries = 1, 1
		d.start()
		d.fill(50, 90)
		if err := d.r.Snapshot(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.stop()
		file = d.damageSnapshot()
		err := d.open()
		wantReason(t, err, candor.ReasonDataCorrupt)
		if !strings.Contains(err.Error(), file) {
			t.Errorf("%v does not name %s", err, file)
		}
		if _, err := os.Stat(file); err != nil {
			t.Errorf("the refused file: %v", err)
		}
	})
}

func TestADirectoryOfAnotherClusterIsRefused(t *testing.T) {
	d := newDurable(t, datadir.WAL)
	d.start()
	d.stop()
	dir, err := datadir.Open(d.path, datadir.Options{BallastBytes: -1, Logger: hclog.NewNullLogger()})
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	_, trans := raft.NewInmemTransport("a1")
	_, err = New(Config{Dir: dir, Machine: fsm.New(fsm.Config{ClusterID: "c2"}), Transport: trans, Peers: nobody{}, Settings: d.settings, Logger: hclog.NewNullLogger()})
	wantReason(t, err, candor.ReasonDataForeign)
}

// smallDisk says what the test says.
type smallDisk struct{ free atomic.Uint64 }

func (d *smallDisk) Free(string) (uint64, uint64, error) { return d.free.Load(), 100 << 20, nil }

func TestAShortDiskRefusesWritesUntilThereIsRoom(t *testing.T) {
	d := newDurable(t, datadir.WAL)
	disk := &smallDisk{}
	disk.free.Store(50 << 20)
	d.disk = disk
	d.start()
	d.create("before")
	disk.free.Store(700 << 10)
	waitFor(t, func() bool { return d.r.Status().DiskPressure })
	_, err := propose(d.r, "refused", time.Second)
	wantReason(t, err, candor.ReasonDiskPressure)
	compact := command.AppendCommand(nil, command.Compact(1))
	if _, err := d.r.Propose(t.Context(), Proposal{Command: compact, Frees: true}); err != nil {
		t.Errorf("what makes room: %v", err)
	}
	disk.free.Store(100 << 10)
	waitFor(t, func() bool { return d.r.Status().DiskFree == 100<<10 })
	_, err = d.r.Propose(t.Context(), Proposal{Command: compact, Frees: true})
	wantReason(t, err, candor.ReasonDiskPressure)
	disk.free.Store(50 << 20)
	waitFor(t, func() bool { return !d.r.Status().DiskPressure })
	d.create("after")
	if d.fatal.Load() != nil {
		t.Error(*d.fatal.Load())
	}
}

func waitFor(t testing.TB, condition func() bool) {
	t.Helper()
	for began := time.Now(); !condition(); time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatal("not within 10 s")
		}
	}
}
