package evidence

import (
	"encoding/hex"
	"slices"
	"sync"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/verify/determinism"
	"github.com/candor-plane/candor/verify/durability"
	"github.com/candor-plane/candor/verify/history"
	"github.com/candor-plane/candor/verify/lineage"
	"github.com/candor-plane/candor/verify/numbers"
	"github.com/candor-plane/candor/verify/placements"
	"github.com/candor-plane/candor/verify/watches"
)

// Recorder records a run as it happens, in one process. It may be used concurrently,
// and so may everything that it returns, unless that says otherwise.
type Recorder struct {
	operations *history.Recorder

	mu      sync.Mutex
	records Evidence // without what the fields below hold
	watches []*Watch
	numbers map[string]*numbers.Recorder
	beliefs []*Belief
	claims  []*Claim
}

// NewRecorder starts a recording.
func NewRecorder() *Recorder {
	return &Recorder{operations: history.NewRecorder(), numbers: map[string]*numbers.Recorder{}}
}

// History records operations.
func (r *Recorder) History() *history.Recorder { return r.operations }

// Stamp is the present moment of the recording.
func (r *Recorder) Stamp() history.Stamp { return r.operations.Stamp() }

// Numbers records what holders of a duty hand out.
func (r *Recorder) Numbers(duty string) *numbers.Recorder {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.numbers[duty]
	if n == nil {
		n = numbers.NewRecorderIn(func() uint64 { return r.operations.Stamp().Seq })
		r.numbers[duty] = n
	}
	return n
}

// Logged records a write under a tenure that the root's log shows to have been accepted:
// when it was is not known.
func (r *Recorder) Logged(holder, duty string, era, revision uint64, key string) {
	a := lineage.Act{Holder: holder, Duty: duty, Era: era, Revision: revision, Key: key}
	r.note(func(e *Evidence) { e.Acts = append(e.Acts, a) })
}

// Acted records an acknowledged write under a tenure: call it with the stamp that was
// taken before the write was sent.
func (r *Recorder) Acted(holder, duty string, era, revision uint64, key string, from history.Stamp) {
	a := lineage.Act{Holder: holder, Duty: duty, Era: era, Revision: revision, Key: key, From: from, To: r.Stamp()}
	r.note(func(e *Evidence) { e.Acts = append(e.Acts, a) })
}

// Compacted records an acknowledged compaction: a server that has come as far as token,
// which is of any answer that came after the compaction, or of a server that tells of it,
// refuses what is below revision.
func (r *Recorder) Compacted(revision uint64, token candor.Token) {
	f := watches.Floor{Revision: revision, Token: token, Stamp: r.Stamp()}
	r.note(func(e *Evidence) { e.Floors = append(e.Floors, f) })
}

// Repeated records a write that was sent again under its request ID after it had been
// acknowledged at first.
func (r *Recorder) Repeated(client, requestID, key string, first, again candor.Token, err error) {
	one := durability.Repeat{Client: client, RequestID: requestID, Key: key, First: first, Again: again, Stamp: r.Stamp()}
	if err != nil {
		one.Reason, one.Message = candor.ReasonOf(err), err.Error()
	}
	r.note(func(e *Evidence) { e.Repeats = append(e.Repeats, one) })
}

// Versions records what the cluster keeps of an object, read after the run. With a
// value, which must be that of the recorded clients, versions are kept by it; nil keeps
// them whole, as checks of tenures, nodes and instances need them.
func (r *Recorder) Versions(ref candor.Ref, h *client.History, value history.Value) {
	v := history.VersionsOf(ref, h, value)
	r.note(func(e *Evidence) { e.Versions = append(e.Versions, v) })
}

// Gone records that an object is not there at a revision.
func (r *Recorder) Gone(ref candor.Ref, revision uint64) {
	v := history.Versions{Key: history.Key(ref), Revision: revision}
	r.note(func(e *Evidence) { e.Versions = append(e.Versions, v) })
}

