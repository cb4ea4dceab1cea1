package worker

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// Session is a worker's hold on nodes: from their registration on it says that they
// live, under one session, until another takes them over.
type Session struct {
	nodes Nodes
	id    string
	log   hclog.Logger

	mu       sync.Mutex
	wanted   map[string]client.NodeRegistration
	held     map[string]client.Beat
	order    []string // of held, sorted
	takers   map[string]string
	interval time.Duration
	within   time.Duration
	// holds counts registrations.
	holds int

	// sooner says that the interval became shorter by a registration.
	sooner chan struct{}
}

// beatsAtOnce is how many beats go in one request.
const beatsAtOnce = 1000

// NewSession returns a session that holds nothing.
func NewSession(nodes Nodes, id string, logger hclog.Logger) *Session {
	if nodes == nil || id == "" || logger == nil {
		panic("worker: a session needs nodes, an ID and a logger")
	}
	return &Session{
		nodes: nodes, id: id, log: logger, wanted: map[string]client.NodeRegistration{}, held: map[string]client.Beat{}, takers: map[string]string{},
		interval: time.Second, sooner: make(chan struct{}, 1),
	}
}

// ID is the session's.
func (s *Session) ID() string { return s.id }

// Register takes nodes over, and asks again until that is done, ctx ends, or a refusal
// says that asking again is of no use. Held is told each time that another worker has a
// node (NODE_HELD), and the node is not asked for again before it returns.
func (s *Session) Register(ctx context.Context, nodes []client.NodeRegistration, held func(node string, refused *candor.Error)) error {
	pause := backoff{first: 250 * time.Millisecond, last: 10 * time.Second}
	waiting, attempts := time.Now(), 0
	for len(nodes) > 0 {
		n := min(len(nodes), client.MaxRegistrations)
		results, err := s.nodes.RegisterNodes(ctx, nodes[:n])
		var left []client.NodeRegistration
		for i := range results {
			refused := results[i].Refused
			if err = later(err, refused); refused != nil {
				if refused.Reason == candor.ReasonNodeHeld {
					held(nodes[i].Name, refused)
				}
				left = append(left, nodes[i])
				continue
			}
			s.hold(&nodes[i], &results[i])
		}
		if results != nil {
			nodes = append(left, nodes[n:]...)
		}
		if err == nil {
			pause.reset()
			continue
		}
		if ctx.Err() != nil {
			return candor.Errorf(candor.ReasonCanceled, "the worker ended before its node was registered: %w", err)
		}
		if lasting(candor.ReasonOf(err)) {
			return err
		}
		attempts++
		d := pause.grow()
		s.log.Warn("the node is not registered, and will be tried again", "error", err, "attempts", attempts, "for", time.Since(waiting).Round(time.Second), "again_in", d.Round(time.Millisecond))
		rest(ctx, d)
	}
	return nil
}

// later is the first error of several.
func later(first error, next *candor.Error) error {
	if first != nil || next == nil {
		return first
	}
	return next
}

// lasting says that a refusal is not one that time ends.
func lasting(reason candor.Reason) bool {
	switch reason {
	case candor.ReasonInvalid, candor.ReasonForbidden, candor.ReasonUnauthenticated, candor.ReasonUnimplemented, candor.ReasonHistoryMismatch, candor.ReasonClusterMismatch:
		return true
	default:
		return false
	}
}

func (s *Session) hold(n *client.NodeRegistration, r *client.RegisteredNode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.held[n.Name]; !known {
		at, _ := slices.BinarySearch(s.order, n.Name)
		s.order = slices.Insert(s.order, at, n.Name)
	}
	s.wanted[n.Name] = *n
	s.held[n.Name] = client.Beat{Node: n.Name, UID: r.Node.Metadata.UID, Session: s.id}
	s.holds++
	if len(s.held) == 1 || r.HeartbeatInterval < s.interval {
		s.pace(r.HeartbeatInterval, r.DetectWithin)
	}
}

// pace is called with the lock.
func (s *Session) pace(interval, within time.Duration) {
	if interval < s.interval {
		select {
		case s.sooner <- struct{}{}:
		default:
		}
	}
	s.interval, s.within = interval, within
}

