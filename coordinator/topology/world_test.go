package topology_test

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator"
	"github.com/candor-plane/candor/coordinator/topology"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
)

// fault is what happens to one call of an executor.
type fault int

const (
	crashBefore fault = iota + 1
	crashAfter
	replyLost
	notDone
	// voterDown has n2 answer nobody from this call on, for a while, unless it leads.
	voterDown
)

var faults = []fault{crashBefore, crashAfter, replyLost, notDone}

func (f fault) String() string {
	return [...]string{"none", "crash before", "crash after", "reply lost", "not done", "a voter down"}[f]
}

// world is a cluster whose root runs the real functions of fsm/transition, and whose
// nodes run one executor after another: the leader's, until it crashes or leads no
// more.
type world struct {
	t *testing.T

	mu       sync.Mutex
	index    uint64
	revision uint64
	era      uint64
	leader   string
	servers  []transition.Server
	members  uint64
	down     map[string]bool
	// lag is for how many looks a server has not caught up.
	lag     map[string]int
	entries map[[2]string]transition.Entry
	objects map[string]*transition.Transition
	changed chan struct{}

	// broken are the calls that fail, by number; calls counts them.
	broken map[int]fault
	calls  int
	crash  context.CancelFunc
	// lost are the moments at which fewer voters answered than a quorum takes.
	lost []string
}

func newWorld(t *testing.T, leader string, servers ...transition.Server) *world {
	w := &world{
		t: t, index: 40, revision: 10, leader: leader, servers: servers, members: 40, down: map[string]bool{}, lag: map[string]int{},
		entries: map[[2]string]transition.Entry{}, objects: map[string]*transition.Transition{}, changed: make(chan struct{}), broken: map[int]fault{},
	}
	return w
}

func voters(ids ...string) []transition.Server {
	var out []transition.Server
	for _, id := range ids {
		out = append(out, transition.Server{ID: id, Address: "a-" + id, Voter: true})
	}
	return out
}

func (w *world) wake() {
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *world) configuration() transition.Configuration {
	return transition.Configuration{Index: w.members, Servers: w.servers, Leader: w.leader}
}

// observe is what the state machine does at a configuration entry and at a LeaderStart.
func (w *world) observe() {
	for key, e := range w.entries {
		if x := w.objects[e.Pending.ID]; x != nil {
			m, _ := transition.ReadMembership(x.Plan.Intent)
			w.entries[key] = transition.Observe(e, x.Plan.Kind, x.Plan.Target, m, w.configuration(), w.index)
		}
	}
	w.wake()
}

// settle is what a turn of transitions, and a LeaderStart, does besides.
func (w *world) settle() {
	for key, e := range w.entries {
		if e.Pending.Shown != 0 {
			w.publish(key, &transition.Event{Type: transition.EventTerminal, Kind: transition.Kind(key[0]), Target: key[1], Intent: e.Pending.Intent, Planned: e.Pending.Planned, Phase: transition.PhasePublished}, transition.Journal{})
		}
	}
}

func (w *world) publish(key [2]string, e *transition.Event, report transition.Journal) transition.Verdict {
	entry := w.entries[key]
	f := transition.Facts{Entry: entry}
	if x := w.objects[entry.Pending.ID]; x != nil {
		m, _ := transition.ReadMembership(x.Plan.Intent)
		f.Satisfied = transition.Satisfied(e.Kind, e.Target, m, w.configuration())
	}
	next, v := transition.Publish(f, e, w.revision+1)
	if v.Action == transition.ActionApply {
		w.revision++
		w.entries[key] = next
		if x := w.objects[next.Ended.ID]; x != nil && e.Type != transition.EventPlan {
			x.Status = x.Status.End(v, e, w.revision, time.Now().UnixNano(), report)
		}
	}
	return v
}

// plan puts a plan into the root; era 0 is an operator's.
func (w *world) plan(p *transition.Plan) (transition.Verdict, error) {
	w.index++
	m, _ := transition.ReadMembership(p.Intent)
	key := [2]string{string(p.Kind), p.Target}
	event := &transition.Event{Type: transition.EventPlan, Kind: p.Kind, Target: p.Target, Intent: p.Digest(), Source: p.Source.Revision}
	f := transition.Facts{Entry: w.entries[key], Satisfied: transition.Satisfied(p.Kind, p.Target, m, w.configuration())}
	next, v := transition.Publish(f, event, w.revision+1)
	if err := v.Err(); err != nil {
		return v, err
	}
	if v.Action == transition.ActionApply {
		if p.Configuration != 0 && p.Configuration != w.members {
			return v, candor.Errorf(candor.ReasonEpochMismatch, "configuration %d", w.members)
		}
		w.revision++
		q := *p
		q.Revision, q.PlannedAt = w.revision, time.Now().UnixNano()
		if err := q.Check(); err != nil {
			w.t.Errorf("plan %+v: %v", q, err)
		}
		w.entries[key] = next
		w.objects[q.ID()] = &transition.Transition{Plan: q, Status: q.Status()}
	}
	w.settle()
	w.wake()
	return v, nil
}

