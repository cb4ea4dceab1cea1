package watches

import (
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// honest checks what events say: the version that was written and no other, the type
// that the object's life in this stream makes it, and before it what was there. What no
// recorded write made is a phantom, unless a write of unknown outcome explains it, each
// one version, or the object is going.
func (r *Recording) honest(t *truth, least int) history.Report {
	report := history.Report{Property: "watches deliver what was written, and what was before"}
	phantoms := phantoms{truth: t, used: map[string]map[uint64]bool{}}
	for i := range r.Streams {
		s := &r.Streams[i]
		h := honesty{report: &report, truth: t, stream: s, filtered: s.selector() != nil, lives: map[string]delivery{}}
		for d := range s.all {
			report.Checked++
			h.written(d)
			h.lived(d)
			h.previous(d)
			if why := phantoms.of(d, h.filtered); why != "" {
				h.breaks(d, why, nil)
			}
			h.lives[d.Key] = d
		}
	}
	return report.Conclude(least)
}

// honesty is what a stream has shown so far.
type honesty struct {
	report   *history.Report
	truth    *truth
	stream   *Stream
	filtered bool
	// lives are the newest events of keys.
	lives map[string]delivery
}

func (h *honesty) breaks(d delivery, why string, f *fact, others ...history.Exhibit) {
	var operations []*history.Operation
	if f != nil {
		told, exhibits := f.told()
		operations, others = told, append(others, exhibits...)
	}
	h.report.Break(func() string { return "watch " + h.stream.Stream + ": " + why }, operations, append(others, d.exhibit())...)
}

// written compares an event with what is known of its version.
func (h *honesty) written(d delivery) {
	if d.Type != candor.EventDeleted && d.Version != 0 && d.Version != d.Revision {
		h.breaks(d, fmt.Sprintf("the event of revision %d shows version %d", d.Revision, d.Version), nil)
	}
	f := h.truth.at(d.Key, d.Revision)
	if f == nil || f.stream == h.stream.Stream {
		return
	}
	gone := d.Type == candor.EventDeleted
	switch {
	case f.absent && !gone:
		h.breaks(d, fmt.Sprintf("revision %d removed %s, and is shown as %s", d.Revision, d.Key, d.Type), f)
	case !f.absent && gone && !h.filtered:
		h.breaks(d, fmt.Sprintf("revision %d wrote %s, and is shown as DELETED", d.Revision, d.Key), f)
	case !gone && f.value != "" && d.Value != "" && f.value != d.Value:
		h.breaks(d, fmt.Sprintf("revision %d wrote %s=%s, and is shown as %s", d.Revision, d.Key, f.value, d.Value), f)
	}
}

// lived compares the type of an event with what the stream has shown of the object.
func (h *honesty) lived(d delivery) {
	last, known := h.lives[d.Key]
	if !known {
		return
	}
	there := last.Type != candor.EventDeleted
	switch {
	case d.Type == candor.EventAdded && there:
		h.breaks(d, d.Key+" is ADDED, and was there", nil, last.exhibit())
	case d.Type != candor.EventAdded && !there:
		h.breaks(d, fmt.Sprintf("%s is %s, and was not there", d.Key, d.Type), nil, last.exhibit())
	}
}

// previous checks what an event says was there before it.
func (h *honesty) previous(d delivery) {
	if !h.stream.Previous {
		if d.Previous != nil {
			h.breaks(d, "it shows what was before, and was not asked to", nil)
		}
		return
	}
	p := d.Previous
	switch {
	case p == nil && d.Type != candor.EventAdded:
		h.breaks(d, fmt.Sprintf("%s is %s, and nothing is said to have been before", d.Key, d.Type), nil)
		return
	case p == nil:
		return
	case d.Type == candor.EventAdded && !h.filtered:
		h.breaks(d, d.Key+" is ADDED, and something is said to have been before", nil)
		return
	case p.Version >= d.Revision:
		h.breaks(d, fmt.Sprintf("version %d is said to have been before revision %d", p.Version, d.Revision), nil)
		return
	}
	if last, known := h.lives[d.Key]; known && last.Type != candor.EventDeleted && p.Version != 0 && p.Version != last.Revision {
		h.breaks(d, fmt.Sprintf("version %d of %s is said to have been before; the stream showed revision %d last", p.Version, d.Key, last.Revision), nil, last.exhibit())
		return
	}
	h.before(d, p)
}

// before compares it with what is known to have been written.
func (h *honesty) before(d delivery, p *Previous) {
	if p.Version == 0 {
		return
	}
	newest := h.truth.before(d.Key, d.Revision)
	if newest == nil {
		return
	}
	switch {
	case newest.revision > p.Version:
		h.breaks(d, fmt.Sprintf("version %d of %s is said to have been before revision %d; revision %d was later", p.Version, d.Key, d.Revision, newest.revision), newest)
	case newest.revision == p.Version && newest.absent:
		h.breaks(d, fmt.Sprintf("version %d of %s is said to have been before, and removed it", p.Version, d.Key), newest)
	case newest.revision == p.Version && newest.value != "" && p.Value != "" && newest.value != p.Value:
		h.breaks(d, fmt.Sprintf("%s is said to have been %s at version %d, which wrote %s", d.Key, p.Value, p.Version, newest.value), newest)
	}
}

// phantoms finds versions that nobody wrote.
type phantoms struct {
	truth *truth
	// used are the revisions that writes of unknown outcome had to explain, by key and
	// value.
	used map[string]map[uint64]bool
}

// of says why an event is of a version that nobody wrote; empty where somebody did or
// may have.
func (p *phantoms) of(d delivery, filtered bool) string {
	w := p.truth.recorded[d.Key]
	if w == nil || w.going || w.first == 0 || d.Revision < w.first {
		return ""
	}
	if f := p.truth.at(d.Key, d.Revision); f != nil && f.stream == "" {
		return ""
	}
	gone := d.Type == candor.EventDeleted
	if gone && filtered {
		return "" // it may only have stopped to match
	}
	place, may := d.Key+"="+d.Value, 0
	if gone {
		place, may = d.Key, w.removals
	} else {
		for _, o := range w.unknown[d.Value] {
			if !d.batch.Before(o.Invoked()) {
				may++
			}
		}
	}
	if p.used[place] == nil {
		p.used[place] = map[uint64]bool{}
	}
	p.used[place][d.Revision] = true
	if len(p.used[place]) <= may {
		return ""
	}
	return fmt.Sprintf("nobody wrote revision %d of %s, and no write of unknown outcome explains it", d.Revision, d.Key)
}
