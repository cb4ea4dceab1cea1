package evidence

import (
	"fmt"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/verify/history"
	"github.com/candor-plane/candor/verify/watches"
)

// Watch records one watch.
type Watch struct {
	recorder *Recorder
	value    history.Value
	start    watches.Start
	batches  []watches.Batch
	end      *watches.End
}

// Watch records that a watch is asked for: call it before it is. Value is that of the
// recorded clients; resumes is the watch that this one goes on with, or nil.
func (r *Recorder) Watch(name string, o client.WatchOptions, value history.Value, resumes *Watch) *Watch {
	if name == "" || value == nil {
		panic("evidence: a recorded watch needs a name and what to take for the value")
	}
	w := &Watch{recorder: r, value: value, start: watches.Start{
		Kind: o.Kind, Namespace: o.Namespace, Name: o.Name, Selector: o.Selector,
		After: o.AfterRevision, Previous: o.WithPrevious, Stamp: r.Stamp(),
	}}
	if resumes != nil {
		w.start.Resumes = resumes.start.Stream
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	// The place makes the name one of its own.
	w.start.Stream = fmt.Sprintf("%s#%d", name, len(r.watches)+1)
	r.watches = append(r.watches, w)
	return w
}

// Batch records what the watch delivered, in the order in which it did.
func (w *Watch) Batch(b client.WatchBatch) {
	one := watches.Batch{Stream: w.start.Stream, Revision: b.Revision, Bookmark: b.Bookmark, Stamp: w.recorder.Stamp()}
	if b.Witness != nil {
		one.Node, one.Token = b.Witness.NodeID, b.Witness.ServedToken
	}
	for i := range b.Events {
		one.Events = append(one.Events, w.event(&b.Events[i]))
	}
	w.recorder.mu.Lock()
	defer w.recorder.mu.Unlock()
	w.batches = append(w.batches, one)
}

func (w *Watch) event(from *candor.Event) watches.Event {
	e := watches.Event{Type: from.Type, Revision: from.Revision}
	if o := from.Object; o != nil {
		e.Key = history.Key(candor.Ref{Kind: w.start.Kind, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name})
		e.Value, e.Version, e.Labels = w.value(o), o.Metadata.ResourceVersion, o.Metadata.Labels
	}
	if o := from.Previous; o != nil {
		e.Previous = &watches.Previous{Value: w.value(o), Version: o.Metadata.ResourceVersion, Labels: o.Metadata.Labels}
	}
	return e
}

// Ended records the error that ended the watch, a refusal of its start included. A
// watch that its caller closed says so with CANCELED.
func (w *Watch) Ended(err error) {
	end := &watches.End{Stream: w.start.Stream, Stamp: w.recorder.Stamp()}
	if err != nil {
		end.Reason, end.Message = candor.ReasonOf(err), err.Error()
	}
	w.recorder.mu.Lock()
	defer w.recorder.mu.Unlock()
	if w.end == nil {
		w.end = end
	}
}

// stream is what was recorded so far; under the recorder's lock.
func (w *Watch) stream() watches.Stream {
	return watches.Stream{Start: w.start, Batches: slices.Clone(w.batches), End: w.end}
}
