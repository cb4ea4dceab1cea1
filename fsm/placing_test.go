package fsm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/tenure"
)

func nodeRef(name string) candor.Ref { return candor.Ref{Kind: candor.KindNodes, Name: name} }

func instanceRef(name string) candor.Ref {
	return candor.Ref{Kind: candor.KindInstances, Namespace: "default", Name: name}
}

func createNode(name string) command.Operation {
	return command.Operation{Verb: command.VerbCreate, Kind: candor.KindNodes, Object: object("Node", "", name, `{}`)}
}

func createInstance(name, resources string) command.Operation {
	return command.Operation{Verb: command.VerbCreate, Kind: candor.KindInstances,
		Object: object("Instance", "default", name, `{"command":["x"],"resources":`+resources+`}`)}
}

func observe(ref candor.Ref, observed string) command.Operation {
	return command.Operation{Verb: command.VerbObserve, Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name, Payload: []byte(observed)}
}

func status(ref candor.Ref, status string) command.Operation {
	return command.Operation{Verb: command.VerbUpdateStatus, Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name, Payload: []byte(status)}
}

const isReady = `{"conditions":[{"type":"Ready","status":"True","reason":"HeartbeatFresh"}]}`

// fleet is a root under the duty schedule, with ready nodes of 4 cores and 8Gi each.
func fleet(t testing.TB, nodes ...string) *root {
	r := newRoot(t)
	r.hold(tenure.DutySchedule)
	for _, name := range nodes {
		r.mustWrite(createNode(name))
		r.mustWrite(observe(nodeRef(name), `{"capacity":{"cpu":"4","memory":"8Gi"},"session":"s-`+name+`"}`))
		r.mustWrite(status(nodeRef(name), isReady))
	}
	return r
}

// proposal is to put an instance, as it stands, on a node; to neither where it is "".
func (r *root) proposal(name, node string) command.Placement {
	p := command.Placement{Ref: instanceRef(name), UID: "uid-default-" + name, Node: node, Message: "because", Decision: []byte(`{"id":"d-1-0","instance":1,"verdict":"WHATEVER","digest":"x"}`)}
	if o := r.get(p.Ref); o != nil {
		p.UID, p.ResourceVersion = o.Metadata.UID, o.Metadata.ResourceVersion
	}
	if o := r.get(nodeRef(node)); o != nil {
		p.NodeUID = o.Metadata.UID
	}
	return p
}

func (r *root) placement(items ...command.Placement) *command.Command {
	return command.Place(tenure.DutySchedule, 1, executor, candor.Token{Term: 1, Index: r.index, Revision: r.m.View().Token().Revision}, items...)
}

func (r *root) place(items ...command.Placement) Result {
	r.t.Helper()
	res := r.do(r.placement(items...))
	if err := res.Err(); err != nil {
		r.t.Fatal(err)
	}
	return res
}

// statusOf is an instance's, decoded.
func (r *root) statusOf(name string) (s candor.InstanceStatus) {
	r.t.Helper()
	o := r.get(instanceRef(name))
	if err := json.Unmarshal(o.Status, &s); err != nil {
		r.t.Fatalf("%s: %v", o.Status, err)
	}
	return s
}

