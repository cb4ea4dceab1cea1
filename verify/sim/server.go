package sim

import (
	"bytes"
	"fmt"

	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/tenure"
)

const (
	clusterID = "simulated"
	// epoch is when wall clocks begin.
	epoch = 1_700_000_000 * second
)

// server is one replica, and what runs beside it.
type server struct {
	w    *world
	id   int
	name string
	// holder is what it is called in tenures.
	holder string

	up   bool
	boot int
	m    *fsm.Machine
	// applied is how many entries m has applied.
	applied int
	// applyAt is when it applies next, laggingUntil and pausedUntil when it goes on.
	applyAt, laggingUntil, pausedUntil int64
	// saved is a snapshot of the first so many entries; it is written when it is needed.
	saved      *fsm.Snapshot
	savedIndex int
	// restored says that m began from a snapshot, and not from nothing.
	restored bool
	// waiting are those who hear once the view has reached an index, or of a crash.
	waiting []waiter

	// Its wall clock jumps by wall; its monotonic one is fast by the setting's rate.
	wall int64

	// As a leader: ready once its first command has applied, with a base for stamps.
	ready               bool
	term                uint64
	baseTime, baseLocal int64
	batch               []*proposal
	deposedUntil        int64

	holds []*holding
}

type waiter struct {
	index   uint64
	boot    int
	reached func()
	lost    func()
	// settled says that nobody waits any more.
	settled func() bool
}

func newServer(w *world, id int) *server {
	name := fmt.Sprintf("s%d", id+1)
	s := &server{w: w, id: id, name: name, holder: "server/" + name, up: true, m: fsm.New(fsm.Config{ClusterID: clusterID})}
	for _, duty := range w.Duties {
		s.holds = append(s.holds, &holding{s: s, duty: duty})
	}
	return s
}

// local is the server's monotonic clock.
func (s *server) local() int64 {
	return s.w.now + s.w.now/million*s.w.Rates[s.id] + int64(s.id+1)*second
}

func (s *server) leads(term uint64) { s.ready, s.term = false, term }

// stamp is the cluster time that a leader gives its entries; 0 before it is ready.
func (s *server) stamp() int64 {
	if !s.ready {
		return 0
	}
	if s.w.mistake == stampsByWallClock {
		return s.baseTime + s.w.now + max(0, s.wall)
	}
	return s.baseTime + s.local() - s.baseLocal
}

func (s *server) applyLater(delay int64) {
	w := s.w
	at := max(w.now+delay, s.laggingUntil, s.pausedUntil)
	if !s.up || s.applyAt > w.now && s.applyAt <= at {
		return
	}
	s.applyAt = at
	w.events.push(at, func() {
		if s.applyAt == w.now {
			s.applyAt = 0
		}
		switch wait := max(s.laggingUntil, s.pausedUntil); {
		case !s.up:
		case wait > w.now:
			s.applyLater(wait - w.now)
		default:
			s.apply(w.log.commit)
		}
	})
}

// apply applies everything that is committed, up to so many entries.
func (s *server) apply(upto int) {
	w := s.w
	if upto <= s.applied || w.stopped {
		return
	}
	entries := w.log.entries[s.applied:upto]
	s.applied = upto
	if w.options.Observe != nil && entries[len(entries)-1].Index > w.root.index {
		for i := range entries {
			s.applyBatch(entries[i : i+1])
		}
	} else {
		s.applyBatch(entries)
	}
	if w.stopped {
		return
	}
	w.root.audit(s.m.View())
	if w.log.leader == s && s.m.View().LeaderTerm() == s.term && !s.ready {
		s.ready, s.baseTime, s.baseLocal = true, s.m.View().ClusterTime(), s.local()
	}
	s.wake()
}

func (s *server) applyBatch(entries []*entry) {
	w := s.w
	batch := make([]fsm.Committed, len(entries))
	for i, e := range entries {
		batch[i] = e.Committed
	}
	s.spoil(batch)
	before := s.m.View()
	results := s.m.Apply(batch)
	for i, e := range entries {
		w.result.Applied += len(results[i].Results)
		if !w.root.applied(s, e, &results[i], before) {
			return
		}
		if w.log.leader == s {
			s.answer(e, &results[i])
		}
	}
}

