package gossip

import (
	"fmt"
	"strings"
	"testing"
	"time"

	candor "github.com/candor-plane/candor"
)

func refusedNote(n, seconds int) note {
	id := identity(n)
	id.ClusterID = "other"
	return note{
		kind: noteRefused, id: id.ServerID, addr: fmt.Sprintf("127.0.0.1:%d", 7000+n), meta: Meta{Identity: id},
		reason: candor.ReasonClusterMismatch, at: at(seconds), count: 1,
	}
}

func TestARefusedPeerIsLoggedOnceAndCountedAlways(t *testing.T) {
	logger, lines := testLogger()
	l := newRefusalLedger(testCluster, logger)
	for s := range 100 {
		l.record(refusedNote(2, s))
	}
	if got := lines.lines("refused a peer"); len(got) != 1 {
		t.Fatalf("%d lines, want 1: %v", len(got), got)
	}
	line := lines.lines("refused a peer")[0]
	for _, want := range []string{"CLUSTER_MISMATCH", serverID(2), "its_cluster=other", "this_cluster=" + testCluster} {
		if !strings.Contains(line, want) {
			t.Errorf("%q does not say %s", line, want)
		}
	}
	if got := l.list(); len(got) != 1 || got[0].Count != 100 || !got[0].First.Equal(at(0)) || !got[0].Last.Equal(at(99)) {
		t.Errorf("ledger %+v", got)
	}
	l.record(refusedNote(2, int(refusalLogInterval/time.Second)+1))
	if got := lines.lines("count=101"); len(got) != 1 {
		t.Error("not logged again after the interval")
	}
}

func TestManyRefusedPeersDoNotFloodTheLogOrTheLedger(t *testing.T) {
	logger, lines := testLogger()
	l := newRefusalLedger(testCluster, logger)
	for n := range 500 {
		l.record(refusedNote(n, 0))
	}
	if got := len(lines.lines("refused a peer")); got != refusalLogsPerMinute {
		t.Errorf("%d lines within a minute, want %d", got, refusalLogsPerMinute)
	}
	if got := len(l.list()); got != maxRefusals {
		t.Errorf("%d entries kept, want %d", got, maxRefusals)
	}
	l.record(refusedNote(501, 61))
	if got := lines.lines(fmt.Sprintf("suppressed=%d", 500-refusalLogsPerMinute)); len(got) != 1 {
		t.Error("the next line does not say how many were left out")
	}
}

func conflictNote(kind noteKind, seconds int, existing, other bool) note {
	return note{
		kind: kind, id: serverID(1), at: at(seconds), count: 1,
		existing: Claim{Addr: "a:1", BootID: "b1", Answered: existing},
		other:    Claim{Addr: "a:2", BootID: "b2", Answered: other},
	}
}

func TestAConflictIsADuplicateOnlyWhenBothAddressesAnswer(t *testing.T) {
	logger, lines := testLogger()
	l := newConflictLedger(logger)
	if c := l.record(conflictNote(noteConflict, 0, false, false)); c == nil || c.Duplicate() {
		t.Fatalf("first sight: %+v", c)
	}
	if c := l.probed(conflictNote(noteConflictProbed, 1, false, true)); c != nil {
		t.Fatalf("a server that moved was taken for two: %+v", c)
	}
	if c := l.probed(conflictNote(noteConflictProbed, 2, true, true)); c == nil || !c.Duplicate() {
		t.Fatalf("two live servers were not proven: %+v", c)
	}
	if c := l.record(conflictNote(noteConflict, 3, false, false)); c != nil {
		t.Fatal("a known conflict was reported as new")
	}
	if got := l.list(); len(got) != 1 || !got[0].Duplicate() || got[0].Count != 2 {
		t.Errorf("ledger %+v", got)
	}
	if got := len(lines.lines("two live servers")); got != 1 {
		t.Errorf("%d error lines, want 1", got)
	}
}

func TestAConflictEndsWhenTheServerIsAcceptedOrNotSeenAgain(t *testing.T) {
	logger, _ := testLogger()
	l := newConflictLedger(logger)
	l.record(conflictNote(noteConflict, 0, false, false))
	l.settle(serverID(1), "a:1")
	if len(l.list()) != 1 {
		t.Fatal("news from the existing address ended the conflict")
	}
	l.settle(serverID(1), "a:2")
	if len(l.list()) != 0 {
		t.Fatal("the conflict outlived the move")
	}
	l.record(conflictNote(noteConflict, 0, false, false))
	l.expire(at(61))
	if len(l.list()) != 0 {
		t.Fatal("the conflict outlived its retention")
	}
}

func TestASlowSubscriberLearnsHowMuchItMissed(t *testing.T) {
	s := newSubscriptions()
	sub := s.add(1)
	for range 4 {
		s.send(Event{Was: StateAlive})
	}
	if e := <-sub.C(); e.Missed != 0 {
		t.Errorf("first event says %d missed", e.Missed)
	}
	s.send(Event{Was: StateDead})
	if e := <-sub.C(); e.Missed != 3 || e.Was != StateDead {
		t.Errorf("event %+v, want 3 missed", e)
	}
	if s.dropped() != 3 {
		t.Errorf("%d drops counted, want 3", s.dropped())
	}
	sub.Close()
	sub.Close()
	if _, open := <-sub.C(); open {
		t.Error("channel still open")
	}
	s.close()
	if _, open := <-s.add(1).C(); open {
		t.Error("a subscription after the end is open")
	}
}
