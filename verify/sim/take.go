package sim

import (
	"github.com/candor-plane/candor/coordinator/allocator"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/verify/numbers"
)

// answers are the numbers that were handed out, by duty.
type answers struct {
	ids, tso []numbers.Answer
	order    uint64
}

// take has somebody ask a holder for numbers. The question and the answer take time on
// their way, and where too little is reserved the question waits a little.
func (w *world) take(d *dice) {
	duty := tenure.DutyIDs
	if d.chance(50) {
		duty = tenure.DutyTSO
	}
	h := w.actor(duty, d)
	if h == nil {
		return
	}
	w.numbers.order++
	q := &question{h: h, boot: h.s.boot, n: uint64(1 + d.upto(20)), began: w.numbers.order, left: 4}
	w.after(d.span(300*microsecond), func() { q.arrive(d) })
}

// question is for so many numbers.
type question struct {
	h     *holding
	boot  int
	n     uint64
	began uint64
	left  int
}

func (q *question) arrive(d *dice) {
	h, w := q.h, q.h.s.w
	q.left--
	if h.s.boot != q.boot || q.left < 0 {
		return
	}
	first, ok := h.takes(q.n, d)
	if !ok {
		w.after(d.span(4*millisecond), func() { q.arrive(d) })
		return
	}
	a := numbers.Answer{Duty: h.duty, Holder: h.s.holder, First: first, Count: q.n, Era: h.era, Began: q.began}
	w.after(d.span(300*microsecond), func() {
		w.numbers.order++
		a.Ended = w.numbers.order
		if a.Duty == tenure.DutyIDs {
			w.numbers.ids = append(w.numbers.ids, a)
		} else {
			w.numbers.tso = append(w.numbers.tso, a)
		}
	})
}

// takes hands out of what is reserved, and has more reserved where that is too little.
func (h *holding) takes(n uint64, d *dice) (first uint64, ok bool) {
	s, w := h.s, h.s.w
	if !s.awake() || h.era == 0 || h.sealing() && w.mistake != actsAfterSealing {
		return 0, false
	}
	floor := uint64(0)
	if h.duty == tenure.DutyTSO {
		if !h.holds() {
			return 0, false
		}
		floor = allocator.Timestamp(s.m.View().ClusterTime())
	}
	first, after, ok := h.window.Take(n, floor)
	if !ok {
		h.reserve(n, floor, d)
		if w.mistake != takesUnreserved {
			return 0, false
		}
		want, _ := h.window.Want(n, floor)
		if first, after, ok = h.window.Granted(want).Take(n, floor); !ok {
			return 0, false
		}
	}
	h.window = after
	return first, true
}

// reserve asks the root for more; the era's own bound comes first.
func (h *holding) reserve(n, floor uint64, d *dice) {
	ahead := uint64(d.upto(100))
	if h.duty == tenure.DutyTSO {
		ahead = allocator.Timestamp(d.span(60 * millisecond))
	}
	want, ok := h.window.Want(n+ahead, floor)
	if h.reserving || !ok {
		return
	}
	s, era, boot := h.s, h.era, h.s.boot
	bound := tenure.Frontiers{ID: want}
	if h.duty == tenure.DutyTSO {
		bound = tenure.Frontiers{Timestamp: want}
	}
	h.reserving = true
	s.w.propose(s, command.Tenure(h.duty, s.holder, tenure.Reserve{Era: era, Holder: s.holder, Bound: bound}), d, func(o outcome) {
		if s.boot != boot || h.era != era {
			return
		}
		h.reserving = false
		if o.result != nil && o.result.Reason == "" {
			h.window = h.window.Granted(want)
		}
	})
}
