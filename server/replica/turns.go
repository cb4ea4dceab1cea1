package replica

import "sync"

// turns wakes whoever waits for leadership to change.
type turns struct {
	mu   sync.Mutex
	next chan struct{}
}

func (t *turns) turned() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next != nil {
		close(t.next)
		t.next = nil
	}
}

func (t *turns) wait() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next == nil {
		t.next = make(chan struct{})
	}
	return t.next
}

// Turned returns a channel that is closed when somebody else may lead, as far as
// this server knows: when it begins or ceases to lead, with its LeaderStart applied,
// and when it hears of another leader, or of none.
func (r *Replica) Turned() <-chan struct{} { return r.turns.wait() }
