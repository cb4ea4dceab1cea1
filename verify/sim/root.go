package sim

import (
	"encoding/binary"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/tenure"
)

// root is what the first replica to apply an entry made of it; every other replica,
// and every replay, must make the same.
type root struct {
	w *world
	// index and revision are how far it has come.
	index    uint64
	revision uint64
	term     uint64
	time     int64
	digests  []fsm.Digest
	answers  []uint64

	lineages  map[string][]tenure.Lineage
	endings   map[string]string
	guard     guard
	placement placementBook
}

func (r *root) init(w *world) {
	r.w, r.revision = w, w.servers[0].m.View().Token().Revision
	r.lineages, r.endings = map[string][]tenure.Lineage{}, map[string]string{}
	r.placement.init()
}

// applied takes what a replica made of an entry, and compares it.
func (r *root) applied(s *server, e *entry, result *fsm.EntryResult, before *fsm.View) bool {
	w := r.w
	digest, known := s.m.DigestAt(e.Index)
	if !known {
		w.fail("SameDigestAtSameIndex", "%s keeps no digest of index %d, which it has just applied", s.name, e.Index)
		return false
	}
	sum := summed(result)
	if e.Index <= r.index {
		w.checked("SameDigestAtSameIndex", 1)
		switch {
		case r.digests[e.Index-1] != digest.Digest:
			w.fail("SameDigestAtSameIndex", "%s has %x after index %d, where another had %x", s.name, digest.Digest, e.Index, r.digests[e.Index-1])
		case r.answers[e.Index-1] != sum:
			w.fail("SameDigestAtSameIndex", "%s answers otherwise than another to the commands of index %d: %s", s.name, e.Index, answersOf(result))
		}
		return !w.stopped
	}
	if e.Index != r.index+1 {
		w.fail("simulator", "%s applied index %d after %d", s.name, e.Index, r.index)
		return false
	}
	r.index = e.Index
	r.digests, r.answers = append(r.digests, digest.Digest), append(r.answers, sum)
	w.trace(binary.LittleEndian.Uint64(digest.Digest[:8]))
	w.trace(sum)
	w.result.Entries++
	w.result.Turns += len(result.Results)
	if w.options.Observe != nil {
		r.observe(s, e, result, before)
	}
	if w.options.Log != nil {
		w.note("  %d:%d %s", e.Term, e.Index, described(e, result))
	}
	return !w.stopped
}

func (r *root) observe(s *server, e *entry, result *fsm.EntryResult, before *fsm.View) {
	t := Turn{Before: before, After: s.m.View(), Index: e.Index}
	if !e.Configuration {
		decoded, err := command.DecodeEntry(e.Data)
		if err == nil {
			t.Command, t.Result = new(command.Command), &result.Results[0]
			err = command.DecodeCommand(decoded.Commands[0], t.Command)
		}
		if err != nil {
			r.w.fail("simulator", "index %d: %v", e.Index, err)
			return
		}
	}
	r.w.options.Observe(&t)
}

// same holds a server that came back against what the root was at its index.
func (r *root) same(s *server, how string) {
	v := s.m.View()
	at := v.Token().Index
	switch {
	case at == 0 || at > r.index:
		r.w.fail("simulator", "%s is at index %d after it was %s; the root is at %d", s.name, at, how, r.index)
	case v.Digest() != r.digests[at-1]:
		r.w.fail("SameDigestAtSameIndex", "%s has %x at index %d after it was %s, where the live state was %x", s.name, v.Digest(), at, how, r.digests[at-1])
	}
}

// summed folds what the commands of an entry were answered.
func summed(r *fsm.EntryResult) uint64 {
	h := uint64(0xcbf29ce484222325)
	fold := func(x uint64) { h = (h ^ x) * 0x100000001b3 }
	text := func(s string) {
		for i := range len(s) {
			fold(uint64(s[i]))
		}
		fold(uint64(len(s)))
	}
	token := func(t candor.Token) {
		fold(t.Term)
		fold(t.Index)
		fold(t.Revision)
	}
	flag := func(b bool) {
		if b {
			fold(1)
		}
		fold(0)
	}
	token(r.Token)
	for i := range r.Results {
		x := &r.Results[i]
		text(string(x.Reason))
		text(x.Message)
		fold(x.Revision)
		token(x.Token)
		flag(x.Changed)
		flag(x.Replayed)
		flag(x.Succeeded)
		for j := range x.Items {
			text(string(x.Items[j].Reason))
			fold(x.Items[j].Revision)
		}
		if v := x.Verdict; v != nil {
			text(string(v.Action))
			text(string(v.Phase))
			text(v.Standing)
		}
	}
	return h
}

// audit looks at every version since the last look, in the newest view.
func (r *root) audit(v *fsm.View) {
	w := r.w
	stats := v.Stats()
	if stats.Violations+stats.Faults > 0 {
		x := v.Records()[0]
		check := x.Invariant
		if check == "" {
			check = string(x.Reason)
		}
		w.fail(check, "a turn of index %d was blocked: %s: %s", x.Index, x.Subject, x.Detail)
		return
	}
	t := v.Token()
	if t.Index < r.index {
		return
	}
	if t.Revision < r.revision || t.Term < r.term || v.ClusterTime() < r.time {
		w.fail("MonotonicToken", "the root went from %d:%d at %d to %s at %d", r.term, r.revision, r.time, t, v.ClusterTime())
		return
	}
	for r.revision < t.Revision && !w.stopped {
		r.revision++
		first := v.Turn(r.revision)
		if first == nil {
			w.fail("watch events", "revision %d of %d has no version: the floor is %d", r.revision, t.Revision, v.Floor())
			return
		}
		for x := first; x != nil && !w.stopped; x = x.Sibling() {
			if x.Revision != r.revision {
				w.fail("watch events", "a version of revision %d is among those of %d", x.Revision, r.revision)
				return
			}
			r.version(v, x)
		}
	}
	r.term, r.time = t.Term, v.ClusterTime()
}

// version is one that the root made.
func (r *root) version(v *fsm.View, x *mvcc.Version) {
	switch kind := v.KindName(x.Kind); kind {
	case candor.KindTenures, candor.KindTransitions, kindGuards, kindThings, candor.KindInstances, candor.KindNodes:
		o, err := x.Object()
		if err != nil {
			r.w.fail("decoding", "%s %s at revision %d: %v", kind, x.Key, x.Revision, err)
			return
		}
		switch kind {
		case candor.KindTenures:
			r.tenure(o)
		case candor.KindTransitions:
			r.transition(x, o)
		case kindGuards:
			r.guard.written(r, o)
		case kindThings:
			r.thing(x, o)
		default:
			r.placement.version(r.w, kind, x, o)
		}
	default: // clients' objects are checked by their histories and by watches
	}
}

func (r *root) tenure(o *candor.Object) {
	l, err := tenure.ReadStatus(o.Status)
	if err != nil {
		r.w.fail("tenures", "%s: %v", o.Metadata.Name, err)
		return
	}
	r.lineages[l.Duty.Name] = append(r.lineages[l.Duty.Name], l)
}

// active is the era of a duty that is active as of the last version seen; 0 for none.
func (r *root) active(duty string) uint64 {
	versions := r.lineages[duty]
	if len(versions) == 0 || versions[len(versions)-1].Current.State != tenure.StateActive {
		return 0
	}
	return versions[len(versions)-1].Current.Number
}
