package replica

import (
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

const (
	// slowWrite is a log write so slow that a second message costs less than
	// waiting for it. With fast disks it was measured to cost more: the processors
	// are then what is waited for.
	slowWrite = 500 * time.Microsecond
	// mostAhead bounds in bytes what is sent twice.
	mostAhead = 256 << 10
)

// forerunner sends a leader's new entries to its followers while the leader's
// own disk writes them, which raft does only afterwards: a commit is then one
// disk's time and not two in a row. Raft allows it, as long as a leader that has
// not written an entry does not count itself, and here only raft counts (Ongaro,
// Consensus: Bridging Theory and Practice, 10.2.1). raft's own message then finds
// the entries in place.
//
// Each entry is sent twice, so it is done only where disks are slow.
type forerunner struct {
	replica *Replica
	aside   *aside
	// write is how long a log write takes, in nanoseconds, averaged over about
	// eight.
	write atomic.Int64
}

func newForerunner(r *Replica) *forerunner {
	return &forerunner{replica: r, aside: newAside(r.transport, r.serverID)}
}

// took hears how long a log write took. Only raft's main loop writes.
func (f *forerunner) took(d time.Duration) {
	was := f.write.Load()
	f.write.Store(was + (int64(d)-was)/8)
}

// offer gets entries that are about to be written, and the one before them.
func (f *forerunner) offer(before *raft.Log, logs []*raft.Log) {
	r := f.replica
	lead := r.leading.Load()
	if f.write.Load() < int64(slowWrite) || lead == nil || logs[0].Term != lead.term || before.Index != logs[0].Index-1 {
		return
	}
	bytes := int64(0)
	for _, log := range logs {
		if bytes += logBytes(log); bytes > mostAhead || log.Type != raft.LogCommand {
			return
		}
	}
	// It tells of no commit: that is for messages whose entries are all the
	// follower has.
	request := f.aside.request(lead.term)
	request.PrevLogEntry, request.PrevLogTerm, request.Entries = before.Index, before.Term, logs
	for _, server := range r.track.latest().Servers {
		if server.Suffrage == raft.Voter && string(server.ID) != r.serverID {
			f.aside.send(server, request, false)
		}
	}
}
