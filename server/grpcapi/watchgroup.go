package grpcapi

import (
	"sync"

	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/codec"
)

// watchFilter is everything that decides what a stream is sent.
type watchFilter struct {
	kind, namespace, name, selector string
	withPrevious                    bool
}

func filterOf(in *candorv1.WatchRequest) watchFilter {
	return watchFilter{in.GetKind(), in.GetNamespace(), in.GetName(), in.GetLabelSelector(), in.GetWithPrevious()}
}

// watchGroups joins the streams that ask for the same, so that one of them
// encodes what all of them send.
type watchGroups struct {
	mu     sync.Mutex
	groups map[watchFilter]*watchGroup
}

// watchGroup holds the newest message of one filter.
type watchGroup struct {
	streams int // guarded by watchGroups.mu

	mu         sync.Mutex
	from, upto uint64
	message    codec.Encoded
}

// join returns the filter's group; leave it at the end.
func (g *watchGroups) join(f watchFilter) *watchGroup {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.groups == nil {
		g.groups = map[watchFilter]*watchGroup{}
	}
	group := g.groups[f]
	if group == nil {
		group = new(watchGroup)
		g.groups[f] = group
	}
	group.streams++
	return group
}

func (g *watchGroups) leave(f watchFilter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	group := g.groups[f]
	if group.streams--; group.streams == 0 {
		delete(g.groups, f)
	}
}

// find is the message with everything after from up to upto, if another stream
// has just encoded it; empty when there was nothing to send.
func (g *watchGroup) find(from, upto uint64) (codec.Encoded, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.message, g.upto == upto && g.from == from && upto != 0
}

func (g *watchGroup) keep(from, upto uint64, message codec.Encoded) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.from, g.upto, g.message = from, upto, message
}
