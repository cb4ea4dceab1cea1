package stage

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/candor-plane/candor/drill"
)

// absences are which servers a drill took away itself, and which ended without it.
type absences struct {
	// away counts the faults that keep a server down, turns every change of that.
	away  map[string]int
	turns int
	// gone are those that were down when they were looked at last, and no fault's doing.
	gone  map[string]bool
	ended []drill.End
}

// Ended are the servers that were found down although no fault of this stage took them
// away, in the order in which that was seen: why, their own logs say. One that somebody
// brings back before it is looked at is not seen.
func (d *DevCluster) Ended() []drill.End {
	d.mu.Lock()
	before := d.absent.turns
	d.mu.Unlock()
	ctx, cancel := context.WithTimeout(d.ctx, time.Second)
	defer cancel()
	// A control that does not answer tells of nobody.
	lines, _ := d.options.Control.Do(ctx, "list", "")
	d.mu.Lock()
	defer d.mu.Unlock()
	// While a fault comes or goes, nobody knows whose doing an end is.
	for i := 0; i < len(lines) && before == d.absent.turns; i++ {
		words := strings.Split(lines[i], "\t")
		if len(words) > 1 && d.apis[words[0]] != "" {
			d.absent.seen(words[0], words[1] == "down")
		}
	}
	return slices.Clone(d.absent.ended)
}

func (a *absences) seen(name string, down bool) {
	if down && a.away[name] == 0 && !a.gone[name] {
		a.ended = append(a.ended, drill.End{Server: name, At: time.Now(), Message: "its process is gone, and no fault of this drill ended it: its log says why"})
	}
	a.gone[name] = down && a.away[name] == 0
}

// takes notes that faults keep one more, or with -1 one less, from running.
func (d *DevCluster) takes(n int, targets ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.absent.turns++
	for _, name := range targets {
		d.absent.away[name] += n
	}
}
