package replica

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

const (
	// suspicionBudget bounds how long a leader is looked for.
	suspicionBudget = 250 * time.Millisecond
	// standAside is how much longer each further server waits before it stands
	// itself: by then the one before it has won or cannot.
	standAside = 150 * time.Millisecond
)

// suspicion is one at a time.
type suspicion struct{ busy atomic.Bool }

// Suspect hears that a server broke its connections to this one, as a process
// that died does. If that is the leader, and gone finds that its host is up and
// nobody listens there, this server stands for election at once, without the
// time that an election otherwise waits for a leader that may be slow. The
// voters take turns, so that two do not stand against each other.
//
// Whether it was right matters to how soon there is a leader and to nothing
// else: an election is as safe early as late.
func (r *Replica) Suspect(serverID string, gone func(ctx context.Context, leader raft.Server) bool) {
	place, leader, ok := r.heir(serverID)
	if !ok || r.suspicion.busy.Swap(true) {
		return
	}
	started := r.background.start(func() {
		defer r.suspicion.busy.Store(false)
		ctx, cancel := context.WithTimeout(context.Background(), suspicionBudget)
		defer cancel()
		if !gone(ctx, leader) {
			return
		}
		timer := time.NewTimer(time.Duration(place) * standAside)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.stopping:
			return
		}
		if _, _, still := r.heir(serverID); !still {
			return
		}
		r.logger.Info("the leader's process is gone; standing for election", "leader", serverID)
		self := raft.Server{ID: raft.ServerID(r.serverID), Address: r.transport.LocalAddr()}
		request := &raft.TimeoutNowRequest{RPCHeader: header(r.transport, r.serverID)}
		var response raft.TimeoutNowResponse
		if err := r.transport.TimeoutNow(self.ID, self.Address, request, &response); err != nil {
			r.logger.Warn("not standing for election before its time", "error", err)
		}
	})
	if !started {
		r.suspicion.busy.Store(false)
	}
}

// heir says whether this server follows serverID and may stand when it is gone,
// and how many stand before it.
func (r *Replica) heir(serverID string) (place int, leader raft.Server, ok bool) {
	if r.distrusted.Load() {
		return 0, raft.Server{}, false
	}
	if _, id := r.raft.LeaderWithID(); string(id) != serverID || r.raft.State() != raft.Follower || serverID == r.serverID {
		return 0, raft.Server{}, false
	}
	configuration := r.track.latest()
	leader, known := configuration.Find(raft.ServerID(serverID))
	heirs := configuration.Voters()
	heirs = slices.DeleteFunc(heirs, func(s raft.Server) bool { return string(s.ID) == serverID })
	slices.SortFunc(heirs, func(a, b raft.Server) int { return strings.Compare(string(a.ID), string(b.ID)) })
	place = slices.IndexFunc(heirs, func(s raft.Server) bool { return string(s.ID) == r.serverID })
	return place, leader, known && place >= 0
}
