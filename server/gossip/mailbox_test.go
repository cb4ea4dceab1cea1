package gossip

import (
	"testing"
	"time"

	candor "github.com/candor-plane/candor"
)

func presenceNote(n int, kind noteKind, applied uint64) note {
	return note{kind: kind, id: serverID(n), meta: Meta{Hints: Hints{Applied: applied}}, at: time.Unix(int64(applied), 0)}
}

func TestMailboxKeepsOnlyTheNewestNoteOfAMember(t *testing.T) {
	b := newMailbox(4)
	b.post(presenceNote(1, noteAlive, 1))
	b.post(presenceNote(2, noteAlive, 1))
	b.post(presenceNote(1, noteAlive, 2))
	b.post(presenceNote(1, noteGone, 3))
	got := b.take()
	if len(got) != 2 {
		t.Fatalf("%d notes wait, want 2: %+v", len(got), got)
	}
	if got[0].id != serverID(1) || got[0].kind != noteGone || got[0].meta.Applied != 3 || got[0].count != 3 {
		t.Errorf("first note is %+v, want the end of n1 as the third of its notes", got[0])
	}
	if len(b.take()) != 0 {
		t.Error("notes were taken twice")
	}
}

func TestMailboxCountsWhatItDropsAndNeverWaits(t *testing.T) {
	b := newMailbox(2)
	for n := range 5 {
		b.post(refusedNote(n, 1))
	}
	b.post(refusedNote(0, 2))
	if got := b.dropped(); got != 3 {
		t.Errorf("%d drops counted, want 3", got)
	}
	got := b.take()
	if len(got) != 2 || !got[0].at.Equal(at(2)) {
		t.Errorf("waiting notes are %+v, want n0 (newest) and n1", got)
	}
	b.post(refusedNote(3, 1))
	if len(b.take()) != 1 {
		t.Error("no room again after the notes were taken")
	}
}

// Presence is told once: a flood of strangers must not push it out.
func TestMailboxAlwaysHasAPlaceForMembers(t *testing.T) {
	b := newMailbox(1)
	for n := range 5 {
		b.post(refusedNote(n, 1))
		b.post(presenceNote(n, noteAlive, 1))
	}
	if got := b.take(); len(got) != 6 || b.dropped() != 4 {
		t.Errorf("%d notes wait and %d were dropped, want 5 members, 1 refusal and 4 drops", len(got), b.dropped())
	}
}

func TestMailboxWakesItsReaderOnce(t *testing.T) {
	b := newMailbox(4)
	b.post(presenceNote(1, noteAlive, 1))
	b.post(presenceNote(2, noteAlive, 1))
	<-b.wake
	select {
	case <-b.wake:
		t.Error("two tokens for one batch")
	default:
	}
}

func TestMailboxTakesNothingAfterItIsClosed(t *testing.T) {
	b := newMailbox(4)
	b.close()
	b.post(presenceNote(1, noteAlive, 1))
	if len(b.take()) != 0 || b.dropped() != 0 {
		t.Error("a closed mailbox took a note")
	}
}

// A callback whose notes nobody reads still returns, and what is lost shows.
func TestQueueOverflowIsCountedAndCallbacksReturn(t *testing.T) {
	d := testDelegate()
	d.box = newMailbox(2)
	for n := range 10 {
		id := identity(n)
		id.ClusterID = "other"
		if err := d.NotifyAlive(libraryNode(t, id, 7000+n)); err == nil {
			t.Fatal("a server of another cluster was let in")
		}
	}
	if got := d.box.dropped(); got != 8 {
		t.Errorf("%d drops counted, want 8", got)
	}
	if got := d.refused.byReason()[candor.ReasonClusterMismatch]; got != 10 {
		t.Errorf("%d refusals counted, want 10: counting does not go through the queue", got)
	}
}
