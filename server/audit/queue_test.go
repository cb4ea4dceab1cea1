package audit

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	candor "github.com/candor-plane/candor"
)

func TestReserveWaitsForRoomAndSaysWhenThereWasNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t.TempDir())
		o.Queue = 2
		l := open(t, o)
		first, err := l.Reserve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		second, err := l.Reserve(t.Context())
		if err != nil {
			t.Fatal(err)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err = l.Reserve(ctx)
		wantReason(t, err, candor.ReasonQueueSaturated)
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("waited %v, want the whole second", waited)
		}

		got := make(chan error)
		go func() {
			third, err := l.Reserve(t.Context())
			third.Commit(Record{Name: "third", Verdict: Allowed})
			got <- err
		}()
		synctest.Wait()
		if s := l.Stats(); s.Waiting != 1 || s.Depth != 2 || s.Refused != 1 || s.Waits != 2 {
			t.Errorf("stats %+v: want one to wait for two rooms, and one refused", s)
		}
		first.Drop()
		first.Drop() // nothing: its room was given back
		if err := <-got; err != nil {
			t.Errorf("after a ticket was dropped: %v", err)
		}
		second.Commit(Record{Name: "second", Verdict: Allowed})
		second.Drop()
		synctest.Wait()
		if s := l.Stats(); s.Depth != 0 || s.Written != 2 {
			t.Errorf("stats %+v: want all room free and two lines", s)
		}
	})
}

func TestRoomIsGivenInTheOrderOfAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(2)
		for range 2 {
			if err := q.reserve(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		order := make(chan int, 5)
		for n := range 5 {
			go func() {
				if err := q.reserve(t.Context()); err == nil {
					order <- n
				}
			}()
			synctest.Wait()
		}
		for want := range 5 {
			q.drop()
			synctest.Wait()
			if got := <-order; got != want {
				t.Fatalf("waiter %d got room before %d", got, want)
			}
		}
	})
}

func TestAHungDiskHoldsNobodyWhoHasActed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		fsys := newFaulty(t, dir)
		thaw := make(chan struct{})
		fsys.set(func(f *faulty) {
			f.write = func(p []byte) (int, error) { <-thaw; return len(p), nil }
		})
		o := options(dir)
		o.FS, o.Queue = fsys, 8
		l := open(t, o)
		var tickets []Ticket
		for range 8 {
			ticket, err := l.Reserve(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			tickets = append(tickets, ticket)
		}
		began := time.Now()
		for at := range tickets {
			tickets[at].Commit(Record{Name: fmt.Sprint(at), Verdict: Allowed})
		}
		l.Handshake(Record{Verdict: Denied, Method: MethodTLSHandshake})
		if waited := time.Since(began); waited != 0 {
			t.Errorf("commits took %v on a hung disk", waited)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := l.Reserve(ctx)
		wantReason(t, err, candor.ReasonQueueSaturated)

		wantReason(t, l.Close(), candor.ReasonTimedOut)
		if waited := time.Since(began); waited > 6*time.Second {
			t.Errorf("Close took %v", waited)
		}
		close(thaw)
		synctest.Wait()
		// The handshake has no name, and a place of its own.
		got := slices.DeleteFunc(names(records(t, dir)), func(name string) bool { return name == "" })
		if len(got) != 8 || got[0] != "0" || got[7] != "7" {
			t.Errorf("after the thaw: %v", got)
		}
	})
}

func TestEveryRecordIsWrittenOnceUnderLoad(t *testing.T) {
	dir := t.TempDir()
	o := options(dir)
	o.Queue = 16
	l := open(t, o)
	const callers, each = 16, 200
	var callersDone sync.WaitGroup
	for c := range callers {
		callersDone.Go(func() {
			for n := range each {
				ticket, err := l.Reserve(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if n%5 == 4 {
					ticket.Drop()
					continue
				}
				ticket.Commit(Record{Name: fmt.Sprintf("%d/%d", c, n), Verdict: Allowed})
			}
		})
	}
	callersDone.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for at, r := range records(t, dir) {
		seen[r.Name]++
		if r.Sequence != uint64(at+1) {
			t.Fatalf("line %d has sequence %d", at+1, r.Sequence)
		}
	}
	for name, times := range seen {
		if times != 1 {
			t.Errorf("%s was written %d times", name, times)
		}
	}
	if want := callers * each * 4 / 5; len(seen) != want {
		t.Errorf("%d records, want %d", len(seen), want)
	}
	if s := l.Stats(); s.Depth != 0 || s.Lost != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestATicketOfNothingDoesNothing(t *testing.T) {
	o := options("")
	o.Level = LevelNone
	l := open(t, o)
	ticket, err := l.Reserve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ticket.Commit(Record{Verdict: Denied})
	ticket.Drop()
	l.Handshake(Record{Verdict: Denied})
	if s := l.Stats(); s.Written != 0 || s.Level != LevelNone {
		t.Errorf("stats %+v", s)
	}
	wantReason(t, l.Tail(t.Context(), TailOptions{}, func([]byte) error { return nil }), candor.ReasonUnavailable)
}
