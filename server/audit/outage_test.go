package audit

import (
	"bytes"
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	candor "github.com/candor-plane/candor"
)

func diskFull([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestLostRecordsAreCountedAndSaidFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		fsys := newFaulty(t, dir)
		var said bytes.Buffer
		o := options(dir)
		o.FS, o.Logger = fsys, hclog.New(&hclog.LoggerOptions{Output: &said})
		l := open(t, o)
		put(t, l, "before")
		synctest.Wait()

		fsys.set(func(f *faulty) { f.write = diskFull })
		since := time.Now()
		for range 30 {
			put(t, l, "lost")
			synctest.Wait()
			time.Sleep(time.Second)
		}
		if s := l.Stats(); !s.Failing || s.Lost != 30 || !strings.Contains(s.LastError, "no space left") || s.Depth != 0 {
			t.Errorf("stats %+v", s)
		}
		if n := strings.Count(said.String(), "[ERROR]"); n != 1 {
			t.Errorf("logged %d times in half a minute:\n%s", n, said.String())
		}

		fsys.set(func(f *faulty) { f.write = nil })
		time.Sleep(lastRetry) // without a new record
		synctest.Wait()
		put(t, l, "after")
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		got := records(t, dir)
		if diff := cmp.Diff([]string{"before", "", "after"}, names(got)); diff != "" {
			t.Fatalf("names (-want +got):\n%s", diff)
		}
		gap := got[1]
		if gap.Verdict != Lost || gap.Count != 30 || !gap.Since.Equal(since) {
			t.Errorf("gap %+v: want 30 lost since %v", gap, since)
		}
		// The numbers of the lost are missing, and no others.
		if got[0].Sequence != 1 || gap.Sequence != 32 || got[2].Sequence != 33 {
			t.Errorf("sequences %d, %d, %d", got[0].Sequence, gap.Sequence, got[2].Sequence)
		}
		if !strings.Contains(said.String(), "audit records are written again") {
			t.Errorf("the recovery was not logged:\n%s", said.String())
		}
	})
}

func TestAShortWriteKeepsWholeLinesAndNoPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		fsys := newFaulty(t, dir)
		o := options(dir)
		o.FS = fsys
		l := open(t, o)
		synctest.Wait()
		// The first line and half of the second of three get through.
		fsys.set(func(f *faulty) {
			f.write = func(p []byte) (int, error) {
				first := bytes.IndexByte(p, '\n') + 1
				second := bytes.IndexByte(p[first:], '\n')
				f.set(func(f *faulty) { f.write = nil })
				return first + second/2, syscall.ENOSPC
			}
		})
		tickets := make([]Ticket, 3)
		for at := range tickets {
			var err error
			if tickets[at], err = l.Reserve(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for at, name := range []string{"whole", "half", "none"} {
			r := Record{Name: name, Verdict: Allowed}
			r.complete()
			l.queue.mu.Lock()
			l.queue.pending = append(l.queue.pending, r) // one batch
			l.queue.held--
			l.queue.mu.Unlock()
			tickets[at] = Ticket{}
		}
		l.queue.ring()
		time.Sleep(time.Second)
		put(t, l, "after")
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		got := records(t, dir)
		if diff := cmp.Diff([]string{"whole", "", "after"}, names(got)); diff != "" {
			t.Fatalf("names (-want +got):\n%s", diff)
		}
		if got[1].Count != 2 || got[1].Sequence != 4 {
			t.Errorf("gap %+v: want 2 lost, 2 and 3", got[1])
		}
	})
}

func TestARequiredLogRefusesWhileItCannotBeWrittenAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		fsys := newFaulty(t, dir)
		fsys.set(func(f *faulty) { f.write = diskFull })
		o := options(dir)
		o.FS, o.Required, o.Queue = fsys, true, 2
		l := open(t, o)
		put(t, l, "kept")
		synctest.Wait()
		_, err := l.Reserve(t.Context())
		wantReason(t, err, candor.ReasonDiskPressure)

		fsys.set(func(f *faulty) { f.write = nil })
		time.Sleep(lastRetry)
		synctest.Wait()
		put(t, l, "after")
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"kept", "after"}, names(records(t, dir))); diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
		if s := l.Stats(); s.Lost != 0 || s.Failing {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestWhoWaitsForARequiredLogIsToldWhenItFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		fsys := newFaulty(t, dir)
		hang := make(chan struct{})
		fsys.set(func(f *faulty) {
			f.write = func([]byte) (int, error) { <-hang; return 0, syscall.EIO }
		})
		o := options(dir)
		o.FS, o.Required, o.Queue = fsys, true, 2
		l := open(t, o)
		put(t, l, "a")
		put(t, l, "b")
		got := make(chan error)
		go func() {
			_, err := l.Reserve(t.Context())
			got <- err
		}()
		synctest.Wait()
		close(hang)
		wantReason(t, <-got, candor.ReasonDiskPressure)
		err := l.Close()
		wantReason(t, err, candor.ReasonDiskPressure)
		if s := l.Stats(); s.Lost != 2 {
			t.Errorf("stats %+v: want both lost at the end", s)
		}
	})
}

