package monitor

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/scheduler"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/informer"
)

const second = int64(time.Second)

var sceneKinds = []candor.KindName{
	candor.KindNodes, candor.KindWorkloads, candor.KindInstances, candor.KindDisruptionBudgets, candor.KindPriorityClasses, candor.KindFailurePolicies,
}

// scene is a copy of objects that the test writes, and a verifier whose findings are
// written at once.
type scene struct {
	store    *informer.Store
	model    *scheduler.Model
	watch    *Watch
	memory   *Memory
	book     *Book
	stored   []Stored
	pending  []informer.Change
	revision uint64
	began    int64
	now      int64
	silent   map[string]int64 // nodes, since when
	promised time.Duration    // with every beat
	vacant   map[string]bool  // duties
	lineages []tenure.Lineage
	standing []Standstill
	known    bool
}

func newScene(t testing.TB) *scene {
	s := &scene{
		store: informer.New(sceneKinds, informer.Label{Kind: candor.KindInstances, Key: candor.LabelNode}, informer.Label{Kind: candor.KindInstances, Key: candor.LabelWorkload}),
		model: scheduler.NewModel(), revision: 1, began: 1000 * second, now: 1000 * second, silent: map[string]int64{}, vacant: map[string]bool{}, known: true,
	}
	for _, kind := range sceneKinds {
		if err := s.store.Replace(kind, s.token(), nil); err != nil {
			t.Fatal(err)
		}
	}
	s.restart()
	_, cancel := s.store.Subscribe(func(b informer.Batch) { s.pending = append(s.pending, b.Changes...) })
	t.Cleanup(cancel)
	return s
}

// restart is another holder, who knows what is stored.
func (s *scene) restart() {
	s.memory, s.book, s.watch = NewMemory(s.stored), NewBook(), NewWatch(s.store.Read())
	s.pending = nil
}

func (s *scene) token() candor.Token {
	return candor.Token{Term: 1, Index: s.revision, Revision: s.revision}
}

