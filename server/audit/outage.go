package audit

import (
	"fmt"
	"strings"
	"time"

	candor "github.com/candor-plane/candor"
)

// The back-off of an outage: the first wait, and the longest.
const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// outage is what is known of a disk that fails, and what is still to be said
// about it once it does not.
type outage struct {
	failing bool
	retry   time.Time
	wait    time.Duration

	lost     uint64
	since    time.Time // of the first one lost
	unsynced uint64    // lines written before an fsync that failed
	torn     int64     // bytes that Open removed
}

func (g *outage) resting(now time.Time) bool { return g.failing && now.Before(g.retry) }

func (g *outage) failed(now time.Time) {
	g.wait = min(max(firstRetry, 2*g.wait), lastRetry)
	g.failing, g.retry = true, now.Add(g.wait)
}

func (g *outage) recovered() { g.failing, g.wait = false, 0 }

func (g *outage) lose(n uint64, since time.Time) {
	if g.lost == 0 {
		g.since = since
	}
	g.lost += n
}

// told says whether there is a record to write about the outage.
func (g *outage) told() bool { return g.lost > 0 || g.unsynced > 0 }

// record says what is missing. Its sequence number follows those of the lost.
func (g *outage) record(now time.Time) Record {
	r := Record{
		Time: now, Verdict: Lost, Reason: candor.ReasonDiskPressure,
		own: own{count: g.lost, unsynced: g.unsynced},
	}
	var said []string
	if g.lost > 0 {
		r.own.since = g.since
		said = append(said, fmt.Sprintf("%d records could not be written", g.lost))
	}
	if g.unsynced > 0 {
		said = append(said, fmt.Sprintf("an fsync failed: %d lines before this one may be missing after a crash", g.unsynced))
	}
	r.Message = strings.Join(said, "; ")
	return r
}

func (g *outage) written() { g.lost, g.unsynced = 0, 0 }
