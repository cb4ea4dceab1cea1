package gossip

import "sync"

// roster is the set of servers that were let in and are not yet forgotten. It
// bounds what peers that invent servers can make this node remember.
type roster struct {
	mu  sync.Mutex
	max int
	ids map[string]struct{}
}

func newRoster(limit int) *roster {
	return &roster{max: limit, ids: make(map[string]struct{})}
}

// hasRoom reports whether a server is in the roster or still may be.
func (r *roster) hasRoom(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, known := r.ids[id]
	return known || len(r.ids) < r.max
}

func (r *roster) add(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids[id] = struct{}{}
}

func (r *roster) remove(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.ids, id)
}
