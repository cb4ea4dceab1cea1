package worker

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// hearer is a cluster that tells each time how often to beat.
type hearer struct {
	mu         sync.Mutex
	registered time.Duration
	// answers are by the first node of a request; none is an old server's.
	answers map[string]time.Duration
	away    bool
	heard   []time.Duration
	began   time.Time
}

func (h *hearer) RegisterNodes(_ context.Context, nodes []client.NodeRegistration) ([]client.RegisteredNode, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []client.RegisteredNode
	for i := range nodes {
		node := &candor.Object{Metadata: candor.Metadata{Name: nodes[i].Name, UID: "uid-" + nodes[i].Name}}
		out = append(out, client.RegisteredNode{Node: node, DetectWithin: 3 * h.registered, HeartbeatInterval: h.registered})
	}
	return out, nil
}

func (h *hearer) Heartbeat(_ context.Context, beats []client.Beat) (client.Heartbeats, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if beats[0].Node == firstNode {
		h.heard = append(h.heard, time.Since(h.began))
	}
	if h.away {
		return client.Heartbeats{}, errAway
	}
	told := h.answers[beats[0].Node]
	return client.Heartbeats{Refused: make([]*candor.Error, len(beats)), HeartbeatInterval: told, DetectWithin: 3 * told}, nil
}

func (h *hearer) Get(context.Context, candor.Ref, ...client.ReadOption) (*candor.Object, candor.Witness, error) {
	return nil, candor.Witness{}, errAway
}

const firstNode, laterNode = "n-0000", "n-1000" // the first nodes of two requests

func (h *hearer) tell(away bool, of map[string]time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.away, h.answers = away, of
}

// beats begins anew to note when beats come, and returns those of so long.
func (h *hearer) beats(d time.Duration) []time.Duration {
	h.mu.Lock()
	h.heard, h.began = nil, time.Now()
	h.mu.Unlock()
	time.Sleep(d)
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.heard)
}

// gaps are those between beats, the distinct ones in order.
func gaps(beats []time.Duration) []time.Duration {
	var all []time.Duration
	for i := 1; i < len(beats); i++ {
		all = append(all, beats[i]-beats[i-1])
	}
	return slices.Compact(all)
}

func TestBeatsComeAsOftenAsTheAnswersAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hearer{registered: 5 * time.Second, began: time.Now()}
		s := NewSession(h, "one.1", hclog.NewNullLogger())
		var nodes []client.NodeRegistration
		for i := range 1001 {
			nodes = append(nodes, client.NodeRegistration{Name: fmt.Sprintf("n-%04d", i)})
		}
		if err := s.Register(t.Context(), nodes[:1], nil); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var beating sync.WaitGroup
		beating.Go(func() { s.Beat(ctx, func(string) {}, func(string, *candor.Error) {}) })
		defer beating.Wait()
		defer cancel()
		want := func(what string, d time.Duration, lease time.Duration, gap ...time.Duration) {
			t.Helper()
			if got := gaps(h.beats(d)); !slices.Equal(got, gap) || s.Lease() != lease {
				t.Errorf("%s: the gaps are %v with a lease of %s, want %v with %s", what, got, s.Lease(), gap, lease)
			}
		}
		want("a server that does not say", 21*time.Second, 15*time.Second, 5*time.Second)
		h.tell(false, map[string]time.Duration{firstNode: time.Second})
		want("a shorter policy", 20*time.Second, 3*time.Second, time.Second)
		h.tell(true, nil)
		want("nobody answers", 20*time.Second, 3*time.Second, time.Second)
		h.tell(false, map[string]time.Duration{firstNode: 10 * time.Second})
		want("a longer policy", 41*time.Second, 30*time.Second, 10*time.Second)
		h.mu.Lock()
		h.registered = 2 * time.Second
		h.answers = map[string]time.Duration{firstNode: 10 * time.Second, laterNode: 2 * time.Second}
		h.mu.Unlock()
		if err := s.Register(t.Context(), nodes, nil); err != nil {
			t.Fatal(err)
		}
		want("the shortest of many requests", 20*time.Second, 6*time.Second, 2*time.Second)
		h.tell(false, map[string]time.Duration{firstNode: 10 * time.Second})
		want("not all were answered for", 20*time.Second, 6*time.Second, 2*time.Second)
	})
}
