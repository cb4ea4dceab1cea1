package sim

import (
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/verify/history"
)

// world is one run.
type world struct {
	Setting
	options  *Options
	mistake  mistake
	schedule *Schedule
	result   Result

	now     int64
	events  events
	choice  int
	stopped bool

	log     replicated
	servers []*server
	clients []*client
	root    root
	watches []*watcher
	fleet   fleet
	numbers answers

	// operations are the clients' history; moments counts their events.
	operations []history.Operation
	moments    uint64
	// kinds are the revisions of the kinds that commands name.
	kinds map[candor.KindName]uint64
}

func newWorld(s *Schedule, o *Options) *world {
	w := &world{
		Setting: s.Setting, options: o, mistake: o.mistake, schedule: s, kinds: map[candor.KindName]uint64{},
		result: Result{Seed: s.Seed, Choices: len(s.Choices), Faults: map[Do]int{}, Checked: map[string]int{}},
	}
	for i := range s.Setting.Servers {
		w.servers = append(w.servers, newServer(w, i))
	}
	for i := range s.Setting.Clients {
		w.clients = append(w.clients, &client{w: w, name: fmt.Sprintf("c%d", i+1), contact: i})
	}
	w.watches = []*watcher{{w: w}, {w: w, server: len(w.servers) - 1}}
	w.root.init(w)
	return w
}

// run follows the schedule, heals every fault, lets everybody end, and checks.
func (w *world) run() {
	w.found()
	offset := w.now
	for i := range w.schedule.Choices {
		c := &w.schedule.Choices[i]
		w.until(offset + c.At)
		if w.stopped {
			return
		}
		w.choice, w.now = c.Number, max(w.now, offset+c.At)
		w.choose(c)
	}
	w.end()
	if !w.stopped {
		w.check()
	}
}

// until lets happen what happens before a time.
func (w *world) until(at int64) {
	for !w.stopped && len(w.events.heap) > 0 && w.events.heap[0].at <= at {
		w.next()
	}
}

func (w *world) next() {
	e := w.events.pop()
	w.now = max(w.now, e.at)
	w.result.Events++
	w.trace(uint64(e.at) ^ e.seq<<40)
	e.do()
}

// after has something happen later.
func (w *world) after(span int64, do func()) { w.events.push(w.now+span, do) }

// trace folds a number into the trace (FNV-1a, eight bytes at a time).
func (w *world) trace(x uint64) { w.result.Trace = (w.result.Trace ^ x) * 0x100000001b3 }

// fail ends the run; the first failure counts.
func (w *world) fail(check, format string, args ...any) {
	if w.stopped {
		return
	}
	w.stopped = true
	w.result.Failure = &Failure{Check: check, Detail: fmt.Sprintf(format, args...), Choice: w.choice, Turns: w.result.Turns, At: w.now}
	w.note("%s", w.result.Failure)
}

// checked counts what a check looked at.
func (w *world) checked(check string, n int) { w.result.Checked[check] += n }

// bit says that a fault had an effect.
func (w *world) bit(fault Do) { w.result.Faults[fault]++ }

func (w *world) note(format string, args ...any) {
	if w.options.Log != nil {
		w.options.Log(fmt.Sprintf("%9.3f ms  %s", float64(w.now)/float64(millisecond), fmt.Sprintf(format, args...)))
	}
}

// choose carries a choice out.
func (w *world) choose(c *Choice) {
	d := c.dice()
	w.trace(c.Draw)
	w.note("#%d %s", c.Number, c.Do)
	switch c.Do {
	case DoRegister, DoTxn, DoRead:
		w.clients[d.upto(len(w.clients))].act(c.Do, d)
	case DoThing:
		w.changeThing(d)
	case DoTidy:
		w.tidy(d)
	case DoHold:
		w.anyServer(d).hold(d)
	case DoTake:
		w.take(d)
	case DoGuarded:
		w.guarded(d)
	case DoTransition:
		w.changeTransition(d)
	case DoExecute:
		w.execute(d)
	case DoInstance:
		w.changeInstance(d)
	case DoPlace:
		w.place(d)
	case DoWork:
		w.work(d)
	case DoBeat:
		w.beat(d)
	case DoWatch:
		w.watches[d.upto(len(w.watches))].look(w.anyServer(d), d.chance(30))
	case DoTick:
		w.tick(d)
	case DoSnapshot:
		w.anyServer(d).save()
	default:
		w.fault(c.Do, d)
	}
}

func (w *world) anyServer(d *dice) *server { return w.servers[d.upto(len(w.servers))] }

// newest is the view of a server that has applied the most, or nil.
func (w *world) newest() *fsm.View {
	var most *fsm.View
	for _, s := range w.servers {
		if s.up && (most == nil || s.m.View().Token().Index > most.Token().Index) {
			most = s.m.View()
		}
	}
	return most
}
