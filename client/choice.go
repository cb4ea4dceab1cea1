package client

import (
	"math"
	"math/rand/v2"

	"google.golang.org/grpc/connectivity"
)

// mostCandidates is how many equally good nodes a choice looks at without
// asking for memory.
const mostCandidates = 8

// nearest is the endpoint for a read that any node may serve: of the nodes in
// the best condition those that are about as near as the nearest, and of two of
// them, drawn at random, the one with fewer reads under way. Now and then it is
// another, to see whether that has recovered or come nearer.
func (d *directory) nearest() *endpoint {
	rotation := d.roster().rotation
	if len(rotation) == 1 {
		return rotation[0]
	}
	now := d.clock.elapsed()
	var room [mostCandidates]*endpoint
	candidates, other := d.candidates(rotation, now, room[:0], (*endpoint).readRank)
	if other != nil {
		return other
	}
	first := candidates[rand.IntN(len(candidates))]
	if len(candidates) == 1 {
		return first
	}
	second := candidates[rand.IntN(len(candidates))]
	if second.near.busy.Load() < first.near.busy.Load() {
		return second
	}
	return first
}

// spread is the endpoint for the next of many long streams that any node may
// serve: the candidates take turns.
func (d *directory) spread() *endpoint {
	rotation := d.roster().rotation
	var room [mostCandidates]*endpoint
	candidates, other := d.candidates(rotation, d.clock.elapsed(), room[:0], (*endpoint).streamRank)
	if other != nil {
		return other
	}
	return candidates[int(d.turn.Add(1))%len(candidates)]
}

// better is an endpoint that a stream at ep should move to, because its node is
// known to be in a better condition or nothing bad is known of it; nil for none.
func (d *directory) better(ep *endpoint) *endpoint {
	now := d.clock.elapsed()
	var best *endpoint
	at := ep.streamRank(now)
	for _, candidate := range d.from(ep) {
		if r := candidate.streamRank(now); r < at {
			best, at = candidate, r
		}
	}
	return best
}

// candidates are the endpoints that are equally good, or another one whose turn
// it is to be looked at again.
func (d *directory) candidates(rotation []*endpoint, now int64, into []*endpoint, rankOf func(*endpoint, int64) rank) (equal []*endpoint, other *endpoint) {
	var room [mostCandidates]rank
	ranks := room[:0]
	best, fastest := failing, int64(math.MaxInt64)
	for _, ep := range rotation {
		r := rankOf(ep, now)
		ranks = append(ranks, r)
		if r < best {
			best, fastest = r, math.MaxInt64
		}
		if round := ep.near.round.Load(); r == best && round != 0 {
			fastest = min(fastest, round)
		}
	}
	limit := int64(math.MaxInt64)
	if fastest < math.MaxInt64/nearFactor-int64(nearSlack) {
		limit = nearFactor*fastest + int64(nearSlack)
	}
	for i, ep := range rotation {
		switch {
		case ranks[i] == best && ep.near.round.Load() <= limit:
			into = append(into, ep)
		case ranks[i] == best && ep.near.retry(now, false):
			return nil, ep
		case ranks[i] > best && ranks[i] <= unfit && ep.near.retry(now, true):
			return nil, ep
		}
	}
	if len(into) == 0 {
		return rotation, nil // the fastest became slow meanwhile
	}
	return into, nil
}

// readRank is the node's rank for a read, which must not wait for a connection
// where another node has one.
func (ep *endpoint) readRank(now int64) rank {
	if ep.suspect.Load() > now {
		return failing
	}
	switch conn := ep.lines[0].conn; conn.GetState() {
	case connectivity.Ready:
		return ep.near.rank(now)
	case connectivity.Idle:
		conn.Connect()
		return unconnected
	default:
		return unconnected
	}
}

// streamRank is the node's rank for a stream, which can wait.
func (ep *endpoint) streamRank(now int64) rank {
	if ep.suspect.Load() > now {
		return failing
	}
	return ep.near.rank(now)
}
