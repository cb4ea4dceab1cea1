package watches

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// states checks that a list, and the events of a watch from its revision on, make the
// next list: what a caller builds up out of the two is what is there.
func (r *Recording) states(least int) history.Report {
	report := history.Report{Property: "a list and a watch from it make the state"}
	lists := r.lists()
	for i := range r.Streams {
		s := &r.Streams[i]
		from, until, ok := s.span()
		if !ok {
			continue
		}
		if s.selector() != nil {
			report.Leave("watches with a selector: lists tell no labels")
			continue
		}
		b := builder{report: &report, stream: s, events: s.sorted()}
		for j := range lists {
			if l := &lists[j]; l.Revision >= from && l.Revision <= until && strings.HasPrefix(s.prefix(), l.Scope) {
				b.meet(l)
			}
		}
	}
	return report.Conclude(least)
}

// lists are all complete lists, in the order of their revisions.
func (r *Recording) lists() []List {
	lists := slices.Clone(r.Lists)
	if len(r.Streams) == 0 {
		return nil
	}
	for o := range r.History.All() {
		if o.Kind != history.KindList || o.Scope == "" || o.Outcome != history.OutcomeOK || o.Token.Revision == 0 {
			continue
		}
		lists = append(lists, List{Scope: o.Scope, Revision: cmp.Or(o.At, o.Token.Revision), Items: o.Items, Operation: o})
	}
	slices.SortStableFunc(lists, func(a, b List) int { return cmp.Compare(a.Revision, b.Revision) })
	return lists
}

func (l *List) told() ([]*history.Operation, []history.Exhibit) {
	if l.Operation != nil {
		return []*history.Operation{l.Operation}, nil
	}
	return nil, []history.Exhibit{{Record: "final", Text: fmt.Sprintf("%s* at revision %d: %d objects", l.Scope, l.Revision, len(l.Items))}}
}

// builder is the state that a caller would have.
type builder struct {
	report *history.Report
	stream *Stream
	events []delivery // that come
	// list is what the state began with; nil until there was one.
	list  *List
	state map[string]built
}

type built struct {
	value   string
	version uint64
	event   *delivery // nil where it is the list's
}

// meet brings the state to the revision of a list and compares.
func (b *builder) meet(l *List) {
	if b.list != nil && l.Revision == b.list.Revision && l.Scope == b.list.Scope {
		return // answers of one revision are compared elsewhere (history.Replay)
	}
	for len(b.events) > 0 && b.events[0].Revision <= l.Revision {
		d := b.events[0]
		b.events = b.events[1:]
		if b.list == nil {
			continue
		}
		if d.Type == candor.EventDeleted {
			delete(b.state, d.Key)
			continue
		}
		b.state[d.Key] = built{d.Value, d.Revision, &d}
	}
	there := b.read(l)
	if b.list != nil {
		b.compare(l, there)
	}
	b.list, b.state = l, there
}

func (b *builder) read(l *List) map[string]built {
	state := map[string]built{}
	for i := range l.Items {
		if item := &l.Items[i]; !item.Absent && b.stream.covers(item.Key) {
			state[item.Key] = built{item.Value, item.Version, nil}
		}
	}
	return state
}

func (b *builder) compare(l *List, there map[string]built) {
	b.report.Checked++
	// In one order, whatever order the maps have.
	for _, key := range slices.Sorted(maps.Keys(there)) {
		is, was := there[key], b.state[key]
		known := b.state[key] != built{}
		if !known || differs(is.version, was.version) || is.value != "" && was.value != "" && is.value != was.value {
			b.breaks(l, fmt.Sprintf("%s is %s@%d in the list of revision %d; the list of revision %d and the events since make %s",
				key, is.value, is.version, l.Revision, b.list.Revision, was.text(known)), was.event)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(b.state)) {
		if _, still := there[key]; !still {
			b.breaks(l, fmt.Sprintf("%s is not in the list of revision %d; the list of revision %d and the events since make %s",
				key, l.Revision, b.list.Revision, b.state[key].text(true)), b.state[key].event)
		}
	}
}

func differs(a, b uint64) bool { return a != 0 && b != 0 && a != b }

func (x built) text(known bool) string {
	if !known {
		return "nothing"
	}
	return fmt.Sprintf("%s@%d", x.value, x.version)
}

func (b *builder) breaks(l *List, why string, event *delivery) {
	first, exhibits := b.list.told()
	second, more := l.told()
	exhibits = append(exhibits, b.stream.exhibit())
	if event != nil {
		exhibits = append(exhibits, event.exhibit())
	}
	b.report.Break(func() string { return "watch " + b.stream.Stream + ": " + why }, append(first, second...), append(exhibits, more...)...)
}
