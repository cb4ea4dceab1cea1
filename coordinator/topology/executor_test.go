package topology_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/transition"
)

// scenario is what operators ask for of a cluster, and what must have come of it.
type scenario struct {
	name    string
	servers string
	down    string
	lag     map[string]int
	asked   []asked
	// members afterwards: voters in upper case.
	members string
	// leader afterwards; empty for whoever.
	leader string
	// unsafe says that the quorum may be lost, for it was forced. It comes back.
	unsafe bool
}

type asked struct {
	kind   transition.Kind
	target string
	m      transition.Membership
	retry  candor.RetryClass
	phase  transition.Phase
	reason candor.Reason
}

func replaced(target, with string) asked {
	return asked{kind: transition.MemberReplace, target: target, m: transition.Membership{With: with, Address: "a-" + with}, phase: transition.PhasePublished}
}

var scenarios = []scenario{
	{
		name: "add", servers: "N1 N2 N3", members: "N1 N2 N3 n4",
		asked: []asked{{kind: transition.MemberAdd, target: "n4", m: transition.Membership{Address: "a-n4"}, phase: transition.PhasePublished}},
	},
	{
		name: "promote one that lags", servers: "N1 N2 N3 n4", lag: map[string]int{"n4": 3}, members: "N1 N2 N3 N4",
		asked: []asked{{kind: transition.MemberPromote, target: "n4", phase: transition.PhasePublished}},
	},
	{
		name: "promote at once or not at all", servers: "N1 N2 N3 n4", lag: map[string]int{"n4": 1 << 30}, members: "N1 N2 N3 n4",
		asked: []asked{{kind: transition.MemberPromote, target: "n4", retry: candor.RetryNever, phase: transition.PhaseFailed, reason: candor.ReasonNotCaughtUp}},
	},
	{
		name: "remove", servers: "N1 N2 N3", members: "N1 N2", leader: "n1",
		asked: []asked{{kind: transition.MemberRemove, target: "n3", phase: transition.PhasePublished}},
	},
	{
		name: "remove the leader", servers: "N1 N2 N3", members: "N2 N3", leader: "n2",
		asked: []asked{{kind: transition.MemberRemove, target: "n1", phase: transition.PhasePublished}},
	},
	{
		name: "remove the leader while who is fittest changes", servers: "N1 N2 N3", lag: map[string]int{"n2": 1}, members: "N2 N3", leader: "n3",
		asked: []asked{{kind: transition.MemberRemove, target: "n1", phase: transition.PhasePublished}},
	},
	{
		name: "remove what the quorum needs", servers: "N1 N2 N3", down: "n3", members: "N1 N2 N3",
		asked: []asked{{kind: transition.MemberRemove, target: "n2", phase: transition.PhaseFailed, reason: candor.ReasonQuorumAtRisk}},
	},
	{
		name: "remove it by force", servers: "N1 N2 N3", down: "n3", members: "N1 N3", unsafe: true,
		asked: []asked{{kind: transition.MemberRemove, target: "n2", m: transition.Membership{Force: true}, phase: transition.PhasePublished}},
	},
	{
		name: "transfer", servers: "N1 N2 N3", members: "N1 N2 N3", leader: "n3",
		asked: []asked{{kind: transition.LeaderTransfer, target: "n3", phase: transition.PhasePublished}},
	},
	{
		name: "promote a stranger", servers: "N1 N2 N3", members: "N1 N2 N3",
		asked: []asked{{kind: transition.MemberPromote, target: "n9", phase: transition.PhaseFailed, reason: candor.ReasonNotAMember}},
	},
	{
		name: "replace", servers: "N1 N2 N3", members: "N1 N2 N4", lag: map[string]int{"n4": 2}, leader: "n1",
		asked: []asked{replaced("n3", "n4")},
	},
	{
		name: "replace the leader", servers: "N1 N2 N3", members: "N2 N3 N4", asked: []asked{replaced("n1", "n4")},
	},
	{
		name: "replace the only one", servers: "N1", members: "N2", leader: "n2", asked: []asked{replaced("n1", "n2")},
	},
	{
		name: "replace a dead one at its address", servers: "N1 N2 N3", down: "n3", members: "N1 N2 N4",
		asked: []asked{{kind: transition.MemberReplace, target: "n3", m: transition.Membership{With: "n4", Address: "a-n3"}, phase: transition.PhasePublished}},
	},
	{
		name: "replace with another's address", servers: "N1 N2 N3", members: "N1 N2 N3",
		asked: []asked{{kind: transition.MemberReplace, target: "n3", m: transition.Membership{With: "n4", Address: "a-n1"}, phase: transition.PhaseFailed, reason: candor.ReasonMemberExists}},
	},
	{
		name: "replace all", servers: "N1 N2 N3", members: "N4 N5 N6", asked: []asked{replaced("n1", "n4"), replaced("n2", "n5"), replaced("n3", "n6")},
	},
}