// put makes one revision of objects.
func (s *scene) put(t testing.TB, versions ...informer.Version) {
	s.revision++
	for i := range versions {
		o := versions[i].Object
		ref := candor.Ref{Kind: versions[i].Kind, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name}
		if versions[i].Gone {
			versions[i].Revision = s.revision
			s.model.Remove(ref)
			continue
		}
		o.Metadata.ResourceVersion = s.revision
		o.Metadata.CreateRevision = s.revision
		if before := s.store.Read().Get(ref); before != nil && before.Metadata.UID == o.Metadata.UID {
			o.Metadata.CreateRevision = before.Metadata.CreateRevision
		}
		if _, err := s.model.Apply(o, versions[i].Kind); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.store.Apply(s.token(), versions); err != nil {
		t.Fatal(err)
	}
	s.model.Advance(s.token())
}

func (s *scene) beat(uid string) (int64, time.Duration, bool) {
	name := strings.TrimPrefix(uid, "u-")
	since, silent := s.silent[name]
	if !silent {
		return s.now, s.promised, true
	}
	return since, s.promised, since != 0
}

func (s *scene) tenures() []tenure.Lineage {
	all := slices.Clone(s.lineages)
	for _, duty := range []string{tenure.DutyControllers, tenure.DutySchedule, tenure.DutyJanitor} {
		l := tenure.Lineage{Duty: tenure.Duty{Name: duty}, Current: tenure.Era{Number: 1, Holder: "server/n1", State: tenure.StateActive, RenewedUntil: 1<<63 - 1}}
		if s.vacant[duty] {
			l.Current.RenewedUntil = s.now - 1
		}
		all = append(all, l)
	}
	return all
}

// look looks once a second until the time is over, and says what it wrote when.
func (s *scene) look(t testing.TB, over time.Duration) string {
	var out strings.Builder
	for end := s.now + int64(over); ; {
		s.watch.Follow(s.pending, s.now)
		s.pending = nil
		l := LookAt(&State{
			View: s.store.Read(), Model: s.model, Beat: s.beat, Tenures: s.tenures(), Standing: s.standing, StandingKnown: s.known, Now: s.now,
		})
		l.Claims = append(l.Claims, s.watch.Claims(s.now)...)
		breaches, _ := s.memory.Settle(s.now, l)
		for _, step := range s.book.Plan(s.now, s.stored, breaches, l.Judged) {
			s.write(step)
			fmt.Fprintf(&out, "%s %s\n", time.Duration(s.now-s.began), sentence(&step))
			if err := candor.CheckName("name", step.Name); err != nil {
				t.Error(err)
			}
		}
		if again := s.book.Plan(s.now, s.stored, breaches, l.Judged); len(again) > 0 {
			t.Errorf("planned again, with nothing changed: %+v", again)
		}
		if s.now >= end {
			return out.String()
		}
		s.now += second
	}
}

func (s *scene) write(step Step) {
	at := slices.IndexFunc(s.stored, func(f Stored) bool { return f.Name == step.Name })
	switch step.Verb {
	case Open:
		s.stored = append(s.stored, Stored{Name: step.Name, UID: step.Name, Status: step.Status})
	case Update:
		s.stored[at].Status = step.Status
	case Remove:
		s.stored = slices.Delete(s.stored, at, at+1)
	}
}

func sentence(s *Step) string {
	f := &s.Status
	about := f.Promise + " " + f.Subject.String()
	switch {
	case s.Verb == Remove:
		return "removed " + s.Name
	case !f.Open:
		return "holds again: " + about
	}
	verb := "broken: "
	if s.Verb == Update && s.Stored.Status.Open {
		verb = "told anew: "
	}
	if f.Safety {
		verb = "SAFETY " + verb
	}
	return fmt.Sprintf("%s%s: %s\n  cause  %s\n  owner  %s\n  repair %s", verb, about, f.Message, f.Cause, f.Owner, f.Repair)
}

// short is an object in the shorthand of the transcripts.
type short struct {
	UID     string            `json:"uid"`
	Labels  map[string]string `json:"labels"`
	Notes   map[string]string `json:"annotations"`
	Gen     uint64            `json:"gen"`
	Spec    json.RawMessage   `json:"spec"`
	Status  map[string]any    `json:"status"`
	Seen    json.RawMessage   `json:"observed"`
	By      string            `json:"by"`
	Duty    string            `json:"duty"`
	CPU     string            `json:"cpu"`
	Ready   *bool             `json:"ready"`
	Of      string            `json:"of"` // a workload
	On      string            `json:"on"` // a node
	Ends    bool              `json:"ending"`
	Because string            `json:"why"` // message of the condition Ready
}

// object reads "KIND/[NAMESPACE/]NAME {SHORT}".
func object(t testing.TB, line string) informer.Version {
	path, rest, _ := strings.Cut(line, " ")
	ref := refOf(path)
	var x short
	if rest != "" {
		if err := json.Unmarshal([]byte(rest), &x); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	o := &candor.Object{APIVersion: candor.APIVersion, Kind: "X", Metadata: candor.Metadata{
		Name: ref.Name, Namespace: ref.Namespace, UID: "u-" + ref.Name, Generation: max(1, x.Gen), Labels: map[string]string{},
	}, Spec: x.Spec, Observed: x.Seen, Cause: &candor.Cause{Actor: x.By, Duty: x.Duty}}
	if x.UID != "" {
		o.Metadata.UID = x.UID
	}
	status := map[string]any{}
	if ref.Kind == candor.KindNodes {
		x.node(o, status)
	}
	if ref.Kind == candor.KindInstances {
		x.instance(o, status)
	}
	maps.Copy(o.Metadata.Labels, x.Labels)
	o.Metadata.Annotations = x.Notes
	if x.Ends {
		o.Metadata.DeletionTime = time.Unix(1, 0)
	}
	maps.Copy(status, x.Status)
	raw, err := json.Marshal(status)
	if err != nil {
		t.Fatal(err)
	}
	if o.Status = raw; len(o.Spec) == 0 {
		o.Spec = json.RawMessage(`{}`)
	}
	return informer.Version{Kind: ref.Kind, Object: o}
}

func (x *short) node(o *candor.Object, status map[string]any) {
	ready := x.Ready == nil || *x.Ready
	status["conditions"] = conditions(candor.ConditionReady, ready, x.Because)
	if x.CPU != "" {
		o.Observed = fmt.Appendf(nil, `{"capacity":{"cpu":%q},"session":"s"}`, x.CPU)
	}
}

func (x *short) instance(o *candor.Object, status map[string]any) {
	if len(o.Spec) == 0 && x.CPU != "" {
		o.Spec = fmt.Appendf(nil, `{"command":["run"],"resources":{"cpu":%q}}`, x.CPU)
	}
	status["phase"] = "Pending"
	if x.On != "" {
		status["phase"], status["node"], status["nodeUID"] = "Placed", x.On, "u-"+x.On
		o.Metadata.Labels[candor.LabelNode] = x.On
		o.Metadata.Finalizers = []string{candor.FinalizerStop}
	}
	if x.Of != "" {
		o.Metadata.Labels[candor.LabelWorkload] = x.Of
		o.Metadata.Labels[candor.LabelRevision] = "r1"
		o.Metadata.Owners = []candor.OwnerReference{{Kind: candor.KindWorkloads, Name: x.Of, UID: "u-" + x.Of, Controller: true}}
	}
	if x.Ready != nil {
		status["conditions"] = conditions(candor.ConditionReady, *x.Ready, x.Because)
		if len(o.Observed) == 0 {
			o.Observed = fmt.Appendf(nil, `{"state":"Running","ready":%v}`, *x.Ready)
		}
	}
}

func conditions(kind string, is bool, message string) candor.Conditions {
	c := candor.Condition{Type: kind, Status: candor.ConditionFalse, Reason: "X", Message: message}
	if is {
		c.Status = candor.ConditionTrue
	}
	return candor.Conditions{c}
}

func refOf(path string) candor.Ref {
	parts := strings.Split(path, "/")
	ref := candor.Ref{Kind: candor.KindName(parts[0] + ".candor"), Name: parts[len(parts)-1]}
	if len(parts) == 3 {
		ref.Namespace = parts[1]
	}
	return ref
}
