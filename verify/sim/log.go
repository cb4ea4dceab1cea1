package sim

import (
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/transition"
)

// replicated is what consensus makes of a log: an order of entries of which a part is
// committed, under one leader a term. Entry i is at index i+1.
type replicated struct {
	entries []*entry
	// commit is how many are committed: those never change any more.
	commit int
	term   uint64
	// leader is nil in a gap.
	leader *server
	// members are those of the newest configuration entry.
	members []transition.Server
}

// entry is one of the log.
type entry struct {
	fsm.Committed
	proposals []*proposal
	draw      uint64
}

// proposal is a command on its way.
type proposal struct {
	data   []byte
	origin *server
	boot   int
	// deliver is called once, unless the origin crashes.
	deliver func(outcome)
	done    bool
	draw    uint64
}

// outcome is what a proposer hears: the root's answer, a refusal that says the command
// is surely not done, or neither, and then nobody knows.
type outcome struct {
	result  *fsm.Result
	index   uint64
	refused bool
}

func (p *proposal) resolve(o outcome) {
	if p.done {
		return
	}
	p.done = true
	p.deliver(o)
}

// propose sends a command from a server to the leader. deliver hears of it once.
func (w *world) propose(s *server, c *command.Command, d *dice, deliver func(outcome)) {
	w.send(&proposal{data: command.AppendCommand(nil, c), origin: s, boot: s.boot, deliver: deliver, draw: d.source.Uint64()}, d.span(500*microsecond))
}

func (w *world) send(p *proposal, delay int64) {
	p.origin.waiting = append(p.origin.waiting, waiter{lost: func() { p.resolve(outcome{}) }, boot: p.boot, settled: func() bool { return p.done }})
	w.after(delay, func() { w.arrive(p) })
}

// arrive gives a proposal to who leads, as far as its sender knows.
func (w *world) arrive(p *proposal) {
	leader := w.log.leader
	switch {
	case p.done:
	case p.origin.deposedUntil > w.now:
		// It still takes itself for the leader: the entry goes nowhere.
		w.bit(FaultElection)
		w.after(p.origin.deposedUntil-w.now, func() { p.resolve(outcome{}) })
	case leader == nil || !leader.up:
		w.after(millisecond, func() { p.resolve(outcome{refused: true}) })
	case leader.pausedUntil > w.now:
		w.after(leader.pausedUntil-w.now, func() { w.arrive(p) })
	default:
		leader.batch = append(leader.batch, p)
		if len(leader.batch) == 1 || w.options.Observe != nil {
			term := w.log.term
			w.after(w.Linger, func() { w.flush(leader, term) })
		}
	}
}

// flush makes one entry of what has been collected.
func (w *world) flush(s *server, stamped uint64) {
	switch {
	case w.log.leader != s || len(s.batch) == 0:
		return
	case s.pausedUntil > w.now:
		w.after(s.pausedUntil-w.now, func() { w.flush(s, stamped) })
		return
	}
	n := len(s.batch)
	if w.options.Observe != nil {
		n = 1
	}
	batch := s.batch[:n:n]
	s.batch = s.batch[n:]
	e := command.Entry{Term: stamped, Time: s.stamp(), Wall: epoch + w.now + s.wall}
	for _, p := range batch {
		e.Commands = append(e.Commands, p.data)
	}
	w.append(&entry{Committed: fsm.Committed{Data: command.AppendEntry(nil, e)}, proposals: batch, draw: batch[0].draw})
}

// append puts an entry at the end of the leader's log, to be committed when a majority
// has it.
func (w *world) append(e *entry) {
	w.log.entries = append(w.log.entries, e)
	e.Term, e.Index = w.log.term, uint64(len(w.log.entries))
	d := dice{}
	d.source.Seed(e.draw, e.Index)
	term, index := w.log.term, int(e.Index)
	w.after(d.span(2*millisecond), func() { w.commit(term, index, &d) })
}

func (w *world) commit(term uint64, index int, d *dice) {
	switch {
	case w.log.term != term || w.log.leader == nil || index <= w.log.commit:
		return
	case !w.majority():
		w.after(millisecond, func() { w.commit(term, index, d) })
		return
	}
	w.log.commit = index
	for _, s := range w.servers {
		delay := d.span(w.Spread)
		if s == w.log.leader {
			delay = d.span(300 * microsecond)
		}
		s.applyLater(delay)
	}
}

func (w *world) majority() bool {
	n := 0
	for _, s := range w.servers {
		if s.up && s.pausedUntil <= w.now {
			n++
		}
	}
	return n > len(w.servers)/2
}

// elect makes a server the leader of the next term. Of what was not committed it keeps
// the first so many entries; the rest is lost.
func (w *world) elect(to *server, keep int, d *dice) {
	old, was := w.log.leader, w.log.term
	lost := len(w.log.entries) - w.log.commit - keep
	w.note("%s leads term %d; %d entries are kept, %d lost", to.name, was+1, keep, lost)
	w.depose(d)
	w.log.entries = w.log.entries[:w.log.commit+keep]
	w.log.term += 1 + uint64(d.upto(2))
	w.log.leader = to
	to.leads(w.log.term)
	w.members()
	stamped := w.log.term
	if to == old && d.chance(50) {
		// It had stamped what it collected before it knew of its new term.
		stamped = was
	}
	start := &proposal{data: command.AppendCommand(nil, command.LeaderStart(w.log.term, to.name)), origin: to, boot: to.boot, deliver: func(outcome) {}, draw: d.source.Uint64()}
	to.batch = append([]*proposal{start}, to.batch...)
	w.flush(to, stamped)
	if len(to.batch) > 0 {
		w.after(0, func() { w.flush(to, w.log.term) })
	}
}

// depose ends the leadership: what was under way may have happened, or may yet.
func (w *world) depose(d *dice) {
	old := w.log.leader
	w.log.leader = nil
	if old == nil {
		return
	}
	for i := w.log.commit; i < len(w.log.entries); i++ {
		w.forget(w.log.entries[i].proposals, d)
	}
	for i := old.applied; i < w.log.commit; i++ {
		w.forget(w.log.entries[i].proposals, d)
	}
	for _, p := range old.batch {
		w.after(d.span(millisecond), func() { p.resolve(outcome{refused: true}) })
	}
	old.batch = nil
	if old.up {
		old.deposedUntil = w.now + d.span(5*millisecond)
	}
}

func (w *world) forget(proposals []*proposal, d *dice) {
	for _, p := range proposals {
		w.after(d.span(2*millisecond), func() { p.resolve(outcome{}) })
	}
}

// members is the newest configuration in the log, which a lost entry takes back.
func (w *world) members() {
	w.log.members = nil
	for _, e := range w.log.entries {
		if e.Configuration {
			w.log.members = e.Servers
		}
	}
}

// lead has somebody lead when nobody does.
func (w *world) lead(d *dice) {
	if w.log.leader != nil || w.stopped {
		return
	}
	var able []*server
	for _, s := range w.servers {
		if s.up && s.pausedUntil <= w.now {
			able = append(able, s)
		}
	}
	if len(able) <= len(w.servers)/2 {
		w.after(2*millisecond, func() { w.lead(d) })
		return
	}
	w.elect(able[d.upto(len(able))], d.upto(len(w.log.entries)-w.log.commit+1), d)
}
