package datadir

import (
	"crypto/rand"
	"io"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
)

// Sizes in bytes that Open uses where Options say 0. The ballast is larger than a
// segment: with it gone, a log that stopped for want of room can go on.
const (
	DefaultSegmentBytes = 32 << 20
	DefaultBallastBytes = 40 << 20
)

// Options of Open. Logger is required. An empty name, ID or kind means whatever
// the directory says; a new one is born with the rest.
type Options struct {
	Name      string
	ServerID  string
	ClusterID string
	HistoryID string
	LogStore  LogStore

	// ReadOnly looks at the directory of a stopped server and changes nothing in
	// it: what a start would repair stays, and so does the clean-stop marker.
	ReadOnly bool

	// SegmentBytes is how much of the log one file of a new segment holds;
	// BallastBytes below 0 means none.
	SegmentBytes int
	BallastBytes int64

	// Seams; nil means the real thing.
	FS   FS
	Disk Disk
	Rand io.Reader
	Now  func() time.Time

	Logger hclog.Logger
}

func (o Options) withDefaults() (*Options, error) {
	if o.Logger == nil {
		return nil, candor.Errorf(candor.ReasonInternal, "datadir needs a logger")
	}
	if o.LogStore != "" && o.LogStore != WAL && o.LogStore != BoltDB {
		return nil, candor.Errorf(candor.ReasonInvalid, "log store %q: want %q or %q", o.LogStore, WAL, BoltDB)
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = DefaultSegmentBytes
	}
	if o.BallastBytes == 0 {
		o.BallastBytes = DefaultBallastBytes
	}
	if o.FS == nil {
		o.FS = OS{}
	}
	if o.Disk == nil {
		o.Disk = OS{}
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &o, nil
}
