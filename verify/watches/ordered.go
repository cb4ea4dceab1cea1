package watches

import (
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// ordered checks that events come in the order of revisions, each once and all of a
// turn in one batch, after what the stream asked for and at or below what their batch
// promises; that promises never go back; and that a bookmark has no events. A watch
// that is resumed begins after the revision that it names, so it repeats nothing.
func (r *Recording) ordered(least int) history.Report {
	report := history.Report{Property: "watches are ordered, unique and atomic"}
	for i := range r.Streams {
		o := order{report: &report, stream: &r.Streams[i]}
		for j := range o.stream.Batches {
			o.take(&o.stream.Batches[j])
		}
		o.ended()
	}
	return report.Conclude(least)
}

// order is how far a stream has come.
type order struct {
	report *history.Report
	stream *Stream
	// promised is the batch of the highest promise, last the newest event.
	promised *Batch
	last     delivery
	// keys are those of the last event's revision.
	keys map[string]delivery
}

func (o *order) take(b *Batch) {
	o.report.Checked++
	after := o.stream.After
	if o.promised != nil {
		after = o.promised.Revision
	}
	switch {
	case b.Revision < after:
		o.breaks(fmt.Sprintf("it promises everything up to revision %d, after it had promised %d", b.Revision, after), o.promise(), b.exhibit())
	case b.Bookmark && len(b.Events) > 0:
		o.breaks("a bookmark has events", b.exhibit())
	}
	for i := range b.Events {
		o.event(delivery{&b.Events[i], b}, after)
	}
	if o.promised == nil || b.Revision >= o.promised.Revision {
		o.promised = b
	}
}

// ended counts what the client had to refuse, and ended the stream for: its caller never
// saw it.
func (o *order) ended() {
	if end := o.stream.End; end != nil && end.Reason == candor.ReasonInvariantViolated {
		o.report.Checked++
		o.breaks("the client had to refuse what it was sent: "+end.Message, o.promise())
	}
}

func (o *order) event(d delivery, after uint64) {
	o.report.Checked++
	before, twice := o.keys[d.Key]
	switch {
	case d.Revision <= after:
		o.breaks(fmt.Sprintf("an event of revision %d comes after everything up to revision %d was delivered", d.Revision, after), o.promise(), d.exhibit())
	case d.Revision > d.batch.Revision:
		o.breaks(fmt.Sprintf("an event of revision %d comes with the promise of revision %d", d.Revision, d.batch.Revision), d.exhibit(), d.batch.exhibit())
	case o.last.Event == nil || d.Revision > o.last.Revision:
	case d.Revision < o.last.Revision:
		o.breaks(fmt.Sprintf("an event of revision %d comes after one of revision %d", d.Revision, o.last.Revision), o.last.exhibit(), d.exhibit())
	case d.batch != o.last.batch:
		o.breaks(fmt.Sprintf("the events of revision %d come in two batches", d.Revision), o.last.exhibit(), d.exhibit())
	case twice:
		o.breaks(fmt.Sprintf("revision %d of %s comes twice", d.Revision, d.Key), before.exhibit(), d.exhibit())
	}
	if o.last.Event == nil || d.Revision != o.last.Revision {
		o.keys = map[string]delivery{}
	}
	o.keys[d.Key] = d
	o.last = d
}

// promise is what the stream stood on.
func (o *order) promise() history.Exhibit {
	if o.promised == nil {
		return o.stream.exhibit()
	}
	return o.promised.exhibit()
}

func (o *order) breaks(why string, exhibits ...history.Exhibit) {
	o.report.Break(func() string { return "watch " + o.stream.Stream + ": " + why }, nil, exhibits...)
}