func TestAnAcceptedPlacementIsWritten(t *testing.T) {
	r := fleet(t, "w1")
	r.mustWrite(createInstance("web-0", `{"cpu":"500m","memory":"1Gi"}`))
	r.mustWrite(status(instanceRef("web-0"), `{"phase":"Pending","nominated":"w9","conditions":[{"type":"Other","status":"True","reason":"X","message":"a \"b\""},{"type":"Scheduled","status":"False","reason":"NothingFits","lastTransitionTime":"2020-01-01T00:00:00Z"}]}`))
	before := r.get(instanceRef("web-0"))
	res := r.place(r.proposal("web-0", "w1"))
	if len(res.Items) != 1 || res.Items[0] != (ItemResult{Revision: res.Revision}) {
		t.Fatalf("items %+v", res.Items)
	}
	o, s := r.get(instanceRef("web-0")), r.statusOf("web-0")
	if s.Phase != candor.InstancePlaced || s.Node != "w1" || s.NodeUID != "uid--w1" || s.Nominated != "" || s.ObservedGeneration != 1 {
		t.Errorf("status %s", o.Status)
	}
	if d := s.Decision; d == nil || d.Verdict != candor.VerdictPlaced || d.Refusal != "" || d.ID != "d-1-0" || d.Digest != "x" {
		t.Errorf("decision %+v", s.Decision)
	}
	scheduled := s.Conditions.Get(candor.ConditionScheduled)
	if scheduled == nil || scheduled.Status != candor.ConditionTrue || scheduled.Reason != candor.WhyPlaced || scheduled.Message != "because" || scheduled.ObservedGeneration != 1 ||
		!scheduled.LastTransitionTime.Equal(time.Unix(0, r.time)) {
		t.Errorf("condition %+v, cluster time %s", scheduled, time.Unix(0, r.time).UTC())
	}
	if len(s.Conditions) != 2 || s.Conditions[0].Message != `a "b"` {
		t.Errorf("conditions %+v", s.Conditions)
	}
	if o.Metadata.Labels[candor.LabelNode] != "w1" || !slices.Equal(o.Metadata.Finalizers, []string{candor.FinalizerStop}) {
		t.Errorf("metadata %+v", o.Metadata)
	}
	want := candor.Cause{Actor: candor.ActorSystem, Duty: tenure.DutySchedule, Era: 1, ReadToken: candor.Token{Term: 1, Index: r.index - 1, Revision: res.Revision - 1},
		PriorRevision: before.Metadata.ResourceVersion, Reason: "PLACED", Message: "because"}
	cause := *o.Cause
	if because := cause.Because; because == nil || because.Ref != instanceRef("web-0") || because.Revision != before.Metadata.ResourceVersion {
		t.Errorf("because %+v", because)
	}
	cause.Because = nil
	if cause != want {
		t.Errorf("cause %+v, want %+v", cause, want)
	}
	if a := r.m.View().Held("w1", "uid--w1"); a.Instances != 1 || a.Held.String() != "cpu 500m, memory 1Gi" {
		t.Errorf("held %+v", a)
	}
	wantSame(t, "replayed", r.m, r.replayed())
}

