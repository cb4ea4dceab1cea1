package network

import (
	"slices"
	"sync"

	"github.com/candor-plane/candor"
)

// ways are those between all servers.
type ways struct {
	seed uint64

	mu          sync.Mutex
	names       []string
	byDirection map[Direction]*way
}

func newWays(seed uint64) *ways { return &ways{seed: seed, byDirection: map[Direction]*way{}} }

// join makes the ways of one more server.
func (w *ways) join(name string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if name == "" || slices.Contains(w.names, name) {
		return candor.Errorf(candor.ReasonInvalid, "place %q: want a name, and none of %v again", name, w.names)
	}
	for _, other := range w.names {
		for _, d := range Between([]string{name}, []string{other}) {
			w.byDirection[d] = newWay(d, w.seed)
		}
	}
	w.names = append(w.names, name)
	return nil
}

func (w *ways) way(d Direction) (*way, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if way := w.byDirection[d]; way != nil {
		return way, nil
	}
	return nil, candor.Errorf(candor.ReasonInvalid, "link %s: no such link between the servers %v", d, w.names)
}

func (w *ways) unknown(name string) error {
	return candor.Errorf(candor.ReasonInvalid, "server %q: want one of %v", name, w.servers())
}

func (w *ways) servers() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.names)
}

func (w *ways) all() []*way {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]*way, 0, len(w.byDirection))
	for _, way := range w.byDirection {
		out = append(out, way)
	}
	return out
}
