package watches_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
	"github.com/candor-plane/candor/verify/watches"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const kind candor.KindName = "entries.test"

// world is a store that is written at random, with everything that clients and watchers
// of it see: what a right cluster records.
type world struct {
	random *rand.Rand
	clock  int64
	state  map[string]entry
	// log is every version in the order of revisions.
	log        []change
	operations []history.Operation
}

type entry struct {
	value    string
	revision uint64
	labels   map[string]string
}

type change struct {
	revision      uint64
	key           string
	before, after *entry
}

func (w *world) now() history.Stamp {
	w.clock++
	return history.Stamp{At: w.clock, Seq: uint64(w.clock)}
}

func key(n int) string {
	return history.Key(candor.Ref{Kind: kind, Namespace: []string{"a", "b"}[n%2], Name: fmt.Sprintf("k%d", n)})
}

// grow makes a world of so many turns.
func grow(seed uint64, turns int) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, 1)), state: map[string]entry{}}
	for revision := uint64(2); revision < uint64(turns+2); revision++ {
		w.turn(revision)
		if w.random.IntN(7) == 0 {
			w.list(revision)
		}
	}
	return w
}

func (w *world) turn(revision uint64) {
	invoked := w.now()
	o := history.Operation{Client: "c", Outcome: history.OutcomeOK, Token: candor.Token{Term: 1, Index: revision + 10, Revision: revision}}
	keys := []string{key(w.random.IntN(6))}
	if other := key(w.random.IntN(6)); w.random.IntN(3) == 0 && other != keys[0] {
		keys = append(keys, other)
	}
	o.Kind = history.KindPut
	if len(keys) > 1 {
		o.Kind = history.KindTxn
	}
	for _, k := range keys {
		c := change{revision: revision, key: k}
		if was, there := w.state[k]; there {
			c.before = &was
		}
		if c.before != nil && w.random.IntN(4) == 0 {
			if len(keys) == 1 {
				o.Kind = history.KindDelete
			}
			delete(w.state, k)
			o.Items = append(o.Items, history.Item{Key: k, Absent: true})
		} else {
			is := entry{fmt.Sprintf("v%d", revision), revision, map[string]string{"lane": []string{"left", "right"}[w.random.IntN(2)]}}
			c.after, w.state[k] = &is, is
			o.Items = append(o.Items, history.Item{Key: k, Value: is.value})
		}
		w.log = append(w.log, c)
	}
	returned := w.now()
	o.Invoke, o.InvokeSeq, o.Return, o.ReturnSeq = invoked.At, invoked.Seq, returned.At, returned.Seq
	w.operations = append(w.operations, o)
}

func (w *world) list(revision uint64) {
	invoked, returned := w.now(), w.now()
	o := history.Operation{
		Client: "c", Kind: history.KindList, Scope: string(kind) + "/", Outcome: history.OutcomeOK, Token: candor.Token{Term: 1, Index: revision + 10, Revision: revision},
		Invoke: invoked.At, InvokeSeq: invoked.Seq, Return: returned.At, ReturnSeq: returned.Seq,
	}
	for _, k := range slices.Sorted(maps.Keys(w.state)) {
		o.Items = append(o.Items, history.Item{Key: k, Value: w.state[k].value, Version: w.state[k].revision})
	}
	w.operations = append(w.operations, o)
}

// watch is what a right server sends to a watch, in batches of random sizes.
func (w *world) watch(s watches.Start) watches.Stream {
	s.Kind, s.Stamp = kind, w.now()
	out := watches.Stream{Start: s}
	selector, err := candor.ParseSelector(s.Selector)
	if err != nil {
		panic(err)
	}
	add := func(b watches.Batch) {
		b.Stream, b.Stamp = s.Stream, w.now()
		out.Batches = append(out.Batches, b)
	}
	position := s.After
	if position == 0 {
		position = 1 + uint64(w.random.IntN(5))
	}
	add(watches.Batch{Revision: position, Bookmark: true, Token: candor.Token{Term: 1, Index: 1000, Revision: position}})
	var batch watches.Batch
	for i, c := range w.log {
		if c.revision <= position {
			continue
		}
		if e, ok := event(&s, selector, c); ok {
			batch.Events = append(batch.Events, e)
		}
		last := i+1 == len(w.log) || w.log[i+1].revision != c.revision
		if !last || i+1 < len(w.log) && w.random.IntN(3) != 0 {
			continue
		}
		batch.Revision, position = c.revision, c.revision
		if len(batch.Events) == 0 {
			batch.Bookmark = true
		}
		add(batch)
		batch = watches.Batch{}
	}
	return out
}