// execute runs a scenario with some calls broken, and returns how many there were.
func (s *scenario) execute(t *testing.T, broken map[int]fault) int {
	t.Helper()
	var servers []transition.Server
	for n := range strings.FieldsSeq(s.servers) {
		id := strings.ToLower(n)
		servers = append(servers, transition.Server{ID: id, Address: "a-" + id, Voter: n != id})
	}
	w := newWorld(t, "n1", servers...)
	w.broken = broken
	for id := range strings.FieldsSeq(s.down) {
		w.down[id] = true
	}
	if s.unsafe {
		time.AfterFunc(time.Minute, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			clear(w.down)
		})
	}
	maps.Copy(w.lag, s.lag)
	var ids []string
	for _, a := range s.asked {
		p := &transition.Plan{Kind: a.kind, Target: a.target, Intent: a.m.Intent(), Source: candor.Token{Term: 1, Index: w.index, Revision: w.revision}, Retry: a.retry, Actor: "ana"}
		v, err := w.plan(p)
		if err != nil || v.Phase != transition.PhasePlanned {
			t.Fatalf("%s: planned: %+v %v", s.name, v, err)
		}
		ids = append(ids, v.Standing)
	}
	if !w.run() {
		seen, _ := (&node{w: w}).Pending()
		t.Fatalf("%s, with %v: it does not end: %+v", s.name, broken, seen.Pending)
	}
	for i, a := range s.asked {
		if got := w.objects[ids[i]].Status; got.Phase != a.phase || got.Reason != a.reason {
			t.Errorf("%s, with %v: %s of %s is %s, %s: %s; want %s, %s", s.name, broken, a.kind, a.target, got.Phase, got.Reason, got.Message, a.phase, a.reason)
		}
	}
	for id, x := range w.objects {
		for _, g := range transition.Guarantees() {
			if wrong := g.Check(nil, x); wrong != "" {
				t.Errorf("%s, with %v: %s breaks %s: %s", s.name, broken, id, g.Name, wrong)
			}
		}
	}
	if len(w.lost) > 0 && !s.unsafe {
		t.Errorf("%s, with %v: the quorum was lost by %v", s.name, broken, w.lost)
	}
	var members []string
	for _, m := range w.servers {
		name := m.ID
		if m.Voter {
			name = strings.ToUpper(name)
		}
		members = append(members, name)
	}
	slices.Sort(members)
	if got := strings.Join(members, " "); got != s.members || s.leader != "" && len(broken) == 0 && w.leader != s.leader {
		t.Errorf("%s, with %v: members %s, %s leads; want %s, %s", s.name, broken, got, w.leader, s.members, s.leader)
	}
	return w.calls
}

// TestEveryChangeEndsWhateverStepTheExecutorCrashesAt, and whichever reply is lost:
// with each call of a whole course broken in each way, and in small courses each two.
func TestEveryChangeEndsWhateverStepTheExecutorCrashesAt(t *testing.T) {
	const pairsBelow = 20
	for _, s := range scenarios {
		t.Run(strings.ReplaceAll(s.name, " ", "-"), func(t *testing.T) {
			runs := 1
			calls := 0
			synctest.Test(t, func(t *testing.T) { calls = s.execute(t, nil) })
			broken := func(m map[int]fault) (n int) {
				runs++
				synctest.Test(t, func(t *testing.T) { n = s.execute(t, m) })
				return n
			}
			for at := 1; at <= calls; at++ {
				for _, f := range faults {
					more := broken(map[int]fault{at: f})
					for then := at + 1; calls < pairsBelow && then <= more; then++ {
						for _, g := range faults {
							broken(map[int]fault{at: f, then: g})
						}
					}
				}
			}
			t.Logf("%d calls, %d courses", calls, runs)
		})
	}
}

// TestNoChangeCostsTheQuorumWhenAVoterFailsOnTheWay, at whichever call: what may be
// tried later waits until it is back, and ends as it should have.
func TestNoChangeCostsTheQuorumWhenAVoterFailsOnTheWay(t *testing.T) {
	for _, s := range scenarios {
		if s.unsafe || s.down != "" || strings.Contains(s.name, "or not at all") {
			continue
		}
		s.asked = slices.Clone(s.asked)
		for i := range s.asked {
			s.asked[i].retry = candor.RetryLater
		}
		calls := 0
		synctest.Test(t, func(t *testing.T) { calls = s.execute(t, nil) })
		for at := 1; at <= calls; at++ {
			synctest.Test(t, func(t *testing.T) { s.execute(t, map[int]fault{at: voterDown}) })
			for _, f := range faults {
				synctest.Test(t, func(t *testing.T) { s.execute(t, map[int]fault{at: voterDown, at + 1: f}) })
			}
		}
	}
}

// TestAJournalTellsWhereAChangeStands and why it waits.
func TestAJournalTellsWhereAChangeStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "n1", append(voters("n1", "n2", "n3"), transition.Server{ID: "n4", Address: "a-n4"})...)
		w.lag["n4"] = 1 << 30
		v, err := w.plan(&transition.Plan{Kind: transition.MemberPromote, Target: "n4", Intent: transition.Membership{}.Intent(), Source: candor.Token{Revision: 1}})
		if err != nil {
			t.Fatal(err)
		}
		x, stop := w.start()
		defer stop()
		synctest.Wait()
		object := *w.objects[v.Standing]
		shown := transition.Merge(object.Plan, object.Status, x.Journals()...)
		if shown.Status.Phase != transition.PhaseAdmitted || shown.Status.Reason != candor.ReasonNotCaughtUp || shown.Status.Executor != "server/n1" {
			t.Errorf("while it waits: %+v", shown.Status)
		}
		if !strings.Contains(shown.Status.Message, fmt.Sprint(w.index)) {
			t.Errorf("it does not say how far: %s", shown.Status.Message)
		}
	})
}