// told takes over what the answers to a round of beats say of how often to beat: the
// shortest. A longer interval than before counts only where all nodes were answered for.
func (s *Session) told(answers []client.Heartbeats, whole bool) {
	var shortest client.Heartbeats
	for _, a := range answers {
		switch {
		case a.HeartbeatInterval <= 0:
			whole = false
		case shortest.HeartbeatInterval == 0 || a.HeartbeatInterval < shortest.HeartbeatInterval:
			shortest = a
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.interval
	if shortest.HeartbeatInterval == 0 || shortest.HeartbeatInterval == before || shortest.HeartbeatInterval > before && !whole {
		return
	}
	s.pace(shortest.HeartbeatInterval, shortest.DetectWithin)
	s.log.Info("the failure policy changed how often to be heard", "interval", s.interval, "before", before, "lease", s.within)
}

// drop ends the hold on a node that another session has.
func (s *Session) drop(name, taker string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.takers[name] = taker
	delete(s.held, name)
	if at, found := slices.BinarySearch(s.order, name); found {
		s.order = slices.Delete(s.order, at, at+1)
	}
}

// UID is that of a node that the session holds; empty for another.
func (s *Session) UID(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[name].UID
}

// Taker is the session that took the node over; empty for none.
func (s *Session) Taker(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.takers[name]
}

// Lease is how long a node counts as alive after a beat.
func (s *Session) Lease() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.within
}

// Beat says that the nodes live, until ctx ends, as often as the answers ask for. A node
// that was deleted meanwhile is registered anew, and told to again; one that another
// session took over is told to lost, with the refusal, and held no more. Both may be
// called concurrently.
func (s *Session) Beat(ctx context.Context, again func(node string), lost func(node string, refused *candor.Error)) {
	unheard := map[int]time.Time{}
	for {
		s.mu.Lock()
		names, interval, holds := slices.Clone(s.order), s.interval, s.holds
		s.mu.Unlock()
		began := time.Now()
		var answers []client.Heartbeats
		for part := range slices.Chunk(names, beatsAtOnce) {
			answers = append(answers, s.beatOnce(ctx, part, interval, len(answers), unheard, again, lost))
		}
		s.mu.Lock()
		whole := s.holds == holds
		s.mu.Unlock()
		s.told(answers, whole)
		if !s.rest(ctx, began) {
			return
		}
	}
}

// rest is until the next beat is due after one that began then; false where ctx ended.
func (s *Session) rest(ctx context.Context, began time.Time) bool {
	for {
		s.mu.Lock()
		timer := time.NewTimer(max(0, s.interval-time.Since(began)))
		s.mu.Unlock()
		select {
		case <-timer.C:
			return ctx.Err() == nil
		case <-s.sooner:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return false
		}
	}
}

// beatOnce returns what was answered; nothing where nobody did.
func (s *Session) beatOnce(ctx context.Context, names []string, interval time.Duration, chunk int, unheard map[int]time.Time, again func(string), lost func(string, *candor.Error)) client.Heartbeats {
	beats := make([]client.Beat, 0, len(names))
	s.mu.Lock()
	for _, name := range names {
		beats = append(beats, s.held[name])
	}
	s.mu.Unlock()
	within, cancel := context.WithTimeout(ctx, interval)
	defer cancel()
	heard, err := s.nodes.Heartbeat(within, beats)
	since, was := unheard[chunk]
	switch {
	case ctx.Err() != nil:
		return client.Heartbeats{}
	case err != nil && !was:
		unheard[chunk] = time.Now()
		s.log.Warn("nobody hears the heartbeat; what runs goes on", "error", err, "nodes", len(beats), "lease", s.Lease())
		return client.Heartbeats{}
	case err != nil:
		return client.Heartbeats{}
	case was:
		delete(unheard, chunk)
		s.log.Info("the heartbeat is heard again", "after", time.Since(since).Round(time.Millisecond), "nodes", len(beats))
	}
	for i, refused := range heard.Refused {
		if refused != nil {
			s.refused(ctx, &beats[i], refused, again, lost)
		}
	}
	return heard
}

// refused finds out what a refused beat means: that the node is gone, or another's.
func (s *Session) refused(ctx context.Context, beat *client.Beat, refused *candor.Error, again func(string), lost func(string, *candor.Error)) {
	object, _, err := s.nodes.Get(ctx, candor.Ref{Kind: candor.KindNodes, Name: beat.Node})
	switch {
	case candor.ReasonOf(err) == candor.ReasonNotFound:
	case err != nil:
		return // the next beat is refused too
	default:
		session := sessionOf(object)
		if session == s.id && object.Metadata.UID == beat.UID {
			s.log.Warn("a heartbeat was refused", "node", beat.Node, "error", refused)
			return
		}
		if session != "" && session != s.id {
			s.drop(beat.Node, session)
			lost(beat.Node, refused)
			return
		}
	}
	s.log.Warn("the node was deleted while its worker lives, and is registered anew", "node", beat.Node, "uid", beat.UID)
	s.mu.Lock()
	wanted := s.wanted[beat.Node]
	s.mu.Unlock()
	results, err := s.nodes.RegisterNodes(ctx, []client.NodeRegistration{wanted})
	if err == nil {
		err = later(nil, results[0].Refused)
	}
	if err != nil {
		s.log.Warn("the node is not registered, and will be tried again", "node", beat.Node, "error", err)
		return
	}
	s.hold(&wanted, &results[0])
	again(beat.Node)
}
