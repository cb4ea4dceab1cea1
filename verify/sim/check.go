package sim

import (
	"maps"
	"slices"

	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/verify/history"
	"github.com/candor-plane/candor/verify/numbers"
)

// check holds what was recorded against what is promised.
func (w *world) check() {
	for _, check := range [...]func(){w.sameEverywhere, w.replayed, w.histories, w.allocated, w.tenures} {
		if check(); w.stopped {
			return
		}
	}
}

// sameEverywhere: all replicas are at one place and one state.
func (w *world) sameEverywhere() {
	first := w.servers[0].m.View()
	for _, s := range w.servers[1:] {
		v := s.m.View()
		if v.Token() != first.Token() || v.Digest() != first.Digest() || v.Stats() != first.Stats() {
			w.fail("SameDigestAtSameIndex", "%s is at %s with %x, %s at %s with %x", w.servers[0].name, first.Token(), first.Digest(), s.name, v.Token(), v.Digest())
		}
	}
}

// replayed: the log from its beginning makes the live state, and so do a snapshot in
// the middle of it and the rest. Every server that never restored a snapshot is a
// replay already, and sameEverywhere has compared it; the log is replayed once more
// where there is none, and, with a snapshot, which costs as much as a short run, for
// one seed of four.
func (w *world) replayed() {
	again := w.schedule.Seed%4 == 0
	if !again && slices.ContainsFunc(w.servers, func(s *server) bool { return !s.restored }) {
		return
	}
	c := Choice{Draw: w.schedule.Seed, Number: -2}
	middle := 1 + c.dice().upto(w.log.commit)
	replay := &server{w: w, id: -1, name: "a replay", up: true, m: fsm.New(fsm.Config{ClusterID: clusterID})}
	replay.apply(middle)
	if w.stopped {
		return
	}
	w.checked("logs replayed", 1)
	if again {
		if w.continued(replay, middle); w.stopped {
			return
		}
	}
	replay.apply(w.log.commit)
	live := w.servers[0].m.View()
	if v := replay.m.View(); !w.stopped && (v.Digest() != live.Digest() || v.Stats() != live.Stats()) {
		w.fail("SameDigestAtSameIndex", "a replay of the log, from a snapshot of %d entries or from nothing, comes to %x %+v, and the live state is %x %+v", middle, v.Digest(), v.Stats(), live.Digest(), live.Stats())
	}
}

// continued puts a replay into the state that its own snapshot holds.
func (w *world) continued(replay *server, middle int) {
	replay.save()
	snapshot, err := written(replay.saved)
	replay.saved.Release()
	replay.name = "a replay after a snapshot"
	replay.m = fsm.New(fsm.Config{ClusterID: clusterID})
	if err == nil {
		err = replay.restore(snapshot)
	}
	if err != nil {
		w.fail("snapshot", "one of %d entries: %v", middle, err)
		return
	}
	w.checked("snapshots and tails", 1)
	w.root.same(replay, "restored")
}

// histories: what clients saw is linearizable, and keeps their sessions.
func (w *world) histories() {
	if len(w.operations) == 0 {
		return
	}
	h, err := history.New(w.operations)
	if err != nil {
		w.fail("simulator", "the history contradicts itself: %v", err)
		return
	}
	checkers := []history.Checker{history.Replay{}, history.Turns{}, history.RealTime{}}
	for _, g := range history.Guarantees {
		checkers = append(checkers, history.Session{Guarantee: g})
	}
	if w.schedule.Seed%8 == 0 {
		checkers = append(checkers, history.Registers{})
	}
	for _, c := range checkers {
		report := c.Check(h)
		w.checked(report.Property, report.Checked)
		if report.Verdict == history.Violated {
			w.fail(report.Property, "%s", report.Violation.Sentence)
			return
		}
	}
}

// allocated: no number twice, none outside of its era, timestamps in order.
func (w *world) allocated() {
	for _, x := range []struct {
		duty    string
		answers []numbers.Answer
		value   func(tenure.Frontiers) uint64
	}{
		{tenure.DutyIDs, w.numbers.ids, func(f tenure.Frontiers) uint64 { return f.ID }},
		{tenure.DutyTSO, w.numbers.tso, func(f tenure.Frontiers) uint64 { return f.Timestamp }},
	} {
		w.checked("numbers of "+x.duty, len(x.answers))
		found := numbers.Check(x.answers, x.duty == tenure.DutyTSO)
		found = append(found, numbers.CheckSeals(x.answers, w.root.lineages[x.duty], x.value)...)
		if len(found) > 0 {
			w.fail(found[0].Promise, "%s", found[0].Detail)
			return
		}
	}
}

// tenures: the chain of every duty's eras, over all versions that the root made.
func (w *world) tenures() {
	for _, duty := range slices.Sorted(maps.Keys(w.root.lineages)) {
		versions := w.root.lineages[duty]
		w.checked("versions of tenures", len(versions))
		if x := tenure.Audit(versions); x != nil {
			w.fail(x.Guarantee, "duty %s, era %d: %s", duty, x.Era, x.Detail)
			return
		}
	}
}