// Each row is one thing that moved on between decision and turn, with a place that is
// fine beside it in the same batch.
func TestARefusedItemTakesNothingFromTheOthers(t *testing.T) {
	edit := func(r *root, ref candor.Ref, spec string) {
		r.update(ref, func(o *candor.Object) { o.Spec = []byte(spec) })
	}
	for _, row := range []struct {
		what     string
		change   func(*root, *command.Placement)
		reason   candor.Reason
		recorded bool
	}{
		{"the instance is gone", func(r *root, _ *command.Placement) {
			r.mustWrite(remove(candor.KindInstances, "default", "web-0", ""))
		}, candor.ReasonNotFound, false},
		{"the instance is another", func(_ *root, p *command.Placement) { p.UID = "uid-before" }, candor.ReasonConflict, false},
		{"no instance", func(_ *root, p *command.Placement) { p.Ref.Kind = widgets }, candor.ReasonInvalid, false},
		{"the instance changed", func(r *root, _ *command.Placement) {
			r.update(instanceRef("web-0"), func(o *candor.Object) { o.Metadata.Labels = map[string]string{"a": "b"} })
		}, candor.ReasonConflict, true},
		{"the instance is placed", func(r *root, _ *command.Placement) { r.place(r.proposal("web-0", "w2")) }, candor.ReasonConflict, false},
		{"the instance has ended", func(r *root, p *command.Placement) {
			r.mustWrite(status(instanceRef("web-0"), `{"phase":"Failed"}`))
			p.ResourceVersion = r.get(instanceRef("web-0")).Metadata.ResourceVersion
		}, candor.ReasonConflict, false},
		{"the instance is terminating", func(r *root, p *command.Placement) {
			r.update(instanceRef("web-0"), func(o *candor.Object) { o.Metadata.Finalizers = []string{"test/hold"} })
			r.mustWrite(remove(candor.KindInstances, "default", "web-0", ""))
			p.ResourceVersion = r.get(instanceRef("web-0")).Metadata.ResourceVersion
		}, candor.ReasonConflict, true},
		{"the node is gone", func(r *root, _ *command.Placement) { r.mustWrite(remove(candor.KindNodes, "", "w1", "")) }, candor.ReasonNodeUnavailable, true},
		{"the node is another", func(_ *root, p *command.Placement) { p.NodeUID = "uid-before" }, candor.ReasonNodeUnavailable, true},
		{"the node is terminating", func(r *root, _ *command.Placement) {
			r.update(nodeRef("w1"), func(o *candor.Object) { o.Metadata.Finalizers = []string{"test/hold"} })
			r.mustWrite(remove(candor.KindNodes, "", "w1", ""))
		}, candor.ReasonNodeUnavailable, true},
		{"the node is unschedulable", func(r *root, _ *command.Placement) { edit(r, nodeRef("w1"), `{"unschedulable":true}`) }, candor.ReasonNodeUnavailable, true},
		{"the node is drained", func(r *root, _ *command.Placement) { edit(r, nodeRef("w1"), `{"drain": true}`) }, candor.ReasonNodeUnavailable, true},
		{"the node is not ready", func(r *root, _ *command.Placement) {
			r.mustWrite(status(nodeRef("w1"), strings.Replace(isReady, "True", "Unknown", 1)))
		}, candor.ReasonNodeUnavailable, true},
		{"the node was never judged", func(r *root, _ *command.Placement) { r.mustWrite(status(nodeRef("w1"), `{}`)) }, candor.ReasonNodeUnavailable, true},
		{"the node shrank", func(r *root, _ *command.Placement) {
			r.mustWrite(observe(nodeRef("w1"), `{"capacity":{"cpu":"1","memory":"8Gi"},"session":"s-w1"}`))
		}, candor.ReasonCapacityExceeded, true},
		{"the decision is no JSON", func(_ *root, p *command.Placement) { p.Decision = []byte(`{"id":}`) }, candor.ReasonInvalid, false},
		{"there is no decision", func(_ *root, p *command.Placement) { p.Decision = nil }, candor.ReasonInvalid, false},
	} {
		t.Run(row.what, func(t *testing.T) {
			r := fleet(t, "w1", "w2")
			r.mustWrite(createInstance("web-0", `{"cpu":2}`), createInstance("web-1", `{"cpu":2}`))
			p, fine := r.proposal("web-0", "w1"), r.proposal("web-1", "w2")
			row.change(r, &p)
			before := r.get(instanceRef("web-0"))
			res := r.place(p, fine)
			if len(res.Items) != 2 || res.Items[0].Reason != row.reason || res.Items[0].Message == "" || res.Items[1].Reason != "" {
				t.Fatalf("items %+v", res.Items)
			}
			if s := r.statusOf("web-1"); s.Node != "w2" {
				t.Errorf("the other item: %+v", s)
			}
			after := r.get(instanceRef("web-0"))
			if !row.recorded {
				if before != nil && after.Metadata.ResourceVersion != before.Metadata.ResourceVersion {
					t.Fatalf("it was recorded: %s", after.Status)
				}
				return
			}
			s := r.statusOf("web-0")
			scheduled := s.Conditions.Get(candor.ConditionScheduled)
			if s.Phase != candor.InstancePending || s.Node != "" || s.Decision.Verdict != candor.VerdictRefused || s.Decision.Refusal != string(row.reason) ||
				scheduled == nil || scheduled.Status != candor.ConditionFalse || scheduled.Reason != candor.WhyRefused || scheduled.Message != res.Items[0].Message {
				t.Errorf("recorded %s", after.Status)
			}
			if after.Cause.Reason != "REFUSED" {
				t.Errorf("cause %+v", after.Cause)
			}
			wantSame(t, "replayed", r.m, r.replayed())
		})
	}
}

func TestItemsAreJudgedInOrder(t *testing.T) {
	r := fleet(t, "w1")
	var items []command.Placement
	for i := range 6 {
		r.mustWrite(createInstance(fmt.Sprintf("web-%d", i), `{"cpu":"1500m"}`))
		items = append(items, r.proposal(fmt.Sprintf("web-%d", i), "w1"))
	}
	items = append(items, items[0])
	res := r.place(items...)
	for i, want := range []candor.Reason{"", "", candor.ReasonCapacityExceeded, candor.ReasonCapacityExceeded, candor.ReasonCapacityExceeded, candor.ReasonCapacityExceeded, candor.ReasonConflict} {
		if res.Items[i].Reason != want {
			t.Errorf("item %d: %+v, want %q", i, res.Items[i], want)
		}
	}
	if a := r.m.View().Held("w1", "uid--w1"); a.Instances != 2 || a.Held.String() != "cpu 3" {
		t.Errorf("held %+v", a)
	}
	// An end frees what it held, and so does the removal of what has not ended.
	r.mustWrite(status(instanceRef("web-0"), `{"phase":"Succeeded","node":"w1","nodeUID":"uid--w1"}`))
	r.update(instanceRef("web-1"), func(o *candor.Object) { o.Metadata.Finalizers = nil })
	r.mustWrite(remove(candor.KindInstances, "default", "web-1", ""))
	if a := r.m.View().Held("w1", "uid--w1"); a.Instances != 0 || a.Held != nil {
		t.Errorf("held after all ended: %+v", a)
	}
	if res := r.place(r.proposal("web-2", "w1"), r.proposal("web-3", "w1")); res.Items[0].Reason != "" || res.Items[1].Reason != "" {
		t.Errorf("the freed place: %+v", res.Items)
	}
}

