package experiment

import (
	"testing"
	"time"

	"github.com/candor-plane/candor/bench/system"
)

func TestOfEachInstanceTheFirstVersionsOfAKindCount(t *testing.T) {
	zero := time.Unix(1000, 0)
	c := newCrowd()
	at := func(ms int, i system.Instance) {
		i.UID = "a"
		c.see(i, zero.Add(time.Duration(ms)*time.Millisecond))
	}
	at(0, system.Instance{})
	at(100, system.Instance{Node: "n1"})
	at(300, system.Instance{Node: "n1", Running: true})
	at(400, system.Instance{Node: "n1", Running: true, Ready: true})
	at(900, system.Instance{Node: "n1", Ready: true})
	if c.settled != 1 || c.last != zero.Add(300*time.Millisecond) || c.versions != 5 {
		t.Errorf("%d settled, last ran at %v, %d versions", c.settled, c.last, c.versions)
	}
	for name, want := range map[string]float64{"placed-p99": 0.1, "running-p99": 0.3, "versions": 5} {
		if got := c.values()[name]; got < 0.98*want || got > 1.02*want {
			t.Errorf("%s is %v, wanted %v", name, got, want)
		}
	}
	at(1000, system.Instance{Node: "n1", Ready: true, Gone: true})
	if c.settled != 0 || len(c.known) != 0 {
		t.Errorf("%d settled, %d known, wanted none: it is gone", c.settled, len(c.known))
	}
}

func TestWhatIsOnAnAvoidedNodeIsNotSettledUntilItIsElsewhere(t *testing.T) {
	c := newCrowd()
	ready := func(uid, node string) {
		c.see(system.Instance{UID: uid, Node: node, Running: true, Ready: true}, time.Unix(1000, 0))
	}
	ready("a", "n1")
	ready("b", "n2")
	if there := c.avoid(func(node string) bool { return node == "n1" }); there != 1 || c.settled != 1 {
		t.Errorf("%d were there, %d are settled; wanted 1 and 1", there, c.settled)
	}
	ready("a", "n1")
	if c.settled != 1 {
		t.Errorf("%d are settled: one on an avoided node is not", c.settled)
	}
	ready("c", "n2")
	at, err := c.await(t.Context(), 2, time.Minute)
	if err != nil || at.IsZero() {
		t.Error(err)
	}
}
