//go:build linux

package shim

import (
	"os"
	"testing"
	"time"
)

// TestNoShimStaysAZombie, whether its command ended before anybody attached, while the
// shim was started, or after.
func TestNoShimStaysAZombie(t *testing.T) {
	lingers(t)
	for _, c := range []struct {
		name    string
		command []string
	}{
		{"no such command", []string{"/no/such/command"}},
		{"it ends at once", []string{"true"}},
		{"it ends soon", []string{"sleep", "0.01"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for run := 1; run <= 10; run++ {
				x := newInstance(t)
				x.order(1, 1, c.command...)
				x.launch(1)
				x.end()
			}
			for wait := time.Now().Add(10 * time.Second); len(zombies(t)) > 0; time.Sleep(time.Millisecond) {
				if time.Now().After(wait) {
					t.Fatalf("processes %v ended and were not waited for", zombies(t))
				}
			}
		})
	}
}

// zombies are children of this process that ended and were not waited for yet.
func zombies(t *testing.T) (found []int) {
	t.Helper()
	pids, err := processes()
	noError(t, err)
	for _, pid := range pids {
		if s, ok := statOf(pid); ok && s.parent == os.Getpid() && s.state == 'Z' {
			found = append(found, pid)
		}
	}
	return found
}

// TestTheNextRunMayBeginAsSoonAsOneIsOver: its shim gave the directory back.
func TestTheNextRunMayBeginAsSoonAsOneIsOver(t *testing.T) {
	lingers(t)
	x := newInstance(t)
	for run := 1; run <= 20; run++ {
		x.order(run, 1, "true")
		x.launch(run)
		if r := x.end(); r.Run != run {
			t.Fatalf("%+v", *r)
		}
	}
}
