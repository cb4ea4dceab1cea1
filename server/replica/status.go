package replica

import (
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

// Status is what a replica can say of itself without asking anyone. Its parts
// are read one after the other, while things go on.
type Status struct {
	// Role is raft's: Follower, Candidate, Leader or Shutdown.
	Role string
	Term uint64
	// Leading says that this term's LeaderStart is applied; LeaderTerm is the
	// term of the newest LeaderStart in the view.
	Leading    bool
	LeaderTerm uint64
	Leader     *candor.LeaderHint

	Applied, Commit       uint64
	FirstIndex, LastIndex uint64
	SnapshotIndex         uint64
	SnapshotBytes         int64
	LogBytesSinceSnapshot int64
	Configuration         Configuration
	QueueCommands         int
	QueueBytes            int
	ConfirmRounds         uint64
	OldestWriteInFlight   time.Duration
	Load                  Load
	Admissions            []Admission
	DiskFree, DiskTotal   uint64
	DiskPressure          bool
	Restart               candor.RestartState
	RestartWhy            string
	Repaired              []string
	Failure               error
	Closing               bool
}

// Status describes the replica now.
func (r *Replica) Status() Status {
	s := Status{
		Role: r.raft.State().String(), Term: r.raft.CurrentTerm(), Leading: r.Leading(),
		LeaderTerm: r.machine.View().LeaderTerm(), Leader: r.Leader(),
		Applied: r.applied.index.Load(), Commit: r.raft.CommitIndex(), LastIndex: r.raft.LastIndex(),
		SnapshotIndex: r.lastSnapshot.index.Load(), SnapshotBytes: r.lastSnapshot.bytes.Load(),
		LogBytesSinceSnapshot: r.log.bytes.Load(), Configuration: r.track.latest(),
		ConfirmRounds: r.confirm.begun.Load(), OldestWriteInFlight: r.flight.oldest(),
		Load:       Load{Main: r.flight.main.lately(), Apply: r.applying.lately()},
		Admissions: r.Admissions.Counters(), Restart: candor.RestartReady, Failure: r.failure.cause(), Closing: r.closing.Load(),
	}
	s.QueueCommands, s.QueueBytes = r.queue.depth()
	if first, err := r.log.FirstIndex(); err == nil {
		s.FirstIndex = first
	}
	if r.dir != nil {
		recovery := r.dir.Recovery()
		s.Restart, s.RestartWhy, s.Repaired = recovery.State, recovery.Why, recovery.Repaired
		s.DiskFree, s.DiskTotal, s.DiskPressure = r.disk.free.Load(), r.disk.total.Load(), r.disk.pressed.Load()
	}
	return s
}

// Observed is what a read wants to know of the replica. It is cheap.
type Observed struct {
	Leading, LeaderKnown, Closing, Recovered, Installing bool

	LastIndex uint64
	// UpdatedAt is when the view was published.
	UpdatedAt time.Time
}

// Observe looks at the replica.
func (r *Replica) Observe() Observed {
	_, leader := r.raft.LeaderWithID()
	return Observed{
		Leading: r.Leading(), LeaderKnown: leader != "", Closing: r.closing.Load(), Recovered: r.Recovered(),
		Installing: r.snapshotStore.installing(), LastIndex: r.raft.LastIndex(), UpdatedAt: r.applied.updatedAt(),
	}
}

// Failure is what the replica cannot survive; nil as long as it works.
func (r *Replica) Failure() error { return r.failure.cause() }

// Recovered says whether the view has come as far as the log went when the
// replica was started. Where a leader of a later term took entries of that log
// back, its own first entry counts.
func (r *Replica) Recovered() bool {
	if r.dir == nil {
		return true
	}
	found := r.dir.Recovery()
	return r.applied.index.Load() >= found.LastIndex || r.machine.View().LeaderTerm() > found.LastTerm
}

// IsVoter says whether this server has a vote in the newest configuration.
func (r *Replica) IsVoter() bool {
	configuration := r.track.latest()
	server, found := configuration.Find(raft.ServerID(r.serverID))
	return found && server.Suffrage == raft.Voter
}
