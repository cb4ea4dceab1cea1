package limit

// waiter is one request that waits for a place; its class's lock guards it.
type waiter struct {
	prev, next *waiter
	// ready is closed when the place is the waiter's.
	ready   chan struct{}
	granted bool
}

// queue is the requests of one identity that wait in one class, first come first
// served.
type queue struct {
	line        *line
	first, last *waiter
	length      int
	// In the ring: the identity may have another place as soon as one is free.
	prev, next *queue
	ringed     bool
}

func (q *queue) push(w *waiter) {
	w.prev = q.last
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
	q.length++
}

func (q *queue) remove(w *waiter) {
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next = nil, nil
	q.length--
}

// ring is the queues whose identities take turns, the next one first.
type ring struct {
	first, last *queue
	length      int
	// peers are those of servers, in the same order; they are few.
	peers []*queue
}

func (r *ring) push(q *queue) {
	q.prev, q.next, q.ringed = r.last, nil, true
	if r.last == nil {
		r.first = q
	} else {
		r.last.next = q
	}
	r.last = q
	r.length++
	if q.line.identity.peer {
		r.peers = append(r.peers, q)
	}
}

func (r *ring) remove(q *queue) {
	if q.prev == nil {
		r.first = q.next
	} else {
		q.prev.next = q.next
	}
	if q.next == nil {
		r.last = q.prev
	} else {
		q.next.prev = q.prev
	}
	q.prev, q.next, q.ringed = nil, nil, false
	r.length--
	for i := range r.peers {
		if r.peers[i] == q {
			copy(r.peers[i:], r.peers[i+1:])
			r.peers[len(r.peers)-1] = nil
			r.peers = r.peers[:len(r.peers)-1]
			return
		}
	}
}
