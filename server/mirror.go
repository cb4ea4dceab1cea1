package server

import (
	"context"
	"slices"
	"sync"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/informer"
	"github.com/candor-plane/candor/server/feed"
)

// mirror keeps a decoded copy of what controllers and the scheduler look at, from
// this node's own view, for as long as a duty uses it. Duties that are held here at
// the same time share the copy.
type mirror struct {
	s *Server

	mu      sync.Mutex
	present *copying
}

// copying is one copy and its users.
type copying struct {
	store  *informer.Store
	users  int
	cancel context.CancelFunc
	// ended is closed when the copy cannot go on, or nobody uses it any more; err is why.
	ended chan struct{}
	err   error
}

// use starts the copy, or joins those who use it. Each use ends with leave.
func (m *mirror) use() *copying {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.present; c != nil {
		select {
		case <-c.ended: // its users are about to leave it
		default:
			c.users++
			return c
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &copying{
		store:  informer.New(feed.WorkKinds(), workIndexes...),
		users:  1,
		cancel: cancel,
		ended:  make(chan struct{}),
	}
	m.present = c
	go func() {
		defer close(c.ended)
		c.err = m.follow(ctx, c.store)
	}()
	return c
}

func (m *mirror) leave(c *copying) {
	m.mu.Lock()
	c.users--
	last := c.users == 0
	if last && m.present == c {
		m.present = nil
	}
	m.mu.Unlock()
	if last {
		c.cancel()
		<-c.ended
	}
}

// follow fills the store and keeps it up until the context ends. Where a wrong view was
// rebuilt, or versions were compacted before they were copied, it gives up: its users
// begin anew with another copy.
func (m *mirror) follow(ctx context.Context, store *informer.Store) error {
	view, changed := m.s.feed.Work()
	rewinds := view.Rewinds()
	for _, kind := range feed.WorkKinds() {
		objects, err := listed(view, kind)
		if err != nil {
			return err
		}
		if err := store.Replace(kind, view.Token(), objects); err != nil {
			return err
		}
	}
	position := view.Token().Revision
	for {
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
		view, changed = m.s.feed.Work()
		if view.Rewinds() != rewinds {
			return candor.Errorf(candor.ReasonViewUnavailable, "this node's view was rebuilt")
		}
		versions, err := made(view, position)
		if err != nil {
			return err
		}
		if err := store.Apply(view.Token(), versions); err != nil {
			return err
		}
		position = view.Token().Revision
	}
}

func listed(view *fsm.View, kind candor.KindName) ([]*candor.Object, error) {
	var objects []*candor.Object
	var failed error
	err := view.List(kind, "", "", 0, func(v *mvcc.Version) bool {
		var o *candor.Object
		if o, failed = v.Object(); failed == nil {
			objects = append(objects, o)
		}
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	return objects, err
}

// made is what the turns after position made of the kinds.
func made(view *fsm.View, position uint64) ([]informer.Version, error) {
	kinds := feed.WorkKinds()
	var versions []informer.Version
	for position < view.Token().Revision {
		position++
		if position <= view.Floor() { // the turn of the floor itself is not kept
			return nil, candor.Errorf(candor.ReasonCompacted, "versions were compacted before they were copied")
		}
		for v := view.Turn(position); v != nil; v = v.Sibling() {
			kind := view.KindName(v.Kind)
			if !slices.Contains(kinds, kind) {
				continue
			}
			o, err := v.Object()
			if err != nil {
				return nil, err
			}
			versions = append(versions, informer.Version{Kind: kind, Object: o, Gone: v.Deleted, Revision: v.Revision})
		}
	}
	return versions, nil
}
