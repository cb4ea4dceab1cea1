package monitor

import (
	"fmt"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/coordinator/scheduler"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/informer"
)

// State is what a look is made on. LookAt modifies nothing of it, apart from the model's
// caches.
type State struct {
	// View is the copy of the objects, with an index of instances by candor/workload;
	// Model the scheduler's, of the same token.
	View  *informer.Reader
	Model *scheduler.Model
	// Beat is the newest heartbeat of a node by its uid, in cluster time, as of before Now,
	// and for how long it was promised to count.
	Beat func(nodeUID string) (at int64, promised time.Duration, ok bool)
	// Tenures are of every duty that was ever held.
	Tenures []tenure.Lineage
	// Standing are transitions past their deadlines; not Known where this node cannot tell.
	Standing      []Standstill
	StandingKnown bool
	// Now is the cluster time.
	Now int64
}

// Standstill is a transition that is past its deadline.
type Standstill struct {
	ID, Message, Next string
	// Owner is the duty that carries it out.
	Owner string
	// Since is when its present phase began, in cluster time.
	Since int64
}

// Look is what is not as it is to be, at one moment.
type Look struct {
	Claims []Claim
	// Unreadable counts objects that do not decode: nothing was judged of them.
	Unreadable int
	unjudged   map[Promise]bool
}

// Judged says that what is not claimed of the promise holds.
func (l *Look) Judged(p Promise) bool { return !l.unjudged[p] }

// looking is a look on its way.
type looking struct {
	*State
	look Look

	instances []*kinds.Instance
	workloads []*kinds.Workload
	nodes     map[string]*kinds.Node
	policies  []*kinds.FailurePolicy
	budgets   map[string][]*kinds.Budget // by namespace
	// impossible are workloads of which an instance fits nowhere.
	impossible map[candor.Ref]bool
}

// LookAt judges every promise that a state shows.
func LookAt(s *State) *Look {
	l := &looking{State: s, nodes: map[string]*kinds.Node{}, budgets: map[string][]*kinds.Budget{}, impossible: map[candor.Ref]bool{}}
	l.look.unjudged = map[Promise]bool{TransitionMoves: !s.StandingKnown}
	l.read()
	l.placement()
	l.wanted()
	l.machines()
	l.each()
	l.counts()
	l.handovers()
	l.transitions()
	return &l.look
}

func (l *looking) claim(c Claim) { l.look.Claims = append(l.look.Claims, c) }

func (l *looking) read() {
	l.instances = gather(l, candor.KindInstances, kinds.ReadInstance)
	l.workloads = gather(l, candor.KindWorkloads, kinds.ReadWorkload)
	l.policies = gather(l, candor.KindFailurePolicies, kinds.ReadFailurePolicy)
	for _, n := range gather(l, candor.KindNodes, kinds.ReadNode) {
		l.nodes[n.Ref.Name] = n
	}
	for _, b := range gather(l, candor.KindDisruptionBudgets, kinds.ReadBudget) {
		l.budgets[b.Ref.Namespace] = append(l.budgets[b.Ref.Namespace], b)
	}
}

func gather[T any](l *looking, kind candor.KindName, read func(*informer.Item) (*T, error)) []*T {
	all := make([]*T, 0, l.View.Len(kind))
	for item := range l.View.List(kind, "") {
		t, err := read(item)
		if err != nil {
			l.look.Unreadable++
			continue
		}
		all = append(all, t)
	}
	return all
}

// duty is who is to mend what a duty does, and the cause where nobody holds it.
func (l *looking) duty(name string) (owner, vacant string) {
	owner = "duty " + name
	for i := range l.Tenures {
		c := &l.Tenures[i].Current
		if l.Tenures[i].Duty.Name != name {
			continue
		}
		if c.State == tenure.StateActive && !c.Expired(l.Now) {
			return owner, ""
		}
		break
	}
	return owner, "nobody holds " + owner
}

// sent is the cause of what a duty has not done yet.
func sent(vacant, otherwise string) string {
	if vacant != "" {
		return vacant
	}
	return otherwise
}

// remedy is the next command about what a duty has not done.
func remedy(duty, vacant string, subject candor.Ref) string {
	if vacant != "" {
		return "candor tenure get " + duty + "; start a server that may hold it (--duties)"
	}
	return why(subject)
}

// why is the command that explains an object.
func why(ref candor.Ref) string {
	return in(ref, "candor why "+strings.TrimSuffix(ref.Kind.Plural(), "s")+"/"+ref.Name)
}

// in adds the namespace to a command.
func in(ref candor.Ref, command string) string {
	if ref.Namespace != "" && ref.Namespace != "default" {
		command += " -n " + ref.Namespace
	}
	return command
}

// history is the command that shows who wrote what of an object.
func history(ref candor.Ref) string {
	return in(ref, "candor history "+strings.TrimSuffix(ref.Kind.Plural(), "s")+" "+ref.Name+" --fields")
}

func owned(ref candor.Ref) string { return "whoever owns " + ref.String() }

// counted is "1 node", "2 nodes".
func counted(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
