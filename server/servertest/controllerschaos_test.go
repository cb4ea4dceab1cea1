package servertest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/replica"
	"github.com/candor-plane/candor/server/servertest"
)

// tripwire strikes the holder of a duty at writes of it: when the leader is about to
// store the write, or once it has.
type tripwire struct {
	duties []string
	// strike is called with the write's holder and number, from 1.
	strike func(holder string, number int)
	after  bool

	mu     sync.Mutex
	armed  bool
	seen   int
	newest [2]uint64 // term and index
}

func (w *tripwire) arm(armed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed = armed
}

func (w *tripwire) writes() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// on puts the wire before a server's log.
func (w *tripwire) on(name string) servertest.Option {
	return servertest.WithServer(name, func(c *server.Config) {
		c.Seams.WrapLogStore = func(s raft.LogStore) raft.LogStore { return &wired{LogStore: s, wire: w} }
	})
}

// wired is a log store. It is not monotonic for raft, which only a restored snapshot
// would tell.
type wired struct {
	raft.LogStore
	wire *tripwire
}

func (s *wired) StoreLog(l *raft.Log) error { return s.StoreLogs([]*raft.Log{l}) }

func (s *wired) StoreLogs(logs []*raft.Log) error {
	holder, number := s.wire.look(logs)
	if holder != "" && !s.wire.after {
		s.wire.strike(holder, number)
	}
	err := s.LogStore.StoreLogs(logs)
	if holder != "" && s.wire.after {
		s.wire.strike(holder, number)
	}
	return err
}

// look finds the newest write of the duties that no log has had yet.
func (w *tripwire) look(logs []*raft.Log) (holder string, number int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range logs {
		at := [2]uint64{l.Term, l.Index}
		if l.Type != raft.LogCommand || !w.armed || slices.Compare(at[:], w.newest[:]) <= 0 {
			continue
		}
		w.newest = at
		e, err := command.DecodeEntry(l.Data)
		if err != nil {
			continue
		}
		for _, data := range e.Commands {
			var c command.Command
			if command.DecodeCommand(data, &c) != nil || c.Type != command.TypeWrite && c.Type != command.TypePlacement || !slices.Contains(w.duties, c.Duty) {
				continue
			}
			w.seen++
			holder, number = strings.Clone(c.Holder), w.seen
		}
	}
	return holder, number
}

// life is what befalls two workloads: made, rolled out, scaled, drained, preempted and
// given up.
func life(s *site, step func()) {
	s.Helper()
	const long = 4 * time.Minute
	s.create(priorityClass("urgent", 10, true))
	s.create(disruptionBudget("web", "candor/workload=web", `"maxUnavailable":2`))
	s.create(workload("web", 8, ""))
	step()
	s.whole(long, "web", 8)
	s.patch(workloadRef("web"), template("serve-2"))
	step()
	s.updated("web", long)
	s.patch(workloadRef("web"), `{"replicas":14}`)
	step()
	s.whole(long, "web", 14)
	s.patch(nodeRef("w1"), `{"drain":true}`)
	step()
	s.eventually(long, "w1 is empty", func() bool { return s.onNode("w1") == 0 })
	s.patch(workloadRef("web"), `{"template":{"command":["serve-3"]},"replicas":12}`)
	step()
	s.updated("web", long)
	s.whole(long, "web", 12)
	s.create(workload("now", 5, `,"priorityClass":"urgent"`))
	step()
	s.whole(long, "now", 5)
	s.patch(nodeRef("w1"), `{"drain":false}`)
	s.patch(workloadRef("web"), `{"replicas":5}`)
	step()
	s.whole(long, "web", 5)
}

// end waits until all is calm, and judges.
func end(s *site) int {
	s.Helper()
	s.eventually(2*time.Minute, "nothing ends any more", func() bool {
		return !slices.ContainsFunc(s.list(candor.KindInstances), func(o *candor.Object) bool { return o.Terminating() })
	})
	time.Sleep(5 * time.Second)
	if n := s.count("web", anyInstance) + s.count("now", anyInstance); n != 10 || len(s.list(candor.KindInstances)) != 10 {
		s.Errorf("there are %d instances, not 10\n%s", len(s.list(candor.KindInstances)), s.picture())
	}
	wantSoundTenures(s.T, s.c)
	return wantSoundHistory(s)
}

