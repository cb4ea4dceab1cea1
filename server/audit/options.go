package audit

import (
	"time"

	"github.com/hashicorp/go-hclog"

	candor "github.com/candor-plane/candor"
)

// SyncPolicy is when lines are made durable. No policy makes Commit wait: an
// answer may leave before the record of it is on the disk.
type SyncPolicy string

// The policies.
const (
	// SyncInterval hands lines to the system at once and calls fsync every
	// Options.SyncInterval, at rotation and at Close. A crash of the process
	// loses what still waited in the queue; lost power up to an interval more.
	SyncInterval SyncPolicy = "interval"
	// SyncBatch calls fsync after each batch.
	SyncBatch SyncPolicy = "batch"
)

// Options of a log. A zero field takes its default; Node, NodeID, BootID, Logger
// and, unless FS is given, Dir have none.
type Options struct {
	Dir string
	// Node, NodeID and BootID stand in every line.
	Node, NodeID, BootID string

	// Level is LevelWrites by default.
	Level Level
	// Required: while records cannot be written Reserve refuses with
	// DISK_PRESSURE, and records already taken are kept and tried again.
	// Otherwise requests go on, and records are counted as lost.
	Required bool

	// Queue is how many records there is room for, reserved ones included: 4096.
	Queue int
	// MaxFileBytes is the size at which a file is rotated: 64 MiB.
	MaxFileBytes int64
	// MaxFiles counts the current file too: 8.
	MaxFiles int

	Sync         SyncPolicy    // SyncInterval
	SyncInterval time.Duration // 1 s

	// HandshakesPerSecond bounds records of ClassHandshake: 100, and as many at
	// once. What was left out is said every SummaryInterval: 10 s.
	HandshakesPerSecond int
	SummaryInterval     time.Duration

	// CloseTimeout bounds Close: 5 s.
	CloseTimeout time.Duration
	// MaxTails bounds the readers at one time, for each keeps files open: 8.
	MaxTails int

	Logger hclog.Logger
	// FS is where the files are: the directory Dir.
	FS FS
}

// minFileBytes holds a line of usual length many times over.
const minFileBytes = 4 << 10

func (o Options) complete() (Options, error) {
	o.Level = or(o.Level, LevelWrites)
	o.Queue = or(o.Queue, 4096)
	o.MaxFileBytes = or(o.MaxFileBytes, 64<<20)
	o.MaxFiles = or(o.MaxFiles, 8)
	o.Sync = or(o.Sync, SyncInterval)
	o.SyncInterval = or(o.SyncInterval, time.Second)
	o.HandshakesPerSecond = or(o.HandshakesPerSecond, 100)
	o.SummaryInterval = or(o.SummaryInterval, 10*time.Second)
	o.CloseTimeout = or(o.CloseTimeout, 5*time.Second)
	o.MaxTails = or(o.MaxTails, 8)
	return o, o.check()
}

func (o Options) check() error {
	if _, err := ParseLevel(string(o.Level)); err != nil {
		return err
	}
	switch {
	case o.Logger == nil:
		return invalid("no logger")
	case o.Node == "" || o.NodeID == "" || o.BootID == "":
		return invalid("node %q, node ID %q, boot ID %q: each must be given", o.Node, o.NodeID, o.BootID)
	case len(o.Node) > MaxString || len(o.NodeID) > MaxString || len(o.BootID) > MaxString:
		return invalid("node, node ID and boot ID: at most %d bytes each", MaxString)
	case o.FS == nil && o.Dir == "" && o.Level != LevelNone:
		return invalid("no directory")
	case o.Sync != SyncInterval && o.Sync != SyncBatch:
		return invalid("sync policy %q: want interval or batch", o.Sync)
	case o.Queue < 2:
		return invalid("queue of %d records: want 2 or more", o.Queue)
	case o.MaxFileBytes < minFileBytes:
		return invalid("files of %d bytes: want %d or more", o.MaxFileBytes, minFileBytes)
	case o.MaxFiles < 2:
		return invalid("%d files: want 2 or more", o.MaxFiles)
	case o.HandshakesPerSecond < 1 || o.MaxTails < 1:
		return invalid("%d handshakes per second, %d tails: want 1 or more", o.HandshakesPerSecond, o.MaxTails)
	case o.SyncInterval < 0 || o.SummaryInterval < 0 || o.CloseTimeout < 0:
		return invalid("negative interval")
	}
	return nil
}

func invalid(format string, args ...any) error {
	return candor.Wrap("audit: options", candor.Errorf(candor.ReasonInvalid, format, args...))
}

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}
