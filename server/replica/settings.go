package replica

import (
	"time"

	"github.com/candor-plane/candor"
)

// Settings are the tuning of a replica. Default has the values that were
// measured; a zero field is not a default but an error.
type Settings struct {
	// Heartbeat is how long a follower waits for its leader, Election how long a
	// candidate waits for votes, LeaderLease how long a leader goes on without
	// hearing from a majority, CommitTimeout how late a follower may learn of a
	// commit when nothing follows it and the leader's notice was lost. Equal on all servers.
	Heartbeat     time.Duration
	Election      time.Duration
	LeaderLease   time.Duration
	CommitTimeout time.Duration
	// MaxAppendEntries bounds one replication message and one apply batch; times
	// a typical entry it should stay below 8 MiB.
	MaxAppendEntries int
	// LogCacheBytes bounds the recent entries kept in memory.
	LogCacheBytes int64

	// Lanes is how many entries may be on their way through the log at once.
	// Together with MaxEntryBytes it bounds what is committed and not applied.
	Lanes               int
	MaxCommandsPerEntry int
	MaxEntryBytes       int
	// QueueCommands and QueueBytes bound what waits for a lane.
	QueueCommands int
	QueueBytes    int

	// ConfirmTimeout bounds one round of confirmations.
	ConfirmTimeout time.Duration
	// CatchUpTimeout bounds how long Promote waits for a member to catch up.
	CatchUpTimeout time.Duration

	// A snapshot is due after SnapshotBytes of log and SnapshotInterval since the
	// last, or after four times SnapshotBytes at once. SnapshotRate bounds how
	// fast it is written, in bytes per second.
	SnapshotBytes    int64
	SnapshotInterval time.Duration
	SnapshotRate     int64
	// StopSnapshotBytes of log make Close take a snapshot, so that the next start
	// is a fast one.
	StopSnapshotBytes int64
	// TrailingBytes and TrailingEntries are how much log is kept behind a
	// snapshot for followers that lag; the larger of the two, within four times
	// TrailingBytes.
	TrailingBytes   int64
	TrailingEntries uint64

	// WatchdogAfter is how long a log write may hang before the process ends.
	WatchdogAfter time.Duration
	// DiskWatermarkBytes of free space are needed for writes. It must hold a new
	// log segment, since the log fails for good without one.
	DiskWatermarkBytes uint64
	DiskInterval       time.Duration
	// QuotaBytes bounds the state's size in memory; 0 for no quota.
	QuotaBytes uint64
}

// patience is how long raft may take to answer what it was asked, before it is
// stopped: a leader without a majority gives up when its lease has ended.
func (s *Settings) patience() time.Duration {
	return max(transportTimeout, 2*(s.LeaderLease+s.Election))
}

// Default returns the measured settings.
func Default() Settings {
	return Settings{
		Heartbeat: 250 * time.Millisecond, Election: 250 * time.Millisecond,
		LeaderLease: 250 * time.Millisecond, CommitTimeout: 100 * time.Millisecond,
		MaxAppendEntries: 64, LogCacheBytes: 32 << 20,
		Lanes: 4, MaxCommandsPerEntry: 256, MaxEntryBytes: candor.MaxEntryBytes,
		QueueCommands: 16 << 10, QueueBytes: 64 << 20,
		ConfirmTimeout: 250 * time.Millisecond, CatchUpTimeout: 10 * time.Second,
		SnapshotBytes: 64 << 20, SnapshotInterval: 30 * time.Second, SnapshotRate: 256 << 20,
		StopSnapshotBytes: 16 << 20, TrailingBytes: 64 << 20, TrailingEntries: 10_000,
		WatchdogAfter: 5 * time.Second, DiskWatermarkBytes: 256 << 20, DiskInterval: time.Second,
	}
}

// Check names the first setting that makes no sense.
func (s *Settings) Check() error {
	for _, d := range []struct {
		name  string
		value time.Duration
		least time.Duration
	}{
		{"heartbeat", s.Heartbeat, 5 * time.Millisecond},
		{"leader lease", s.LeaderLease, 5 * time.Millisecond},
		{"commit timeout", s.CommitTimeout, time.Millisecond},
		{"confirm timeout", s.ConfirmTimeout, time.Millisecond},
		{"catch-up timeout", s.CatchUpTimeout, time.Millisecond},
		{"snapshot interval", s.SnapshotInterval, time.Millisecond},
		{"watchdog", s.WatchdogAfter, watchdogTick},
		{"disk interval", s.DiskInterval, time.Millisecond},
		{"election", s.Election, s.Heartbeat},
		{"heartbeat beside the leader lease", s.Heartbeat, s.LeaderLease},
	} {
		if d.value < d.least {
			return candor.Errorf(candor.ReasonInvalid, "setting %s is %s: want at least %s", d.name, d.value, d.least)
		}
	}
	for _, n := range []struct {
		name              string
		value, least, top int64
	}{
		{"max append entries", int64(s.MaxAppendEntries), 1, 1024},
		{"log cache bytes", s.LogCacheBytes, 1, 1 << 40},
		{"lanes", int64(s.Lanes), 1, 64},
		{"max commands per entry", int64(s.MaxCommandsPerEntry), 1, 1 << 16},
		{"max entry bytes", int64(s.MaxEntryBytes), 1 << 10, candor.MaxEntryBytes},
		{"queue commands", int64(s.QueueCommands), 1, 1 << 30},
		{"queue bytes", int64(s.QueueBytes), int64(s.MaxEntryBytes), 1 << 40},
		{"snapshot bytes", s.SnapshotBytes, 1, 1 << 50},
		{"snapshot rate", s.SnapshotRate, 1, 1 << 50},
		{"stop snapshot bytes", s.StopSnapshotBytes, 1, 1 << 50},
		{"trailing bytes", s.TrailingBytes, 1, 1 << 50},
		{"trailing entries", int64(s.TrailingEntries), 1, 1 << 50},
	} {
		if n.value < n.least || n.value > n.top {
			return candor.Errorf(candor.ReasonInvalid, "setting %s is %d: want %d to %d", n.name, n.value, n.least, n.top)
		}
	}
	return nil
}
