package sim

import (
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/allocator"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/tenure"
)

// holding is what a server knows of its own right to a duty.
type holding struct {
	s    *server
	duty string
	// era is 0 while it takes itself for no holder.
	era    uint64
	start  tenure.Frontiers
	belief tenure.Belief

	// asked is the event under way or of unknown outcome; it is repeated as it was.
	asked tenure.Event
	// sentAt is the local time at which asked was sent for the first time.
	sentAt int64
	busy   bool
	drawn  int

	window    allocator.Window
	reserving bool
}

func (s *server) awake() bool { return s.up && s.pausedUntil <= s.w.now }

// holding is what the server knows of its right to a duty; one that servers do not
// contend for is never held.
func (s *server) holding(duty string) *holding {
	for _, h := range s.holds {
		if h.duty == duty {
			return h
		}
	}
	return &holding{s: s, duty: duty}
}

// actor is a server that takes itself for the holder of a duty, be it rightly or not;
// nil for none.
func (w *world) actor(duty string, d *dice) *holding {
	var able []*holding
	for _, s := range w.servers {
		if h := s.holding(duty); s.awake() && h.era != 0 {
			able = append(able, h)
		}
	}
	if len(able) == 0 {
		return nil
	}
	return able[d.upto(len(able))]
}

func (s *server) lineage(duty string) tenure.Lineage {
	named, err := tenure.DutyOf(duty)
	if err != nil {
		panic(err)
	}
	return s.m.View().Tenure(named)
}

// crash forgets everything.
func (h *holding) crash() { *h = holding{s: h.s, duty: h.duty, drawn: h.drawn} }

// lose ends what the holder does, and knows.
func (h *holding) lose() { *h = holding{s: h.s, duty: h.duty, drawn: h.drawn, busy: h.busy} }

// hold is one step of a server for a duty: it campaigns, or keeps or ends what it has.
func (s *server) hold(d *dice) {
	if len(s.holds) == 0 {
		return
	}
	h := s.holds[d.upto(len(s.holds))]
	if other := s.w.actor(h.duty, d); other != nil && d.chance(60) {
		h, s = other, other.s // who holds has more to do than who would like to
	}
	if !s.awake() || h.busy {
		return
	}
	l := s.lineage(h.duty)
	if h.asked != nil {
		if d.chance(20) {
			h.lose()
			return
		}
		h.send(h.asked, d)
		return
	}
	if h.era == 0 {
		h.campaign(l, d)
		return
	}
	if !l.Holds(s.holder, h.era) && l.Current.Number >= h.era {
		h.lose()
		return
	}
	if pending := l.Pending(s.holder); pending != nil && d.chance(50) {
		h.ask(pending, d)
		return
	}
	switch d.upto(12) {
	case 0:
		successor := ""
		if d.chance(50) {
			successor = s.w.anyServer(d).holder
		}
		h.stop()
		h.ask(tenure.Seal{Era: h.era, Holder: s.holder, Usage: h.usage(), To: successor}, d)
	case 1:
		if len(l.Unfinished) == 0 {
			h.stop()
			h.ask(tenure.Release{Era: h.era, Holder: s.holder, Usage: h.usage()}, d)
		}
	case 2:
		h.lose() // it forgets that it holds
	default:
		h.ask(tenure.Renew{Era: h.era, Holder: s.holder}, d)
	}
}

// campaign asks for the next era, when the view says that it is free, and now and then
// although it is not.
func (h *holding) campaign(l tenure.Lineage, d *dice) {
	s := h.s
	if !l.IsFree(s.holder, s.now()) && !d.chance(10) {
		return
	}
	h.drawn++
	candidacy := fmt.Sprintf("%s-%d-%d", s.name, s.boot, h.drawn)
	c := &l.Current
	if c.State == tenure.StateClosed && c.Holder == s.holder && d.chance(50) {
		h.ask(tenure.Reattach{Holder: s.holder, Candidacy: candidacy, Era: c.Number, Cite: c.Seal}, d)
		return
	}
	h.ask(tenure.Campaign{
		Holder: s.holder, Candidacy: candidacy, Expect: c.Number, Cite: c.Seal, Start: c.Usage, Duration: s.w.Duration,
	}, d)
}