// TestTheHolderIsStruckAtEveryWrite of the life of a workload: cut off, just before or
// just after its write is stored, or killed, and another goes on.
func TestTheHolderIsStruckAtEveryWrite(t *testing.T) {
	long(t)
	const every = 4
	for _, duty := range []string{tenure.DutyControllers, tenure.DutySchedule} {
		for phase := range every {
			for _, after := range []bool{false, true} {
				if after != (phase%2 == 1) && os.Getenv("CANDOR_CHAOS") == "" {
					continue // half of them, of every sort: CANDOR_CHAOS=all has the others
				}
				t.Run(fmt.Sprintf("%s, %d of %d, after %t", duty, phase, every, after), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { struck(t, duty, phase, every, after) })
				})
			}
		}
	}
}

func struck(t *testing.T, duty string, phase, every int, after bool) {
	random := rand.New(rand.NewPCG(uint64(phase), 6))
	wire := &tripwire{duties: []string{duty}, after: after}
	kill := after && phase%2 == 1
	options := []servertest.Option{servertest.WithServers(3)}
	if kill {
		options = append(options, servertest.WithData(t.TempDir()))
	}
	for _, name := range []string{"n1", "n2", "n3"} {
		options = append(options, wire.on(name))
	}
	s := newSite(t, 5, options...)
	s.f.mayFail = true
	byHolder := map[string]string{}
	for _, one := range s.c.Servers() {
		byHolder[holderOf(one)] = one.Name()
	}
	var mu sync.Mutex
	down, killed, times := "", false, 0
	var until time.Time
	wire.strike = func(holder string, number int) {
		mu.Lock()
		defer mu.Unlock()
		if number%every != phase || kill && down != "" {
			return
		}
		times++
		down, until = byHolder[holder], time.Now().Add(time.Duration(500+100*random.IntN(50))*time.Millisecond)
		s.c.Heal()        // of those that were struck one is away at a time
		s.c.Isolate(down) // at once: what it says of the write is not heard
	}
	s.tend = func() {
		mu.Lock()
		name, over := down, time.Now().After(until)
		mu.Unlock() // who ends may be in the middle of a strike
		switch {
		case name == "":
			return
		case kill && !killed:
			s.c.Kill(name)
			killed = true
			return
		case !over:
			return
		case kill:
			s.c.Heal()
			s.c.Restart(name)
			killed = false
		default:
			s.c.Heal()
		}
		mu.Lock()
		defer mu.Unlock()
		if time.Now().After(until) {
			down = ""
		}
	}
	away := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return down != ""
	}
	wire.arm(true)
	life(s, func() {
		if kill { // the next one is struck when all are there again
			s.eventually(20*time.Second, "it is back", func() bool { return !away() })
			s.c.Settle()
		}
	})
	wire.arm(false)
	s.eventually(20*time.Second, "all are back", func() bool { return !away() })
	decisions := end(s)
	t.Logf("%d writes of %s, struck at %d, %d decisions", wire.writes(), duty, times, decisions)
	if times == 0 {
		t.Error("it was never struck")
	}
}

// TestWhateverHappensToTheCluster while workloads live: servers are killed, cut off and
// silenced, duties and leadership are moved.
func TestWhateverHappensToTheCluster(t *testing.T) {
	long(t)
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { shaken(t, rand.New(rand.NewPCG(seed, 66))) })
		})
	}
}

