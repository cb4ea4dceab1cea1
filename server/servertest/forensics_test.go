package servertest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/replica"
	"github.com/candor-plane/candor/server/servertest"
	"github.com/candor-plane/candor/verify/history"
	"github.com/candor-plane/candor/verify/replay"
)

// running is a server's log, as it gives it away.
type running struct {
	d      *client.Diagnostics
	origin replay.Origin
}

func runningOf(t *testing.T, k *client.Client, name string) *running {
	t.Helper()
	x := &running{d: k.Diagnostics(name)}
	ctx, cancel := within(20 * time.Second)
	defer cancel()
	digests, err := x.d.Digests(ctx, 0)
	noError(t, err)
	extent, err := x.d.LogExtent(ctx)
	noError(t, err)
	x.origin = replay.OriginOf(name, extent)
	for _, d := range digests {
		digest, err := replay.DigestOf(d.Digest)
		noError(t, err)
		x.origin.Points = append(x.origin.Points, replay.Point{Index: d.Index, Digest: digest, By: name})
	}
	return x
}

func (x *running) Origin() replay.Origin { return x.origin }

func (x *running) Entries(ctx context.Context, from, to uint64) iter.Seq2[replay.Entry, error] {
	return replay.EntriesOf(ctx, x.d, from, to)
}

func (x *running) Snapshot(ctx context.Context, id string) (io.ReadCloser, error) {
	var out bytes.Buffer
	_, err := x.d.LogSnapshot(ctx, id, &out)
	return io.NopCloser(&out), err
}

// longLogs keep every entry beside snapshots.
func longLogs() servertest.Option {
	return servertest.WithSettings(func(s *replica.Settings) { s.TrailingBytes, s.TrailingEntries = 1<<30, 1<<20 })
}

// TestALogComesToTheStateThatItsServerIsIn wherever it is read, and wherever it is
// begun: at the running server, and in its directory once it has stopped.
func TestALogComesToTheStateThatItsServerIsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := t.TempDir()
		c := servertest.Start(t, servertest.WithData(data), longLogs())
		k := c.Client(t)
		victim := c.Follower()
		for i := range 150 {
			name := fmt.Sprintf("n-%d", i)
			mustCreate(t, k, name)
			ctx, cancel := within(20 * time.Second)
			switch i % 7 {
			case 2:
				_, err := k.Create(ctx, namespace(name))
				wantReason(t, err, candor.ReasonAlreadyExists)
			case 4:
				_, err := k.Delete(ctx, refOf(name))
				noError(t, err)
			}
			if i == 80 {
				noError(t, victim.Replica().Snapshot(ctx))
			}
			cancel()
		}
		wantEqualStates(t, c)
		want := victim.Machine().View()
		live := runningOf(t, k, victim.Name())
		if live.origin.First != 1 || len(live.origin.Snapshots) != 1 {
			t.Fatalf("it holds %+v", live.origin)
		}
		report, err := replay.Run(t.Context(), live, replay.Options{})
		noError(t, err)
		if report.Verdict != history.Pass || report.Checked < 150 || report.Token.Index != live.origin.Committed || report.Refused == 0 {
			t.Errorf("the running server's: %+v", report)
		}
		_, verdict, err := replay.Starts(t.Context(), live, report)
		noError(t, err)
		if verdict != history.Pass {
			t.Errorf("from its snapshot it is %s", verdict)
		}
		if same, err := replay.Compare(t.Context(), live, runningOf(t, k, c.Leader().Name()), 0); err != nil || !same.Same {
			t.Errorf("the leader's is another: %+v, %v", same, err)
		}
		c.Kill(victim.Name())
		stopped := leftOf(t, filepath.Join(data, victim.Name()))
		report, err = replay.Run(t.Context(), stopped, replay.Options{To: want.Token().Index, Points: live.origin.Points})
		noError(t, err)
		if report.Verdict != history.Pass || report.Token != want.Token() || report.Digest != replay.Digest(want.Digest()) {
			t.Errorf("the directory's: %+v", report)
		}
		// Nothing was changed: it starts again.
		noError(t, stopped.Close())
		c.Restart(victim.Name())
		wantEqualStates(t, c)
	})
}

// TestAnEntryThatADiskAlteredIsFound by comparing two servers that run, down to the turn
// and the field.
func TestAnEntryThatADiskAlteredIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, faulty := withDisks(3)
		c := servertest.Start(t, faulty, manualRepair(), longLogs(), servertest.WithData(t.TempDir()))
		leader, victim := c.Leader(), c.Follower()
		k := c.Client(t, leader.Name())
		for i := range 20 {
			mustCreate(t, k, fmt.Sprintf("before-%d", i))
		}
		d.arm(victim.Name(), 'A')
		write := markedWrite(t, c, d, k, "poisoned", victim)
		for i := range 20 {
			mustCreate(t, k, fmt.Sprintf("after-%d", i))
		}
		c.Until("all have all", func() bool { return victim.Machine().View().Token().Index >= leader.Machine().View().Token().Index })
		found, err := replay.Compare(t.Context(), runningOf(t, k, leader.Name()), runningOf(t, c.Client(t, victim.Name()), victim.Name()), 0)
		noError(t, err)
		if found.Same || found.SameEntry || found.Index != write.Token.Index || len(found.A.Turns) == 0 || len(found.B.Turns) == 0 {
			t.Fatalf("entry %d was altered; it says %+v", write.Token.Index, found)
		}
		if len(found.Objects) != 1 || found.Objects[0].Object != refOf("poisoned") || len(found.Objects[0].Changes) != 1 {
			t.Errorf("the objects: %+v", found.Objects)
		}
	})
}

// TestASnapshotThatIsNotThereIsNotServed, nor what is no snapshot.
func TestASnapshotThatIsNotThereIsNotServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithServers(1), servertest.WithData(t.TempDir()))
		d := c.Client(t).Diagnostics(c.Leader().Name())
		ctx, cancel := within(20 * time.Second)
		defer cancel()
		for _, id := range []string{"none", "../../identity", ""} {
			_, err := d.LogSnapshot(ctx, id, io.Discard)
			wantReason(t, err, candor.ReasonNotFound)
		}
	})
}