// stop ends what is done under the era before it is sealed.
func (h *holding) stop() {
	if h.s.w.mistake != actsAfterSealing {
		h.belief = tenure.Belief{}
	}
}

// usage is exactly what the era has used.
func (h *holding) usage() tenure.Frontiers {
	usage := h.start
	switch h.duty {
	case tenure.DutyIDs:
		usage.ID = h.window.Used
	case tenure.DutyTSO:
		usage.Timestamp = h.window.Used
	}
	return usage
}

// sealing says that the era is being ended by its holder.
func (h *holding) sealing() bool {
	switch h.asked.(type) {
	case tenure.Seal, tenure.Release:
		return true
	default:
		return false
	}
}

func (h *holding) ask(e tenure.Event, d *dice) {
	h.asked, h.sentAt = e, h.s.local()
	h.send(e, d)
}

func (h *holding) send(e tenure.Event, d *dice) {
	s, w := h.s, h.s.w
	boot := s.boot
	h.busy = true
	w.propose(s, command.Tenure(h.duty, s.holder, e), d, func(o outcome) {
		if s.boot != boot {
			return
		}
		h.busy = false
		if h.asked == nil || o.result == nil && !o.refused {
			return // of an unknown outcome it is sent again, as it was
		}
		if o.refused {
			switch e.(type) {
			case tenure.Campaign, tenure.Reattach, tenure.Seal, tenure.Release:
			default:
				h.asked = nil
			}
			return
		}
		h.heard(e, o)
	})
}

// heard takes the root's answer; the server's view has reached it.
func (h *holding) heard(e tenure.Event, o outcome) {
	s := h.s
	h.asked = nil
	if o.result.Reason != "" {
		if _, campaigned := e.(tenure.Campaign); !campaigned && h.era != 0 && o.result.Reason.Disposition().Retry == candor.RetryNever {
			h.lose()
		}
		return
	}
	switch e := e.(type) {
	case tenure.Campaign:
		h.won(e.Candidacy, e.Duration)
	case tenure.Reattach:
		h.won(e.Candidacy, s.lineage(h.duty).Current.Duration)
	case tenure.Renew:
		if h.era == e.Era {
			h.believe(tenure.Belief{RenewSent: h.sentAt, Duration: h.belief.Duration})
		}
	case tenure.Seal, tenure.Release:
		h.lose()
	default:
	}
}

func (h *holding) won(candidacy string, duration int64) {
	s := h.s
	c := s.lineage(h.duty).Current
	if c.Holder != s.holder || c.Candidacy != candidacy || c.State != tenure.StateActive {
		return // it was won, and is over
	}
	h.era, h.start = c.Number, c.Start
	switch h.duty {
	case tenure.DutyIDs:
		h.window = allocator.Begin(c.Start.ID)
	case tenure.DutyTSO:
		h.window = allocator.Begin(c.Start.Timestamp)
	}
	h.believe(tenure.Belief{RenewSent: h.sentAt, Duration: duration})
}

// holds says whether the holder may think that it holds.
func (h *holding) holds() bool {
	if h.era == 0 || h.belief.Duration == 0 {
		return false
	}
	return h.s.w.mistake == believesForEver || h.belief.Holds(h.s.local(), h.s.w.Drift)
}

// believe begins, or prolongs, the time in which the holder of a duty that leans on
// belief answers out of its own memory. No two may.
func (h *holding) believe(b tenure.Belief) {
	w := h.s.w
	if b.RenewSent+b.Duration > h.belief.RenewSent+h.belief.Duration || h.belief.Duration == 0 {
		h.belief = b
	}
	if h.duty != tenure.DutyTSO || !h.holds() {
		return
	}
	w.checked("beliefs", 1)
	for _, s := range w.servers {
		other := s.holding(h.duty)
		if other != h && s.up && other.holds() {
			w.fail("belief", "%s believes in era %d of %s and %s in era %d", h.s.holder, h.era, h.duty, s.holder, other.era)
		}
	}
}
