package drill

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/candor-plane/candor/drill/report"
)

// lanes draws what servers and duties were in, from looks at them one after the
// other. It may be used concurrently.
type lanes struct {
	mu     sync.Mutex
	nodes  map[string][]report.Interval
	duties map[string][]report.Era
}

func newLanes() *lanes {
	return &lanes{nodes: map[string][]report.Interval{}, duties: map[string][]report.Era{}}
}

// node notes a look at a server: it is in this state until another look says
// otherwise.
func (l *lanes) node(name string, at time.Duration, state report.State, term uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	have := l.nodes[name]
	if n := len(have); n > 0 {
		have[n-1].To = at
		if have[n-1].State == state && (have[n-1].Term == term || state == report.Unknown) {
			return
		}
	}
	l.nodes[name] = append(have, report.Interval{From: at, To: at, State: state, Term: term})
}

// duty notes who holds a duty; an empty holder is nobody.
func (l *lanes) duty(name string, at time.Duration, era uint64, holder string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	have := l.duties[name]
	if n := len(have); n > 0 && have[n-1].Era == era && have[n-1].Holder == holder {
		have[n-1].To = at
		return
	}
	if holder != "" {
		l.duties[name] = append(have, report.Era{From: at, To: at, Era: era, Holder: holder})
	}
}

// drawn is what was noted so far. What was done to servers is laid over what they
// said of themselves: one that stands still says nothing.
func (l *lanes) drawn(bands []report.Band) report.Lanes {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out report.Lanes
	for name, intervals := range l.nodes {
		lane := report.NodeLane{Node: name, Intervals: slices.Clone(intervals)}
		for i := range lane.Intervals {
			if in := &lane.Intervals[i]; in.State == report.Unknown {
				in.State = whyUnknown(name, *in, bands)
			}
		}
		out.Nodes = append(out.Nodes, lane)
	}
	for name, eras := range l.duties {
		out.Duties = append(out.Duties, report.DutyLane{Duty: name, Eras: slices.Clone(eras)})
	}
	slices.SortFunc(out.Nodes, func(a, b report.NodeLane) int { return cmp.Compare(a.Node, b.Node) })
	slices.SortFunc(out.Duties, func(a, b report.DutyLane) int { return cmp.Compare(a.Duty, b.Duty) })
	return out
}

// whyUnknown says what became of a server that did not answer: the fault that took it
// away, if there was one.
func whyUnknown(server string, in report.Interval, bands []report.Band) report.State {
	for _, b := range bands {
		state, takes := takesAway[b.Kind]
		if takes && slices.Contains(b.Targets, server) && b.From <= in.To && in.From <= max(b.To, b.From+time.Second) {
			return state
		}
	}
	return report.Unknown
}
