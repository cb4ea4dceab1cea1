package replica

import (
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/replica/datadir"
)

// disk watches the room on the data disk. Writes are refused before the disk
// is full: raft cannot go on without it.
type disk struct {
	dir       *datadir.Dir // nil: the data are in memory
	watermark uint64
	interval  time.Duration
	logger    hclog.Logger
	// short is told, at each look, that the room is short: this server may have
	// come to lead meanwhile.
	short func()
	// sooner asks for a look before the next is due.
	sooner chan struct{}

	free, total atomic.Uint64
	known       atomic.Bool
	pressed     atomic.Bool
	// full is set by a write that found no room, until a look finds some.
	full atomic.Bool
	// unseen is what was written since the last look.
	unseen atomic.Int64
}

// lookAfter bounds what is written between two looks, however fast. It is less
// than a segment: the room for a next one is known before this one is full.
const lookAfter = 4 << 20

func (d *disk) run(stop <-chan struct{}) {
	if d.dir == nil {
		return
	}
	ticker := time.NewTicker(d.interval)
	defer ticker.Stop()
	for {
		d.look()
		select {
		case <-stop:
			return
		case <-ticker.C:
		case <-d.sooner:
		}
	}
}

// wrote is told how much the log has grown.
func (d *disk) wrote(bytes int64) {
	if d.unseen.Add(bytes) < lookAfter {
		return
	}
	select {
	case d.sooner <- struct{}{}:
	default:
	}
}

func (d *disk) look() {
	d.unseen.Store(0)
	free, total, err := d.dir.Free()
	if err != nil {
		d.logger.Warn("free space not known", "error", err)
		return
	}
	d.free.Store(free)
	d.total.Store(total)
	d.known.Store(true)
	// Once short, an eighth more must be free: no flapping at the mark.
	mark := d.watermark
	if d.pressed.Load() {
		mark += mark / 8
	}
	if free >= mark {
		if d.pressed.Swap(false) {
			d.logger.Info("disk pressure over", "free", free, "watermark", d.watermark)
		}
		d.full.Store(false)
		return
	}
	d.press("free", free)
}

// press notes that the room is short.
func (d *disk) press(detail ...any) {
	if !d.pressed.Swap(true) {
		d.logger.Error("disk pressure: writes are refused", append(detail, "watermark", d.watermark)...)
	}
	d.short()
}

// foundFull is for a write that failed for want of room.
func (d *disk) foundFull() {
	d.full.Store(true)
	d.press("full", true)
}

// admit refuses a write while the room is short. What makes room passes while
// half the watermark is left.
func (d *disk) admit(frees bool) error {
	if !d.pressed.Load() {
		return nil
	}
	free := d.free.Load()
	if frees && !d.full.Load() && free >= d.watermark/2 {
		return nil
	}
	return candor.Errorf(candor.ReasonDiskPressure, "%d bytes are free on the data disk; writes need %d: free some, or remove the file %q in the data directory to gain time", free, d.watermark, "ballast")
}