// What a turn cannot write any more is refused item by item: the others stand.
func TestABatchThatIsTooLargeIsPlacedInPart(t *testing.T) {
	r := fleet(t, "w1")
	var items []command.Placement
	for i := range 20 {
		name := fmt.Sprintf("web-%02d", i)
		op := createInstance(name, `{}`)
		op.Object.Spec = []byte(`{"command":["x","` + strings.Repeat("y", 250_000) + `"]}`)
		r.mustWrite(op)
		items = append(items, r.proposal(name, "w1"))
	}
	res := r.place(items...)
	placed := r.m.View().Held("w1", "uid--w1").Instances
	for i := range items {
		switch want := candor.ReasonTurnTooLarge; {
		case i < placed && res.Items[i].Reason != "", i >= placed && res.Items[i].Reason != want:
			t.Errorf("%d were placed, and item %d: %+v", placed, i, res.Items[i])
		}
	}
	if placed < 10 || placed == len(items) {
		t.Errorf("%d of %d were placed", placed, len(items))
	}
	wantCounted(t, r.m)
}

func TestADecisionWithoutAPlaceIsRecorded(t *testing.T) {
	r := fleet(t, "w1")
	r.mustWrite(createInstance("web-0", `{}`), createInstance("web-1", `{}`))
	nominated := r.proposal("web-1", "")
	nominated.Nominated = "w1"
	r.place(r.proposal("web-0", ""), nominated)
	for name, want := range map[string]struct {
		verdict        candor.Verdict
		why, nominated string
	}{"web-0": {candor.VerdictNothingFits, candor.WhyNothingFits, ""}, "web-1": {candor.VerdictNominated, candor.WhyNominated, "w1"}} {
		s := r.statusOf(name)
		if c := s.Conditions.Get(candor.ConditionScheduled); s.Decision.Verdict != want.verdict || c.Status != candor.ConditionFalse || c.Reason != want.why || s.Nominated != want.nominated || s.Phase != candor.InstancePending {
			t.Errorf("%s: %+v", name, s)
		}
	}
	// What moved on since is decided anew, and the older decision is not recorded over it.
	late := r.proposal("web-0", "")
	late.ResourceVersion--
	if res := r.place(late); res.Items[0].Reason != candor.ReasonConflict || res.Changed {
		t.Errorf("a late decision: %+v", res)
	}
	// A change of verdict keeps the time at which the condition took its status.
	since := r.statusOf("web-0").Conditions.Get(candor.ConditionScheduled).LastTransitionTime
	again := r.proposal("web-0", "")
	again.Nominated = "w1"
	r.place(again)
	if c := r.statusOf("web-0").Conditions.Get(candor.ConditionScheduled); !c.LastTransitionTime.Equal(since) || c.Reason != candor.WhyNominated {
		t.Errorf("condition %+v, since %s", c, since)
	}
}

func TestOnlyTheDutyPlacesAndWithinBounds(t *testing.T) {
	r := fleet(t, "w1")
	r.hold(tenure.DutyJanitor)
	r.mustWrite(createInstance("web-0", `{}`))
	refused := func(what string, c *command.Command, want candor.Reason) {
		t.Helper()
		if res := r.do(c); res.Reason != want || res.Items != nil {
			t.Errorf("%s: %+v, want %s", what, res, want)
		}
	}
	c := r.placement(r.proposal("web-0", "w1"))
	c.Duty = tenure.DutyJanitor
	refused("another duty", c, candor.ReasonForbidden)
	c = r.placement(r.proposal("web-0", "w1"))
	c.Duty, c.Era, c.Holder = "", 0, ""
	refused("no duty", c, candor.ReasonForbidden)
	c = r.placement(r.proposal("web-0", "w1"))
	c.Era = 2
	refused("another era", c, candor.ReasonNotFound)
	refused("a batch too large", r.placement(make([]command.Placement, command.MaxPlacements+1)...), candor.ReasonInvalid)
	if r.get(instanceRef("web-0")).Status != nil {
		t.Error("something was written")
	}
}

