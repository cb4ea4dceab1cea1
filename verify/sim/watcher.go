package sim

import (
	"maps"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/mvcc"
)

// watcher keeps a copy of everything by the events of a view's index, goes on with
// another server's where its own is gone, and lists again where events are compacted.
type watcher struct {
	w      *world
	server int
	boot   int
	began  bool
	at     uint64
	known  map[watched]uint64
	// past is what was known at an earlier revision.
	past   map[watched]uint64
	pastAt uint64
}

type watched struct {
	kind candor.KindName
	key  string
}

// look takes the events since the last look; where hop says so, from another server.
func (x *watcher) look(other *server, hop bool) {
	w := x.w
	s := w.servers[x.server]
	if hop || !s.up || s.boot != x.boot {
		s, x.server, x.boot = other, other.id, other.boot
	}
	if !s.up {
		return
	}
	v := s.m.View()
	to := v.Token().Revision
	switch {
	case !x.began || x.at < v.Floor():
		x.list(v)
		return
	case to < x.at:
		return // this server has not got there: it would be waited for
	}
	resumed := true
	for x.at < to && !w.stopped {
		x.at++
		x.turn(v, resumed)
		resumed = false
	}
	if !w.stopped {
		x.compare(v)
	}
}

// list takes the whole state.
func (x *watcher) list(v *fsm.View) {
	if x.began {
		x.w.checked("watches that listed again", 1)
	}
	x.began, x.at, x.known = true, v.Token().Revision, listed(v, 0)
}

// listed is the state as of a readable revision, 0 for the view's own.
func listed(v *fsm.View, revision uint64) map[watched]uint64 {
	known := map[watched]uint64{}
	for ordinal := uint32(0); ; ordinal++ {
		kind := v.KindName(ordinal)
		if kind == "" {
			return known
		}
		if v.List(kind, "", "", revision, func(version *mvcc.Version) bool {
			known[watched{kind, version.Key}] = version.Revision
			return true
		}) != nil {
			return nil
		}
	}
}

// turn takes the events of one revision.
func (x *watcher) turn(v *fsm.View, resumed bool) {
	w := x.w
	first := v.Turn(x.at)
	if first == nil {
		w.fail("watch events", "revision %d is above the floor %d and has no event", x.at, v.Floor())
		return
	}
	if w.mistake == losesAnEvent && resumed && x.boot > 0 {
		first = first.Sibling()
	}
	for e := first; e != nil; e = e.Sibling() {
		w.checked("watch events", 1)
		name := watched{v.KindName(e.Kind), e.Key}
		was, had := x.known[name]
		switch before := v.Before(e); {
		case e.Revision != x.at:
			w.fail("watch events", "an event of revision %d is among those of %d", e.Revision, x.at)
		case before != nil && !had:
			w.fail("watch events", "%s %s at %d is said to replace %d, and the watch knows none", name.kind, name.key, x.at, before.Revision)
		case before != nil && before.Revision != was:
			w.fail("watch events", "%s %s at %d is said to replace %d, and the watch knows %d", name.kind, name.key, x.at, before.Revision, was)
		case e.Deleted && !had:
			w.fail("watch events", "%s %s is deleted at %d, and the watch knows none", name.kind, name.key, x.at)
		}
		if e.Deleted {
			delete(x.known, name)
		} else {
			x.known[name] = e.Revision
		}
	}
}

// compare holds what the events made against the view's own list, and what was known
// once against the view's list as of then.
func (x *watcher) compare(v *fsm.View) {
	x.w.checked("lists compared", 1)
	x.differ(x.known, listed(v, 0), x.at)
	switch past := listed(v, x.pastAt); {
	case x.past == nil || x.w.stopped:
	case x.pastAt < v.Floor():
		x.w.checked("reads below the floor", 1)
		if past != nil {
			x.w.fail("COMPACTED", "the state at revision %d can be read, and the floor is %d", x.pastAt, v.Floor())
		}
		x.past = nil
	default:
		x.w.checked("lists of the past compared", 1)
		x.differ(x.past, past, x.pastAt)
		x.gets(v)
	}
	if x.past == nil {
		x.past, x.pastAt = maps.Clone(x.known), x.at
	}
}

// gets holds what was known once against what the view shows of each as of then.
func (x *watcher) gets(v *fsm.View) {
	shown := map[watched]uint64{}
	for name := range x.past {
		namespace, key := candor.SplitKey(name.key)
		if found, err := v.Get(candor.Ref{Kind: name.kind, Namespace: namespace, Name: key}, x.pastAt); err == nil && found != nil {
			shown[name] = found.Revision
		}
	}
	x.differ(x.past, shown, x.pastAt)
}

func (x *watcher) differ(known, want map[watched]uint64, at uint64) {
	if maps.Equal(want, known) {
		return
	}
	var differ []string
	for name, revision := range want {
		if known[name] != revision {
			differ = append(differ, string(name.kind)+" "+name.key)
		}
	}
	for name := range known {
		if _, ok := want[name]; !ok {
			differ = append(differ, string(name.kind)+" "+name.key)
		}
	}
	slices.Sort(differ)
	x.w.fail("list + watch = state", "at revision %d they differ in %v", at, slices.Compact(differ))
}