// answer tells those who proposed through this leader what became of it, once their
// own view has got there.
func (s *server) answer(e *entry, r *fsm.EntryResult) {
	w := s.w
	for i, p := range e.proposals {
		if p.done || i >= len(r.Results) {
			continue
		}
		o := outcome{result: &r.Results[i], index: e.Index}
		d := dice{}
		d.source.Seed(p.draw, 1)
		w.after(d.span(millisecond), func() {
			switch {
			case !p.origin.up || p.origin.boot != p.boot:
				p.resolve(outcome{})
			default:
				p.origin.wait(o.index, func() { p.resolve(o) }, func() { p.resolve(outcome{}) })
			}
		})
	}
}

// wait has somebody hear once the view has reached an index.
func (s *server) wait(index uint64, reached, lost func()) {
	if s.m.View().Token().Index >= index {
		reached()
		return
	}
	s.waiting = append(s.waiting, waiter{index: index, boot: s.boot, reached: reached, lost: lost})
}

func (s *server) wake() {
	index := s.m.View().Token().Index
	waiting := s.waiting
	s.waiting = nil
	for _, x := range waiting {
		switch {
		case x.reached == nil:
			if !x.settled() {
				s.waiting = append(s.waiting, x)
			}
		case x.index <= index:
			x.reached()
		default:
			s.waiting = append(s.waiting, x)
		}
	}
}

// save captures a snapshot.
func (s *server) save() {
	if !s.up || s.applied == 0 {
		return
	}
	if s.saved != nil {
		s.saved.Release()
	}
	s.saved, s.savedIndex = s.m.Snapshot(), s.applied
	s.w.checked("snapshots", 1)
}

// written is the snapshot's bytes, by now.
func written(snapshot *fsm.Snapshot) ([]byte, error) {
	var b bytes.Buffer
	_, err := snapshot.WriteTo(&b)
	return b.Bytes(), err
}

// crash loses everything but the log and the snapshot.
func (s *server) crash(d *dice) {
	w := s.w
	w.bit(FaultCrash)
	down := d.span(30 * millisecond)
	w.note("%s crashes for %.3f ms", s.name, float64(down)/float64(millisecond))
	s.up = false
	s.boot++
	if w.log.leader == s {
		w.depose(d)
		w.after(d.span(20*millisecond), func() { w.lead(d) })
	}
	s.deposedUntil, s.pausedUntil, s.laggingUntil = 0, 0, 0
	for _, h := range s.holds {
		h.crash()
	}
	waiting := s.waiting
	s.waiting, s.m = nil, nil
	for _, x := range waiting {
		w.after(d.span(millisecond), x.lost)
	}
	from := s
	if d.chance(20) {
		from = w.anyServer(d)
	}
	replay := d.chance(30)
	w.after(down, func() { s.restart(from, replay) })
}

// restart comes back by the whole log, or by a snapshot, its own or another's.
func (s *server) restart(from *server, replay bool) {
	w := s.w
	s.up, s.applied, s.applyAt = true, 0, 0
	s.m = fsm.New(fsm.Config{ClusterID: clusterID})
	s.restored = from.saved != nil && !replay
	if s.restored {
		snapshot, err := written(from.saved)
		if err == nil {
			err = s.restore(snapshot)
		}
		if err != nil {
			w.fail("snapshot", "%s cannot restore one of %d entries by %s: %v", s.name, from.savedIndex, from.name, err)
			return
		}
		s.applied = from.savedIndex
		w.checked("restored from snapshot", 1)
		w.root.same(s, "restored from a snapshot")
	} else {
		w.checked("replayed", 1)
	}
	w.note("%s is back at %d", s.name, s.applied)
	s.applyLater(1)
}

// now is the moment of the server's view, for judging who may campaign.
func (s *server) now() tenure.Now {
	v := s.m.View()
	return tenure.Now{ClusterTime: v.ClusterTime(), Term: v.LeaderTerm(), Leader: "server/" + v.Configuration().Leader}
}