func TestAFailedFsyncIsSaidWithTheLinesThatItPutsInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		fsys := newFaulty(t, dir)
		o := options(dir)
		o.FS = fsys
		l := open(t, o)
		fsys.set(func(f *faulty) {
			f.sync = func() error {
				f.set(func(f *faulty) { f.sync = nil })
				return syscall.EIO
			}
		})
		put(t, l, "a")
		put(t, l, "b")
		synctest.Wait()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		got := records(t, dir)
		if len(got) != 3 || got[2].Verdict != Lost || got[2].Unsynced != 2 || got[2].Count != 0 {
			t.Errorf("got %+v: want two lines and a word about them", got)
		}
	})
}

func TestAnOutageEndsOnlyWithAnFsync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		fsys := newFaulty(t, dir)
		fsys.set(func(f *faulty) { f.sync = func() error { return syscall.EIO } })
		o := options(dir)
		o.FS, o.Required = fsys, true
		l := open(t, o)
		put(t, l, "a")
		time.Sleep(1500 * time.Millisecond) // the first interval has ended
		for range 100 {
			_, err := l.Reserve(t.Context())
			wantReason(t, err, candor.ReasonDiskPressure)
			time.Sleep(100 * time.Millisecond)
		}
		fsys.set(func(f *faulty) { f.sync = nil })
		time.Sleep(lastRetry)
		synctest.Wait()
		put(t, l, "b")
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestFsyncFollowsItsPolicy(t *testing.T) {
	for policy, want := range map[SyncPolicy]int{SyncInterval: 1, SyncBatch: 10} {
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			fsys := newFaulty(t, dir)
			syncs := 0
			fsys.set(func(f *faulty) {
				f.sync = func() error { f.set(func(*faulty) { syncs++ }); return nil }
			})
			o := options(dir)
			o.FS, o.Sync, o.SyncInterval = fsys, policy, time.Second
			l := open(t, o)
			for range 10 {
				put(t, l, "a")
				synctest.Wait()
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			fsys.set(func(*faulty) {
				if syncs != want {
					t.Errorf("%s: %d fsyncs, want %d", policy, syncs, want)
				}
			})
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestALogSinkThatBlocksDoesNotStopTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		fsys := newFaulty(t, dir)
		fsys.set(func(f *faulty) { f.write = diskFull })
		free := make(chan struct{})
		o := options(dir)
		o.FS, o.Logger = fsys, hclog.New(&hclog.LoggerOptions{Output: blocking(free)})
		l := open(t, o)
		put(t, l, "a")
		synctest.Wait()
		fsys.set(func(f *faulty) { f.write = nil })
		time.Sleep(time.Second)
		put(t, l, "b")
		synctest.Wait()
		if got := names(records(t, dir)); len(got) != 2 || got[1] != "b" {
			t.Errorf("names %v", got)
		}
		wantReason(t, l.Close(), candor.ReasonTimedOut)
		close(free)
	})
}

type blocking chan struct{}

func (b blocking) Write(p []byte) (int, error) {
	<-b
	return len(p), nil
}

func TestCloseSaysWhatItCouldNotDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := open(t, options(t.TempDir()))
		ticket, err := l.Reserve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		err = l.Close()
		wantReason(t, err, candor.ReasonTimedOut)
		if again := l.Close(); !errors.Is(again, err) && again.Error() != err.Error() {
			t.Errorf("the second Close says %v", again)
		}
		ticket.Commit(Record{Verdict: Allowed})
		if s := l.Stats(); s.Lost != 1 {
			t.Errorf("stats %+v: want the late record lost", s)
		}
		_, err = l.Reserve(t.Context())
		wantReason(t, err, candor.ReasonShuttingDown)
	})
}

func TestCloseWaitsForTicketsAndWritesTheirRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := open(t, options(dir))
		ticket, err := l.Reserve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		closed := make(chan error)
		go func() { closed <- l.Close() }()
		time.Sleep(time.Second)
		ticket.Commit(Record{Name: "late", Verdict: Allowed})
		if err := <-closed; err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"late"}, names(records(t, dir))); diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
	})
}