// call is one call of an executor: it fails as it was told to.
func (w *world) call(effect func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	gone := candor.Errorf(candor.ReasonCanceled, "the node is gone")
	switch w.broken[w.calls] {
	case crashBefore:
		w.crash()
		return gone
	case crashAfter:
		_ = effect()
		w.crash()
		return gone
	case replyLost:
		_ = effect()
		return candor.Errorf(candor.ReasonOutcomeUnknown, "nobody knows")
	case notDone:
		return candor.Errorf(candor.ReasonTimedOut, "not now")
	case voterDown:
		if w.leader != "n2" {
			w.down["n2"] = true
			time.AfterFunc(30*time.Second, func() {
				w.mu.Lock()
				defer w.mu.Unlock()
				delete(w.down, "n2")
			})
		}
	default:
	}
	return effect()
}

// quorum counts the votes of a configuration, and those of servers that answer.
func (w *world) quorum(servers []transition.Server) bool {
	votes, answer := 0, 0
	for _, s := range servers {
		if s.Voter {
			votes++
			if !w.down[s.ID] {
				answer++
			}
		}
	}
	return answer >= topology.Majority(votes)
}

// leading refuses what takes a leader that a majority confirms.
func (n *node) leading() error {
	switch {
	case n.w.leader != n.id:
		return candor.Errorf(candor.ReasonNotLeader, "%s leads", n.w.leader)
	case !n.w.quorum(n.w.servers):
		return candor.Errorf(candor.ReasonLeadershipUnconfirmed, "no majority")
	default:
		return nil
	}
}

// node is an executor's root and members.
type node struct {
	w   *world
	id  string
	era uint64
}

func (n *node) Pending() (topology.Seen, <-chan struct{}) {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	s := topology.Seen{Token: candor.Token{Term: 1, Index: n.w.index, Revision: n.w.revision}, Leader: n.w.leader, Now: time.Now().UnixNano()}
	for _, x := range n.w.objects {
		if !x.Status.Phase.Terminal() {
			s.Pending = append(s.Pending, *x)
		}
	}
	slices.SortFunc(s.Pending, func(a, b transition.Transition) int { return cmp.Compare(a.Plan.Revision, b.Plan.Revision) })
	return s, n.w.changed
}

func (n *node) fenced(era uint64) error {
	if !n.w.quorum(n.w.servers) {
		return candor.Errorf(candor.ReasonTimedOut, "no majority")
	}
	if era != n.w.era || era != n.era {
		return candor.Errorf(candor.ReasonEraStale, "era %d is over", era)
	}
	return nil
}

func (n *node) Plan(_ context.Context, era uint64, p *transition.Plan) (v transition.Verdict, err error) {
	err = n.w.call(func() error {
		if err := n.fenced(era); err != nil {
			return err
		}
		v, err = n.w.plan(p)
		return err
	})
	return v, err
}

func (n *node) End(_ context.Context, era uint64, p *transition.Plan, phase transition.Phase, report *transition.Journal) error {
	return n.w.call(func() error {
		if err := n.fenced(era); err != nil {
			return err
		}
		n.w.index++
		key := [2]string{string(p.Kind), p.Target}
		v := n.w.publish(key, &transition.Event{Type: transition.EventTerminal, Kind: p.Kind, Target: p.Target, Intent: p.Digest(), Planned: p.Revision, Phase: phase}, *report)
		if err := v.Err(); err != nil {
			return err
		}
		n.w.settle()
		n.w.wake()
		return nil
	})
}

