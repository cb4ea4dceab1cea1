package gossip

import (
	"fmt"
	"testing"
	"time"
)

// at is a moment of a test's own clock.
func at(seconds int) time.Time { return time.Unix(1_000_000+int64(seconds), 0) }

func aliveNote(n, seconds int, addr string) note {
	return note{kind: noteAlive, id: serverID(n), addr: addr, meta: Meta{Identity: identity(n)}, at: at(seconds)}
}

func wantEvent(t *testing.T, e Event, ok bool, was, is State) {
	t.Helper()
	if !ok || e.Was != was || e.Member.State != is {
		t.Fatalf("event %v: %q to %q, want %q to %q", ok, e.Was, e.Member.State, was, is)
	}
}

func TestAMemberThatStopsAnsweringIsSuspectThenDead(t *testing.T) {
	tb := newTable(serverID(1), newRoster(8))
	e, ok := tb.alive(aliveNote(2, 0, "a:1"))
	wantEvent(t, e, ok, "", StateAlive)
	if _, ok := tb.unanswered(note{id: serverID(2), at: at(1)}); ok {
		t.Fatal("one lost packet made a member suspect")
	}
	e, ok = tb.unanswered(note{id: serverID(2), at: at(2)})
	wantEvent(t, e, ok, StateAlive, StateSuspect)
	if !e.Member.Since.Equal(at(2)) {
		t.Errorf("suspect since %v, want %v", e.Member.Since, at(2))
	}
	e, ok = tb.gone(note{id: serverID(2), addr: "a:1", meta: Meta{Identity: identity(2)}, at: at(5)})
	wantEvent(t, e, ok, StateSuspect, StateDead)
}

func TestAnAnswerEndsSuspicion(t *testing.T) {
	tb := newTable(serverID(1), newRoster(8))
	tb.alive(aliveNote(2, 0, "a:1"))
	tb.unanswered(note{id: serverID(2), at: at(1)})
	tb.unanswered(note{id: serverID(2), at: at(2)})
	e, ok := tb.answered(note{id: serverID(2), at: at(3), rtt: time.Millisecond})
	wantEvent(t, e, ok, StateSuspect, StateAlive)
	if e.Member.RTT != time.Millisecond || !e.Member.HeardAt.Equal(at(3)) {
		t.Errorf("heard at %v with %v", e.Member.HeardAt, e.Member.RTT)
	}
	if _, ok := tb.unanswered(note{id: serverID(2), at: at(4)}); ok {
		t.Error("misses from before the answer still count")
	}
}

func TestAGoodbyeMakesTheEndALeaveInEitherOrder(t *testing.T) {
	leaving := note{id: serverID(2), meta: Meta{Identity: identity(2), Leaving: true}, at: at(1)}
	gone := note{id: serverID(2), addr: "a:1", meta: Meta{Identity: identity(2)}, at: at(2)}

	before := newTable(serverID(1), newRoster(8))
	before.alive(aliveNote(2, 0, "a:1"))
	before.leaving(leaving)
	e, ok := before.gone(gone)
	wantEvent(t, e, ok, StateAlive, StateLeft)

	after := newTable(serverID(1), newRoster(8))
	after.alive(aliveNote(2, 0, "a:1"))
	after.gone(gone)
	e, ok = after.leaving(leaving)
	wantEvent(t, e, ok, StateDead, StateLeft)
}

func TestAGoodbyeOfAnEarlierBootDoesNotExcuseACrash(t *testing.T) {
	tb := newTable(serverID(1), newRoster(8))
	tb.alive(aliveNote(2, 0, "a:1"))
	tb.leaving(note{id: serverID(2), meta: Meta{Identity: identity(2), Leaving: true}, at: at(1)})
	again := aliveNote(2, 2, "a:2")
	again.meta.BootID = "boot-2-2"
	tb.alive(again)
	e, ok := tb.gone(note{id: serverID(2), addr: "a:2", meta: again.meta, at: at(3)})
	wantEvent(t, e, ok, StateAlive, StateDead)
}

func TestMembersAreListedByNameWithThisServer(t *testing.T) {
	tb := newTable(serverID(2), newRoster(8))
	for _, n := range []int{3, 1, 2} {
		tb.alive(aliveNote(n, 0, fmt.Sprintf("a:%d", n)))
	}
	for i, m := range tb.list() {
		if m.Name != fmt.Sprintf("n%d", i+1) || m.Self != (i == 1) {
			t.Errorf("row %d is %s, self %v", i, m.Name, m.Self)
		}
	}
}

func TestAnEndedMemberIsForgottenOnRequestOrAfterRetention(t *testing.T) {
	tb := newTable(serverID(1), newRoster(8))
	tb.alive(aliveNote(1, 0, "a:1"))
	tb.alive(aliveNote(2, 0, "a:2"))
	tb.alive(aliveNote(3, 0, "a:3"))
	if tb.forget(serverID(2)) {
		t.Error("a live member was forgotten")
	}
	for _, n := range []int{2, 3} {
		tb.gone(note{id: serverID(n), meta: Meta{Identity: identity(n)}, at: at(1)})
	}
	if !tb.forget(serverID(2)) {
		t.Error("a dead member was not forgotten")
	}
	tb.expire(at(60), time.Minute)
	if len(tb.rows) != 2 {
		t.Error("expired before its time")
	}
	tb.expire(at(62), time.Minute)
	if len(tb.rows) != 1 {
		t.Error("not expired after retention")
	}
}
