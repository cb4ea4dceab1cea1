package sim

import "github.com/candor-plane/candor/fsm/command"

// fault begins one, which ends by itself.
func (w *world) fault(do Do, d *dice) {
	s := w.anyServer(d)
	switch do {
	case FaultCrash:
		if s.up {
			s.crash(d)
		}
	case FaultElection:
		if s.up && s.pausedUntil <= w.now && w.majority() {
			w.bit(FaultElection)
			w.elect(s, d.upto(len(w.log.entries)-w.log.commit+1), d)
		}
	case FaultGap:
		if w.log.leader != nil {
			w.bit(FaultGap)
			w.note("nobody leads")
			w.depose(d)
			w.after(d.span(3*w.Duration), func() { w.lead(d) })
		}
	case FaultLag:
		if s.up {
			w.bit(FaultLag)
			s.laggingUntil = w.now + d.span(8*w.Spread)
			w.note("%s applies nothing until %.3f ms", s.name, float64(s.laggingUntil)/float64(millisecond))
		}
	case FaultPause:
		if s.up {
			w.bit(FaultPause)
			s.pausedUntil = w.now + d.span(2*w.Duration)
			w.note("%s stands still until %.3f ms", s.name, float64(s.pausedUntil)/float64(millisecond))
		}
	case FaultAnswer:
		w.clients[d.upto(len(w.clients))].loses = true
	case FaultRepeat:
		c := w.clients[d.upto(len(w.clients))]
		if at := c.server(); at != nil && c.last != nil {
			w.bit(FaultRepeat)
			// Of one that is under way the copy may be done after the original is refused.
			c.copied = true
			w.propose(at, c.last, d, func(outcome) {})
		}
	case FaultLate:
		w.late(s, d)
	case FaultWall:
		w.bit(FaultWall)
		s.wall += d.span(200*second) - 100*second
		w.note("%s takes the time for %d s more", s.name, s.wall/second)
	default:
		w.fail("simulator", "there is no fault %q", do)
	}
}

// late delivers a command once more that the root has judged long ago: one that a request
// ID protects, or the cluster's own, of which every one must stand that.
func (w *world) late(s *server, d *dice) {
	if !s.up || s.applied == 0 {
		return
	}
	e := w.log.entries[d.upto(s.applied)]
	decoded, err := command.DecodeEntry(e.Data)
	if e.Configuration || err != nil || len(decoded.Commands) == 0 {
		return
	}
	var c command.Command
	data := decoded.Commands[d.upto(len(decoded.Commands))]
	if command.DecodeCommand(data, &c) != nil || c.Type == command.TypeLeaderStart || c.Type == command.TypeWrite && c.RequestID == "" && c.Duty == "" {
		return
	}
	if _, accepted := s.m.Outcome(c.Actor, c.RequestID); c.RequestID != "" && !accepted && c.NotAfter > s.m.View().ClusterTime() {
		return // it was refused: to send it again is another request
	}
	w.bit(FaultLate)
	w.send(&proposal{data: data, origin: s, boot: s.boot, deliver: func(outcome) {}, draw: d.source.Uint64()}, d.span(w.Duration))
}