// What a request was answered first it is answered again, item by item.
func TestARepeatedPlacementIsAnsweredAgain(t *testing.T) {
	r := fleet(t, "w1")
	r.mustWrite(createInstance("web-0", `{"cpu":3}`), createInstance("web-1", `{"cpu":3}`))
	gone := r.proposal("web-2", "w1")
	c := r.placement(r.proposal("web-0", "w1"), r.proposal("web-1", "w1"), gone)
	c.RequestID, c.NotAfter, c.Digest = "p-1", r.time+5e9, 1
	first, again := r.do(c), r.do(c)
	if !again.Replayed || again.Revision != first.Revision || len(again.Items) != 3 {
		t.Fatalf("again %+v", again)
	}
	if again.Items[0].Reason != "" || again.Items[1].Reason != candor.ReasonCapacityExceeded || again.Items[2].Reason == "" {
		t.Errorf("items %+v, first %+v", again.Items, first.Items)
	}
	// The form that goes between servers keeps them.
	read, err := DecodeResult(AppendResult(nil, &first, r.m.View()), r.m.View())
	if err != nil || !slices.Equal(read.Items, first.Items) {
		t.Errorf("decoded %+v, %v", read.Items, err)
	}
}

// Whoever writes, and whatever rights they have: a place is the placing turn's.
func TestNobodyElseGivesOrTakesAPlace(t *testing.T) {
	const there = `"node":"w1","nodeUID":"uid--w1"`
	for _, row := range []struct {
		what   string
		write  func(*root) Result
		reason candor.Reason
	}{
		{"a status sets a node", func(r *root) Result {
			return r.write(status(instanceRef("waiting"), `{"phase":"Placed",`+there+`}`))
		}, candor.ReasonSectionForbidden},
		{"a status changes the node", func(r *root) Result {
			return r.write(status(instanceRef("placed"), `{"phase":"Placed","node":"w2","nodeUID":"uid--w2"}`))
		}, candor.ReasonSectionForbidden},
		{"a status drops the node", func(r *root) Result { return r.write(status(instanceRef("placed"), `{"phase":"Pending"}`)) }, candor.ReasonSectionForbidden},
		{"a status is dropped", func(r *root) Result { return r.write(status(instanceRef("placed"), ``)) }, candor.ReasonSectionForbidden},
		{"a place waits", func(r *root) Result {
			return r.write(status(instanceRef("placed"), `{"phase":"Pending",`+there+`}`))
		}, candor.ReasonInvalid},
		{"placed nowhere", func(r *root) Result { return r.write(status(instanceRef("waiting"), `{"phase":"Placed"}`)) }, candor.ReasonInvalid},
		{"an end is taken back", func(r *root) Result {
			return r.write(status(instanceRef("ended"), `{"phase":"Placed",`+there+`}`))
		}, candor.ReasonInvalid},
		{"a node behind an escape", func(r *root) Result {
			return r.write(status(instanceRef("waiting"), `{"phase":"Placed","nod\u0065":"w1","nodeUID":"uid--w1"}`))
		}, candor.ReasonInvalid},
		{"an unknown phase", func(r *root) Result { return r.write(status(instanceRef("waiting"), `{"phase":"Flying"}`)) }, candor.ReasonInvalid},
		{"a label says a node", func(r *root) Result {
			return r.update(instanceRef("waiting"), func(o *candor.Object) { o.Metadata.Labels = map[string]string{candor.LabelNode: "w1"} })
		}, candor.ReasonSectionForbidden},
		{"a label is dropped", func(r *root) Result {
			return r.update(instanceRef("placed"), func(o *candor.Object) { o.Metadata.Labels = nil })
		}, candor.ReasonSectionForbidden},
		{"born with a label", func(r *root) Result {
			op := createInstance("new", `{}`)
			op.Object.Metadata.Labels = map[string]string{candor.LabelNode: "w1"}
			return r.write(op)
		}, candor.ReasonSectionForbidden},
		{"it asks for more at its place", func(r *root) Result {
			return r.update(instanceRef("placed"), func(o *candor.Object) { o.Spec = []byte(`{"command":["x"],"resources":{"cpu":"3"}}`) })
		}, candor.ReasonInvalid},
		{"it ends", func(r *root) Result {
			return r.write(status(instanceRef("placed"), `{"phase":"Lost",`+there+`}`))
		}, ""},
		{"it asks for more while it waits", func(r *root) Result {
			return r.update(instanceRef("waiting"), func(o *candor.Object) { o.Spec = []byte(`{"command":["x"],"resources":{"cpu":"3"}}`) })
		}, ""},
		{"its command changes", func(r *root) Result {
			return r.update(instanceRef("placed"), func(o *candor.Object) { o.Spec = []byte(`{"command":["y"],"resources":{"cpu":"1000m"}}`) })
		}, ""},
	} {
		t.Run(row.what, func(t *testing.T) {
			r := fleet(t, "w1", "w2")
			for _, name := range []string{"waiting", "placed", "ended"} {
				r.mustWrite(createInstance(name, `{"cpu":1}`))
			}
			r.place(r.proposal("placed", "w1"), r.proposal("ended", "w1"))
			r.mustWrite(status(instanceRef("ended"), `{"phase":"Failed",`+there+`}`))
			if res := row.write(r); res.Reason != row.reason {
				t.Errorf("%+v, want %q", res, row.reason)
			}
			wantCounted(t, r.m)
		})
	}
}