func (n *node) Configuration(context.Context) (c topology.Configuration, err error) {
	err = n.w.call(func() error {
		if err := n.leading(); err != nil {
			return err
		}
		c = topology.Configuration{Index: n.w.members, Leader: n.w.leader, Proven: n.w.index}
		for _, s := range n.w.servers {
			m := topology.Server{ID: s.ID, Address: s.Address, Voter: s.Voter, Answers: !n.w.down[s.ID], Applied: n.w.index}
			if n.w.lag[s.ID] > 0 {
				n.w.lag[s.ID]--
				m.Applied = 1
			}
			c.Servers = append(c.Servers, m)
		}
		return nil
	})
	return c, err
}

// reconfigure makes a configuration of another, if that is still the newest and this
// node leads. A leader that has just looked refuses what would cost the quorum.
func (n *node) reconfigure(expected uint64, what string, force bool, change func([]transition.Server) []transition.Server) error {
	return n.w.call(func() error {
		if err := n.leading(); err != nil {
			return err
		}
		if expected != n.w.members {
			return candor.Errorf(candor.ReasonEpochMismatch, "configuration %d", n.w.members)
		}
		next := change(slices.Clone(n.w.servers))
		if !n.w.quorum(next) {
			if !force {
				return candor.Errorf(candor.ReasonQuorumAtRisk, "%s: no majority would answer", what)
			}
			n.w.lost = append(n.w.lost, what)
		}
		n.w.index++
		n.w.members, n.w.servers = n.w.index, next
		n.w.observe()
		return nil
	})
}

func (n *node) Add(_ context.Context, server, address string, configuration uint64) error {
	return n.reconfigure(configuration, "add "+server, true, func(s []transition.Server) []transition.Server {
		if i := slices.IndexFunc(s, func(m transition.Server) bool { return m.ID == server }); i >= 0 {
			s[i].Address = address
			return s
		}
		return append(s, transition.Server{ID: server, Address: address})
	})
}

func (n *node) Promote(_ context.Context, server string, configuration uint64) error {
	return n.reconfigure(configuration, "promote "+server, false, func(s []transition.Server) []transition.Server {
		for i := range s {
			s[i].Voter = s[i].Voter || s[i].ID == server
		}
		return s
	})
}

func (n *node) Remove(_ context.Context, server string, configuration uint64, force bool) error {
	return n.reconfigure(configuration, "remove "+server, force, func(s []transition.Server) []transition.Server {
		if server == n.id {
			n.w.t.Errorf("the leader %s removes itself", n.id)
		}
		return slices.DeleteFunc(s, func(m transition.Server) bool { return m.ID == server })
	})
}

func (n *node) Transfer(_ context.Context, server string) error {
	return n.w.call(func() error {
		if err := n.leading(); err != nil {
			return err
		}
		if n.w.down[server] {
			return candor.Errorf(candor.ReasonTimedOut, "%s did not take over", server)
		}
		n.w.leads(server)
		n.w.crash() // the duty follows the leader
		return nil
	})
}

// leads is a LeaderStart.
func (w *world) leads(server string) {
	w.index++
	w.leader = server
	w.observe()
	w.settle()
	w.wake()
}

// run has one executor after another work, on whoever leads, until nothing pends; false
// where that does not come to be.
func (w *world) run() bool {
	limit := time.Now().Add(10 * time.Minute)
	for time.Now().Before(limit) {
		ctx, crash := context.WithDeadline(context.Background(), limit)
		w.mu.Lock()
		w.era++
		w.crash = crash
		n := &node{w: w, id: w.leader, era: w.era}
		w.mu.Unlock()
		_, ended := n.execute(ctx)
		done := w.watch(n, ended)
		crash()
		<-ended
		if done {
			return true
		}
	}
	return false
}

func (n *node) execute(ctx context.Context) (x *topology.Executor, ended chan struct{}) {
	x, ended = topology.NewExecutor(n, n, hclog.NewNullLogger()), make(chan struct{})
	go func() {
		defer close(ended)
		_ = x.Run(ctx, &coordinator.Grant{Duty: tenure.Duty{Name: x.Name()}, Era: n.era, Holder: "server/" + n.id})
	}()
	return x, ended
}

// start has the leader's executor work until it is stopped.
func (w *world) start() (x *topology.Executor, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	w.era++
	w.crash = cancel
	x, ended := (&node{w: w, id: w.leader, era: w.era}).execute(ctx)
	return x, func() {
		cancel()
		<-ended
	}
}

// watch returns when nothing pends, or the executor has ended.
func (w *world) watch(n *node, ended <-chan struct{}) bool {
	for {
		seen, changed := n.Pending()
		if len(seen.Pending) == 0 {
			return true
		}
		select {
		case <-changed:
		case <-ended:
			return false
		}
	}
}
