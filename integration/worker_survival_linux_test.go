package integration

import (
	"maps"
	"syscall"
	"testing"
)

// TestCommandsOutliveWorkersAndServers: what runs goes on when its worker is killed, and
// is found again; what died with its worker is started again; and with every server gone
// workers go on, and tell later.
func TestCommandsOutliveWorkersAndServers(t *testing.T) {
	t.Parallel()
	p := newPlant(t, 2)
	w1, w2 := p.workers[0], p.workers[1]
	if _, err := p.k.Create(p.ctx, p.sleepers(4, "one")); err != nil {
		t.Fatal(err)
	}
	first := p.run("four commands run", 4, func(all []instance, _ map[string][]int) bool { return !on(w1)(all, nil) && !on(w2)(all, nil) })
	before := sleeping(p.dir)

	w1.kill()
	p.again(w1)
	again := p.run("what ran under a killed worker is found", 4, nil)
	for uid, i := range again {
		if was, known := first[uid]; !known || i.observed.PID != was.observed.PID || i.observed.Restarts != 0 {
			t.Errorf("%s: %+v, was %+v", i.name, i.observed, was.observed)
		}
	}
	if !maps.EqualFunc(before, sleeping(p.dir), func(a, b []int) bool { return len(a) == 1 && len(b) == 1 && a[0] == b[0] }) {
		t.Errorf("processes %v, before %v", sleeping(p.dir), before)
	}

	w2.kill()
	kills(t, shims(w2.data)...)
	p.again(w2)
	p.run("what died with its worker runs again", 4, func(all []instance, _ map[string][]int) bool {
		for _, i := range all {
			if was, stayed := first[i.uid]; stayed && i.status.Node == w2.name && (i.observed.PID == was.observed.PID || i.observed.Restarts == 0) {
				return false
			}
		}
		return true
	})

	for _, s := range p.servers {
		s.kill()
	}
	// While nobody is there to tell, one command ends: its worker starts it again.
	alive := sleeping(p.dir)
	var victim string
	for uid, i := range first {
		if i.status.Node == w1.name {
			victim = uid
		}
	}
	kills(t, alive[victim]...)
	until(p.ctx, t, "a command is started again without a server", func() bool {
		now := sleeping(p.dir)[victim]
		return len(now) == 1 && now[0] != alive[victim][0]
	})
	for uid, pids := range sleeping(p.dir) {
		if uid != victim && (len(alive[uid]) != 1 || pids[0] != alive[uid][0]) {
			t.Errorf("%s: %v, was %v before the servers went", uid, pids, alive[uid])
		}
	}
	p.begin()
	p.run("what happened meanwhile is told", 4, func(all []instance, _ map[string][]int) bool {
		for _, i := range all {
			if i.uid == victim {
				return i.observed.Restarts == 1 && i.observed.ExitCode != nil && *i.observed.ExitCode == 128+int32(syscall.SIGKILL)
			}
		}
		return false
	})
	after := sleeping(p.dir)
	for uid, pids := range alive {
		if uid != victim && (len(after[uid]) != 1 || after[uid][0] != pids[0]) {
			t.Errorf("%s: %v, was %v before the servers went", uid, after[uid], pids)
		}
	}
}
