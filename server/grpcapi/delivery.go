package grpcapi

import (
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/codec"
)

// delivery is what watches of one stream are told: a message, or without one how
// they ended.
type delivery struct {
	watches  []*carriedWatch
	response codec.Encoded
	status   []byte
}

// lookBack is among how many of the newest deliveries one with the same bytes is
// looked for.
const lookBack = 8

// deliveries wait to be sent, in order.
type deliveries struct {
	waiting []delivery
	// sent counts those that were taken since the stream began, so that a watch can
	// remember where its newest one stands.
	sent uint64
}

// add puts the message at the end for the watch, or has it join others that are told
// the very same bytes, if it is not told anything later by then.
func (q *deliveries) add(w *carriedWatch, response codec.Encoded) {
	for i := len(q.waiting) - 1; i >= max(0, len(q.waiting)-lookBack); i-- {
		d, place := &q.waiting[i], q.sent+uint64(i)+1
		if w.newest >= place {
			break
		}
		if same(d.response, response) {
			d.watches = append(d.watches, w)
			w.newest = place
			return
		}
	}
	q.waiting = append(q.waiting, delivery{watches: []*carriedWatch{w}, response: response})
	w.newest = q.sent + uint64(len(q.waiting))
}

// same says whether both are one piece of memory.
func same(a, b codec.Encoded) bool {
	return len(a) == len(b) && len(a) > 0 && &a[0] == &b[0]
}

func (q *deliveries) end(w *carriedWatch, status []byte) {
	q.waiting = append(q.waiting, delivery{watches: []*carriedWatch{w}, status: status})
}

// take removes those that go into one message: at least one, if any waits.
func (q *deliveries) take(limit int) []delivery {
	n, size := 0, 0
	for n < len(q.waiting) {
		size += len(q.waiting[n].response) + len(q.waiting[n].status)
		if n > 0 && size > limit {
			break
		}
		n++
	}
	out := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	if len(q.waiting) == 0 {
		q.waiting = nil
	}
	q.sent += uint64(n)
	return out
}

func message(batch []delivery) *candorv1.WatchesResponse {
	out := &candorv1.WatchesResponse{Deliveries: make([]*candorv1.Delivery, len(batch))}
	for i, d := range batch {
		ids := make([]uint64, len(d.watches))
		for j, w := range d.watches {
			ids[j] = w.id
		}
		out.Deliveries[i] = &candorv1.Delivery{Watches: ids, Response: d.response, Status: d.status}
	}
	return out
}
