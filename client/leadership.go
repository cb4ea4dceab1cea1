package client

import "sync/atomic"

// leadership is who this client believes to lead: a hint that makes the common
// call one hop, never proof.
type leadership struct {
	view atomic.Pointer[belief]
}

// belief is immutable. changed is closed when a later belief names a leader, so
// that whoever waits for one goes on at once.
type belief struct {
	endpoint *endpoint // nil: not known
	serverID string
	term     uint64
	changed  chan struct{}
}

func (l *leadership) start() { l.view.Store(&belief{changed: make(chan struct{})}) }

func (l *leadership) current() *belief { return l.view.Load() }

// learn takes note that the server at ep leads in term; 0 is a term not told.
// It reports whether that was news. News of an older term is none.
func (l *leadership) learn(ep *endpoint, serverID string, term uint64) bool {
	for {
		old := l.view.Load()
		if old.endpoint == ep && old.term >= term {
			return false
		}
		if old.endpoint != nil && term <= old.term {
			return false
		}
		if term != 0 && term < old.term {
			return false
		}
		next := &belief{endpoint: ep, serverID: serverID, term: max(term, old.term), changed: make(chan struct{})}
		if l.view.CompareAndSwap(old, next) {
			close(old.changed)
			return true
		}
	}
}

// forget takes note that ep does not lead (any more).
func (l *leadership) forget(ep *endpoint) {
	for {
		old := l.view.Load()
		if old.endpoint != ep {
			return
		}
		if l.view.CompareAndSwap(old, &belief{term: old.term, changed: old.changed}) {
			return
		}
	}
}