// Final records a complete list of a kind, or of one namespace of it, read after the
// run: objects are of all its pages, value is that of the recorded clients.
func (r *Recorder) Final(kind candor.KindName, namespace string, revision uint64, node string, objects []*candor.Object, value history.Value) {
	f := durability.Final{Scope: string(kind) + "/", Revision: revision, Node: node}
	if namespace != "" {
		f.Scope += namespace + "/"
	}
	for _, o := range objects {
		key := history.Key(candor.Ref{Kind: kind, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name})
		f.Items = append(f.Items, history.Item{Key: key, Value: value(o), Version: o.Metadata.ResourceVersion})
	}
	r.note(func(e *Evidence) { e.Finals = append(e.Finals, f) })
}

// Digest records what a node says that its state was at an index.
func (r *Recorder) Digest(node, boot string, index uint64, digest []byte) {
	d := determinism.Digest{Node: node, Boot: boot, Index: index, Digest: hex.EncodeToString(digest)}
	r.note(func(e *Evidence) { e.Digests = append(e.Digests, d) })
}

// Told are the indexes of which a digest was recorded so far.
func (r *Recorder) Told() map[uint64]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	told := make(map[uint64]bool, len(r.records.Digests))
	for i := range r.records.Digests {
		told[r.records.Digests[i].Index] = true
	}
	return told
}

// Replayed records a digest that was computed again, from files of a node: from is
// "log" or "snapshot@INDEX".
func (r *Recorder) Replayed(from, node string, index uint64, digest []byte) {
	d := determinism.Replay{From: from, Node: node, Index: index, Digest: hex.EncodeToString(digest)}
	r.note(func(e *Evidence) { e.Replays = append(e.Replays, d) })
}

// Violations records what a node says of the turns that it has taken.
func (r *Recorder) Violations(node *client.NodeReport, records []client.TurnRecord) {
	t := determinism.Turns{Node: node.NodeID, Boot: node.BootID, Index: node.Applied.Index, Records: slices.Clone(records)}
	if node.State != nil {
		t.Faults, t.Violations = node.State.TurnFaults, node.State.Violations
	}
	r.note(func(e *Evidence) { e.Turns = append(e.Turns, t) })
}

// Decision records a decision that was taken again.
func (r *Recorder) Decision(id, instance string, again candor.Replay) {
	d := placements.Decision{ID: id, Instance: instance, Replay: again}
	r.note(func(e *Evidence) { e.Decisions = append(e.Decisions, d) })
}

func (r *Recorder) note(add func(*Evidence)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	add(&r.records)
}

// Evidence is what was recorded so far; recording may go on. What has not ended yet
// has no end in it. The error, of reason INVALID, names an operation that was recorded
// wrongly.
func (r *Recorder) Evidence() (*Evidence, error) {
	h, err := r.operations.History()
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.records
	e.History = h
	e.Floors, e.Acts, e.Versions = slices.Clone(e.Floors), slices.Clone(e.Acts), slices.Clone(e.Versions)
	e.Finals, e.Repeats, e.Decisions = slices.Clone(e.Finals), slices.Clone(e.Repeats), slices.Clone(e.Decisions)
	e.Digests, e.Replays, e.Turns = slices.Clone(e.Digests), slices.Clone(e.Replays), slices.Clone(e.Turns)
	for _, w := range r.watches {
		e.Watches = append(e.Watches, w.stream())
	}
	for _, b := range r.beliefs {
		e.Beliefs = append(e.Beliefs, b.belief)
	}
	for _, c := range r.claims {
		e.Claims = append(e.Claims, c.claim)
	}
	began := r.operations.Began()
	for _, n := range r.numbers {
		for _, a := range n.Answers() {
			e.Numbers = append(e.Numbers, Number{
				Duty: a.Duty, Holder: a.Holder, Era: a.Era, First: a.First, Count: a.Count,
				Asked: history.Stamp{At: a.Asked.Sub(began).Nanoseconds(), Seq: a.Began},
				Told:  history.Stamp{At: a.Told.Sub(began).Nanoseconds(), Seq: a.Ended},
			})
		}
	}
	slices.SortFunc(e.Numbers, func(a, b Number) int { return a.Asked.Compare(b.Asked) })
	return &e, nil
}