// What no turn could count is refused before it counts.
func TestQuantitiesThatNobodyCanCountAreRefused(t *testing.T) {
	r := fleet(t, "w1")
	workload := func(template string) command.Operation {
		return command.Operation{Verb: command.VerbCreate, Kind: candor.KindWorkloads, Object: object("Workload", "default", "web", `{"replicas":1,"template":`+template+`}`)}
	}
	for _, op := range []command.Operation{
		createInstance("a", `{"cpu":"-1"}`), createInstance("a", `{"cpu":"9223372036854775807"}`), createInstance("a", `{"memory":"16Ei"}`),
		createInstance("a", `{"cpu":"0.0001"}`), createInstance("a", `{"c\u0070u":"1"}`), createInstance("a", `{"cpu":1,"cpu":2}`), createInstance("a", `[]`),
		workload(`{"resources":{"memory":"16Ei"}}`), workload(`{"resources":{"gpu":"0.5"}}`),
		observe(nodeRef("w1"), `{"capacity":{"cpu":"-4"},"session":"s"}`), observe(nodeRef("w1"), `{"capacity":{},"session":"\u0041"}`),
		observe(nodeRef("w1"), `{"capacity":{},"session":"`+strings.Repeat("x", 200)+`"}`), observe(nodeRef("w1"), `{"c\u0061pacity":{}}`),
	} {
		if res := r.write(op); res.Reason != candor.ReasonInvalid {
			t.Errorf("%+v %s: %+v", op.Object, op.Payload, res)
		}
	}
	r.mustWrite(createInstance("a", `{"cpu":0,"gpu":"2","memory":"1.5Gi"}`), workload(`{"resources":{"cpu":"250m"}}`))
}

func TestFindingsAreTheVerifiersAlone(t *testing.T) {
	r := newRoot(t)
	r.hold(tenure.DutyVerify)
	op := command.Operation{Verb: command.VerbCreate, Kind: candor.KindFindings, Object: object("Finding", "", "f1", `{}`)}
	if res := r.write(op); res.Reason != candor.ReasonForbidden {
		t.Errorf("a client: %+v", res)
	}
	for _, op := range []command.Operation{op, status(candor.Ref{Kind: candor.KindFindings, Name: "f1"}, `{"open":true}`)} {
		c := r.writeCommand(op)
		c.Actor, c.Duty, c.Era, c.Holder = candor.ActorSystem, tenure.DutyVerify, 1, executor
		if err := new(r.do(c)).Err(); err != nil {
			t.Error(err)
		}
	}
	if res := r.write(remove(candor.KindFindings, "", "f1", "")); res.Reason != candor.ReasonForbidden {
		t.Errorf("a client deletes: %+v", res)
	}
}

// restored is a machine with the snapshot of another.
func restored(t testing.TB, m *Machine) *Machine {
	t.Helper()
	out := New(Config{ClusterID: "c1"})
	if err := out.Restore(bytes.NewReader(snapshotOf(t, m))); err != nil {
		t.Fatal(err)
	}
	return out
}
