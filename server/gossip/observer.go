package gossip

import (
	"time"

	"github.com/hashicorp/go-hclog"

	candor "github.com/candor-plane/candor"
)

// expiryInterval is the pause between two sweeps for what may be forgotten.
const expiryInterval = 10 * time.Second

// view is an immutable picture of everything that this node heard. Readers take
// it whole; nobody may change what it holds.
type view struct {
	members   []Member
	conflicts []Conflict
	refusals  []Refusal
}

// observer turns notes into the view, the events and the log lines. The
// goroutine of Gossip.observe owns it.
type observer struct {
	log       hclog.Logger
	table     *table
	conflicts *conflictLedger
	refusals  *refusalLedger
	retention time.Duration
	emit      func(Event)
}

func (o *observer) apply(n note) {
	switch n.kind {
	case noteAlive:
		o.changed(o.table.alive(n))
		o.conflicts.settle(n.id, n.addr)
	case noteGone:
		o.changed(o.table.gone(n))
	case noteLeaving:
		o.changed(o.table.leaving(n))
	case noteAnswered:
		o.changed(o.table.answered(n))
	case noteUnanswered:
		o.changed(o.table.unanswered(n))
	case noteConflict:
		o.disputed(o.conflicts.record(n))
	case noteConflictProbed:
		o.disputed(o.conflicts.probed(n))
	case noteRefused:
		o.refusals.record(o.table.identify(n))
		if n.reason == candor.ReasonQueueSaturated {
			o.table.makeRoom()
		}
	}
}

func (o *observer) expire(now time.Time) {
	o.table.expire(now, o.retention)
	o.conflicts.expire(now)
}

func (o *observer) view() *view {
	return &view{
		members:   o.table.list(),
		conflicts: o.conflicts.list(),
		refusals:  o.refusals.list(),
	}
}

func (o *observer) changed(e Event, ok bool) {
	if !ok {
		return
	}
	if e.Was != e.Member.State {
		o.log.Info("member changed state", "state", e.Member.State, "was", e.Was,
			"server", e.Member.ServerID, "name", e.Member.Name, "address", e.Member.Addr, "boot", e.Member.BootID)
	}
	o.emit(e)
}

func (o *observer) disputed(c *Conflict) {
	if c != nil {
		o.emit(Event{Conflict: c})
	}
}