func shaken(t *testing.T, random *rand.Rand) {
	s := newSite(t, 5, servertest.WithServers(3), servertest.WithData(t.TempDir()))
	s.f.mayFail = true
	all := names(s.c.Servers())
	what := map[string]int{}
	shake := func() {
		victim := all[random.IntN(len(all))]
		kind := []string{"killed", "cut off", "silenced", "deaf", "mute", "leadership moved", "duty moved", "duties moved apart"}[random.IntN(8)]
		what[kind]++
		switch kind {
		case "killed":
			s.c.Kill(victim)
			time.Sleep(time.Duration(random.IntN(4000)) * time.Millisecond)
			s.c.Restart(victim)
		case "cut off":
			s.c.Isolate(victim)
		case "silenced":
			s.c.Silence(victim)
		case "deaf", "mute":
			for _, other := range all {
				if other != victim && kind == "deaf" {
					s.c.Cut(other, victim)
				} else if other != victim {
					s.c.Cut(victim, other)
				}
			}
		case "leadership moved":
			ctx, cancel := within(2 * time.Second)
			_, _ = s.k.Cluster().TransferLeader(ctx, "")
			cancel()
		case "duty moved":
			s.moveDuty([]string{tenure.DutyControllers, tenure.DutySchedule}[random.IntN(2)], victim)
		default:
			s.moveDuty(tenure.DutyControllers, all[0])
			s.moveDuty(tenure.DutySchedule, all[1])
		}
		time.Sleep(time.Duration(random.IntN(5000)) * time.Millisecond)
		s.c.Heal()
	}
	life(s, func() {
		for range 3 {
			time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
			shake()
		}
	})
	t.Logf("%v, %d decisions", what, end(s))
}

// refusals are what a server was answered for what it forwarded. While it is mute,
// nothing that it forwards arrives.
type refusals struct {
	replica.Peers
	mute atomic.Bool

	mu    sync.Mutex
	stale int
}

func (r *refusals) Forward(ctx context.Context, leader raft.Server, term uint64, data []byte, expected uint64) (replica.ForwardAnswer, error) {
	if r.mute.Load() {
		return replica.ForwardAnswer{}, errors.New("it was lost on the way")
	}
	a, err := r.Peers.Forward(ctx, leader, term, data, expected)
	var c command.Command
	if command.DecodeCommand(data, &c) != nil || c.Duty != tenure.DutyControllers && c.Duty != tenure.DutySchedule || c.Type == command.TypeTenure {
		return a, err
	}
	reason := candor.ReasonOf(err)
	if err == nil {
		if result, bad := fsm.DecodeResult(a.Result, nil); bad == nil {
			reason = result.Reason
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if reason == candor.ReasonEraStale {
		r.stale++
	}
	return a, err
}

// TestOfTwoThatBelieveOneWrites: a holder that hears nothing of its successor goes on,
// and the root refuses what it writes.
func TestOfTwoThatBelieveOneWrites(t *testing.T) {
	for _, duty := range []string{tenure.DutyControllers, tenure.DutySchedule} {
		t.Run(duty, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answers := map[string]*refusals{}
				var options []servertest.Option
				for _, name := range []string{"n1", "n2", "n3"} {
					r := &refusals{}
					answers[name] = r
					options = append(options, servertest.WithServer(name, func(c *server.Config) {
						c.Seams.WrapPeers = func(p replica.Peers) replica.Peers {
							r.Peers = p
							return r
						}
					}))
				}
				s := newSite(t, 4, options...)
				s.f.mayFail = true
				old := s.c.Follower()
				s.moveDuty(duty, old.Name())
				heldBy(t, s.c, duty, old)
				s.create(workload("web", 8, ""))
				s.whole(10*time.Second, "web", 8)
				time.Sleep(5 * time.Second)
				// It hears of the change, cannot say anything, and then hears nothing more.
				stale := answers[old.Name()]
				stale.mute.Store(true)
				s.patch(workloadRef("web"), `{"replicas":12}`)
				s.c.Until("it has heard of what there is to do", func() bool {
					view := old.Machine().View()
					if duty == tenure.DutySchedule {
						return view.Live(candor.KindInstances) == 12
					}
					return strings.Contains(string(listed(t, view, candor.KindWorkloads)[0].Spec), `"replicas":12`)
				})
				s.c.Starve(old.Name())
				s.c.Until("another has the duty", func() bool {
					l := lineage(t, s.c.Leader(old.Name()), duty)
					return l.Current.State == tenure.StateActive && l.Current.Holder != holderOf(old)
				})
				stale.mute.Store(false)
				s.eventually(20*time.Second, "what it writes is refused", func() bool {
					stale.mu.Lock()
					defer stale.mu.Unlock()
					return stale.stale > 0
				})
				s.c.Heal()
				s.whole(20*time.Second, "web", 12)
				wantSoundTenures(t, s.c)
				wantSoundHistory(s)
			})
		})
	}
}
