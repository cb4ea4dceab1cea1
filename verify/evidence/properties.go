package evidence

import (
	"cmp"
	"maps"
	"slices"

	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/verify/determinism"
	"github.com/candor-plane/candor/verify/durability"
	"github.com/candor-plane/candor/verify/history"
	"github.com/candor-plane/candor/verify/lineage"
	"github.com/candor-plane/candor/verify/numbers"
	"github.com/candor-plane/candor/verify/placements"
	"github.com/candor-plane/candor/verify/watches"
)

// properties are the reports of one check.
func (e *Evidence) properties(name Name, d Demands) []history.Report {
	least := max(1, d.Least)
	switch name {
	case Linearizability:
		return e.operations(history.Replay{Least: least}, history.Turns{Least: least}, history.RealTime{Least: least},
			history.Registers{Least: least, Search: d.Search})
	case Staleness:
		return e.operations(history.AskedBound{Least: least}, history.ClaimedBound{Least: least}, history.Contract{Least: least}, history.NodeForward{Least: least})
	case Sessions:
		var checkers []history.Checker
		for _, g := range history.Guarantees {
			checkers = append(checkers, history.Session{Guarantee: g, Least: least})
		}
		return e.operations(checkers...)
	case Watches:
		r := watches.Recording{Streams: e.Watches, Floors: e.Floors, History: e.History, Versions: e.Versions, Lists: e.lists()}
		return r.Check(least)
	case Durability:
		r := durability.Recording{History: e.History, Versions: e.Versions, Finals: e.Finals, Repeats: e.Repeats}
		return r.Check(least)
	case Tenures:
		r := lineage.Recording{Versions: e.Versions, Beliefs: e.Beliefs, Acts: e.Acts}
		return append(r.Check(least), e.numbers(least))
	case Placements:
		r := placements.Recording{Versions: e.Versions, Claims: e.Claims, Decisions: e.Decisions}
		return r.Check(least)
	case Determinism:
		return []history.Report{determinism.Agreement(e.Digests, least), determinism.Same(e.Digests, e.Replays, least)}
	default: // Invariants: names are validated
		return []history.Report{determinism.Unbroken(e.Turns, least), determinism.Unfailed(e.Turns, least)}
	}
}

func (e *Evidence) operations(checkers ...history.Checker) (reports []history.Report) {
	for _, c := range checkers {
		reports = append(reports, c.Check(e.History))
	}
	return reports
}

// lists are those that were read after the run.
func (e *Evidence) lists() (lists []watches.List) {
	for i := range e.Finals {
		f := &e.Finals[i]
		lists = append(lists, watches.List{Scope: f.Scope, Revision: f.Revision, Items: f.Items})
	}
	return lists
}

// numbers checks what holders handed out: no number twice, eras above those before
// them, timestamps above all that were told before they were asked for, and none
// outside of what its era says of itself.
func (e *Evidence) numbers(least int) history.Report {
	r := history.Report{Property: "numbers are handed out once, by their era", Checked: len(e.Numbers)}
	answers := map[string][]numbers.Answer{}
	for i := range e.Numbers {
		n := &e.Numbers[i]
		began, ended := n.order()
		answers[n.Duty] = append(answers[n.Duty], numbers.Answer{
			Duty: n.Duty, Holder: n.Holder, Era: n.Era, First: n.First, Count: n.Count, Began: began, Ended: ended,
		})
	}
	lineages := lineage.Lineages(e.Versions)
	for _, duty := range slices.Sorted(maps.Keys(answers)) {
		found := numbers.Check(answers[duty], duty == tenure.DutyTSO)
		if versions := lineages[duty]; len(versions) > 0 {
			found = append(found, numbers.CheckSeals(shown(answers[duty], versions), versions, frontier(duty))...)
		}
		for _, v := range found {
			r.Break(func() string { return v.Promise + " of duty " + duty }, nil, history.Exhibit{Record: recordNumber, Text: v.Detail})
		}
	}
	return r.Conclude(least)
}

// order are the places of question and answer: the numbers of the events, or where
// there are none, their times.
func (n *Number) order() (began, ended uint64) {
	return cmp.Or(n.Asked.Seq, uint64(n.Asked.At)), cmp.Or(n.Told.Seq, uint64(n.Told.At))
}

// shown are the answers of eras which the versions cover: those before may be compacted,
// and those after later than the versions were read.
func shown(answers []numbers.Answer, versions []tenure.Lineage) []numbers.Answer {
	var first, last uint64
	for i := range versions {
		for _, x := range versions[i].Eras() {
			if first == 0 || x.Number < first {
				first = x.Number
			}
			last = max(last, x.Number)
		}
	}
	return slices.DeleteFunc(slices.Clone(answers), func(a numbers.Answer) bool { return a.Era < first || a.Era > last })
}

func frontier(duty string) func(tenure.Frontiers) uint64 {
	if duty == tenure.DutyTSO {
		return func(f tenure.Frontiers) uint64 { return f.Timestamp }
	}
	return func(f tenure.Frontiers) uint64 { return f.ID }
}