func event(s *watches.Start, selector candor.Selector, c change) (watches.Event, bool) {
	namespace, name := candor.SplitKey(c.key[len(kind)+1:])
	if s.Namespace != "" && s.Namespace != namespace || s.Name != "" && s.Name != name {
		return watches.Event{}, false
	}
	was, is := c.before != nil && selector.Matches(c.before.labels), c.after != nil && selector.Matches(c.after.labels)
	e := watches.Event{Revision: c.revision, Key: c.key, Type: candor.EventModified}
	switch {
	case is && !was:
		e.Type = candor.EventAdded
	case was && !is:
		e.Type = candor.EventDeleted
	case !was && !is:
		return e, false
	}
	shown := c.after
	if shown == nil {
		shown = c.before
	}
	e.Value, e.Version, e.Labels = shown.value, shown.revision, shown.labels
	if s.Previous && c.before != nil {
		e.Previous = &watches.Previous{Value: c.before.value, Version: c.before.revision, Labels: c.before.labels}
	}
	return e, true
}

// recording is a world with watchers of every sort.
func recording(t *testing.T, seed uint64) (*world, *watches.Recording) {
	t.Helper()
	w := grow(seed, 60)
	r := &watches.Recording{Streams: []watches.Stream{
		w.watch(watches.Start{Stream: "all", After: 1, Previous: true}),
		w.watch(watches.Start{Stream: "now"}),
		w.watch(watches.Start{Stream: "namespace", Namespace: "a", After: 8, Previous: true}),
		w.watch(watches.Start{Stream: "one", Namespace: "b", Name: "k1", After: 3}),
		w.watch(watches.Start{Stream: "lane", Selector: "lane=left", After: 2, Previous: true}),
	}}
	first := r.Streams[0].Batches
	r.Streams[0].Batches = first[: len(first)/2+1 : len(first)/2+1]
	r.Streams = append(r.Streams, w.watch(watches.Start{Stream: "resumed", Resumes: "all", After: first[len(first)/2].Revision}))
	r.Versions = w.versions()
	r.Lists = []watches.List{w.final()}
	r.History = historyOf(t, w.operations)
	return w, r
}

func historyOf(t *testing.T, operations []history.Operation) *history.History {
	t.Helper()
	h, err := history.New(operations)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// versions are what the cluster keeps of every key.
func (w *world) versions() []history.Versions {
	kept := map[string]*history.Versions{}
	for _, c := range w.log {
		v := kept[c.key]
		if v == nil {
			v = &history.Versions{Key: c.key, Revision: w.log[len(w.log)-1].revision}
			kept[c.key] = v
		}
		one := history.Version{Revision: c.revision, Deleted: c.after == nil}
		if c.after != nil {
			one.Value, one.Labels = c.after.value, c.after.labels
		}
		v.Versions = append(v.Versions, one)
	}
	var all []history.Versions
	for _, k := range slices.Sorted(maps.Keys(kept)) {
		all = append(all, *kept[k])
	}
	return all
}

// final is the list of everything in the end.
func (w *world) final() watches.List {
	l := watches.List{Scope: string(kind) + "/", Revision: w.log[len(w.log)-1].revision}
	for _, k := range slices.Sorted(maps.Keys(w.state)) {
		l.Items = append(l.Items, history.Item{Key: k, Value: w.state[k].value, Version: w.state[k].revision})
	}
	return l
}
