package limit

import "testing"

// Whoever took a place while the lock's owner gives it away would be one too many;
// the moment is too short for a test on cores to meet it surely.
func TestTheFastWayIsClosedWhileSomebodyWaits(t *testing.T) {
	lim := &limits{places: 4, reserved: 1, share: 2}
	var c class
	l := &line{identity: &identity{}, class: &c}

	c.add(oneRinged)
	if c.take(false, oneClient, lim) || c.take(true, onePeer, lim) {
		t.Error("a newcomer overtakes those in the ring")
	}
	c.add(oneClient)
	if c.drop(oneClient) {
		t.Error("a place that somebody in the ring may want is given up by the fast way")
	}
	c.sub(oneRinged)
	if !c.take(false, oneClient, lim) || !c.drop(oneClient) || !c.drop(oneClient) || c.load() != 0 {
		t.Errorf("nobody waits, and the fast way is closed: %x", c.load())
	}

	l.add(oneWaiting)
	if l.take(lim.share) {
		t.Error("a request overtakes those of its own identity")
	}
	l.add(oneInUse)
	if l.drop() {
		t.Error("a place that its identity's next may want is given up by the fast way")
	}
	l.sub(oneWaiting)
	if !l.take(lim.share) || l.take(lim.share) || !l.drop() || !l.drop() || l.load() != 0 {
		t.Errorf("nobody waits, and the fast way is closed: %x", l.load())
	}
}

func TestPlacesThatAreReservedAreFreeForServersOnly(t *testing.T) {
	lim := &limits{places: 4, reserved: 2}
	for _, test := range []struct {
		clients, peers tally
		client, peer   bool
	}{
		{0, 0, true, true},
		{1, 0, true, true},
		{2, 0, false, true},
		{2, 1, false, true},
		{2, 2, false, false},
		{1, 2, true, true}, // more than the reserved ones, as anybody may
		{1, 3, false, false},
		{0, 4, false, false},
	} {
		now := test.clients*oneClient + test.peers*onePeer
		if got := now.room(false, lim); got != test.client {
			t.Errorf("%d clients and %d servers: room for a client %t", test.clients, test.peers, got)
		}
		if got := now.room(true, lim); got != test.peer {
			t.Errorf("%d clients and %d servers: room for a server %t", test.clients, test.peers, got)
		}
	}
}
