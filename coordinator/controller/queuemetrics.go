package controller

import "time"

// QueueMetrics are a queue at one moment. Counters are since it was made.
type QueueMetrics struct {
	// Waiting keys, those that are worked on, and those that are delayed.
	Waiting int `json:"waiting"`
	Working int `json:"working"`
	Delayed int `json:"delayed"`
	// Oldest is for how long the key at the head of a line has waited, of the line where
	// that is longest.
	Oldest time.Duration `json:"oldest"`
	// Added keys; Merged are those that waited already; Taken were handed out; Retried
	// had failed.
	Added   uint64 `json:"added"`
	Merged  uint64 `json:"merged"`
	Taken   uint64 `json:"taken"`
	Retried uint64 `json:"retried"`
}

type queueCounts struct{ adds, merged, taken, retries, delays uint64 }

// Metrics of the queue.
func (q *Queue) Metrics() QueueMetrics {
	q.mu.Lock()
	defer q.mu.Unlock()
	m := QueueMetrics{
		Waiting: q.depth(), Working: q.working, Delayed: len(q.delayed),
		Added: q.counts.adds, Merged: q.counts.merged, Taken: q.counts.taken, Retried: q.counts.retries,
	}
	now := time.Now()
	for p := range q.waiting {
		if k := q.waiting[p].first; k != nil {
			m.Oldest = max(m.Oldest, now.Sub(k.since))
		}
	}
	return m
}

func (q *Queue) depth() int {
	n := 0
	for p := range q.waiting {
		n += q.waiting[p].length
	}
	return n
}
