package drill

import (
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/verify/evidence"
	"github.com/candor-plane/candor/verify/history"
)

// believer records what one server says that it believes of the duties which it may hold.
// It belongs to one goroutine.
type believer struct {
	recorder *evidence.Recorder
	holder   string
	since    map[string]*since
}

// since is what the server said of a duty when it was asked last: that it believes in an era.
type since struct {
	era  uint64
	told history.Stamp
	// belief is recorded once it said so twice.
	belief *evidence.Belief
}

// told takes an answer to what was asked at a moment: at some moment from then until now the
// server believed what it says.
func (b *believer) told(t *client.Tenures, asked history.Stamp) {
	if t.Witness == nil || t.Witness.NodeID == "" {
		return
	}
	now := b.recorder.Stamp()
	if holder := "server/" + t.Witness.NodeID; b.holder != holder || b.since == nil {
		b.holder, b.since = holder, map[string]*since{}
	}
	for i := range t.Here {
		d := &t.Here[i]
		if !d.Believes {
			delete(b.since, d.Duty)
			continue
		}
		s := b.since[d.Duty]
		switch {
		case s == nil || s.era != d.Era:
			b.since[d.Duty] = &since{era: d.Era, told: now}
		case s.belief == nil:
			if s.told.Before(asked) {
				s.belief = b.recorder.Believed(b.holder, d.Duty, d.Era, s.told, asked)
			}
		default:
			s.belief.Still(asked)
		}
	}
}
