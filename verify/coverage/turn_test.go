package coverage

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/verify/replay"
)

func TestTheStepsOfADutyAreReadOffTheRoot(t *testing.T) {
	r := newRoot(t)
	const duty = tenure.DutyIDs
	r.lead("s1")
	r.must(r.campaign(duty, server))
	r.shows("duty", "NEVER_HELD->HELD:campaign")
	renew := func(era uint64) tenure.Event { return tenure.Renew{Era: era, Holder: server} }
	r.must(r.current(duty, server, renew))
	r.must(r.current(duty, server, func(era uint64) tenure.Event {
		return tenure.Reserve{Era: era, Holder: server, Bound: tenure.Frontiers{ID: 100}}
	}))
	r.shows("duty", "HELD->HELD:renew", "HELD->HELD:reserve")
	r.expire()
	r.must(r.current(duty, server, renew))
	r.shows("duty", "HELD->EXPIRED:time", "EXPIRED->HELD:renew")
	r.must(r.current(duty, server, func(era uint64) tenure.Event { return tenure.Seal{Era: era, Holder: server, To: other} }))
	r.must(r.campaign(duty, other))
	r.shows("duty era", "duty/HELD->KEPT:handover", "era/ACTIVE->SEALED:seal", "duty/KEPT->HELD:succeed", "era/ABSENT->ACTIVE:campaign")
	r.expire()
	r.must(r.campaign(duty, server))
	r.shows("duty era", "duty/HELD->EXPIRED:time", "duty/EXPIRED->HELD:takeover", "era/ACTIVE->SEALED_BY_ANOTHER:takeover", "era/ABSENT->ACTIVE:campaign")
	for pending := r.lineage(duty).Pending(server); pending != nil; pending = r.lineage(duty).Pending(server) {
		r.must(command.Tenure(duty, server, pending))
	}
	r.shows("duty era", "era/SEALED->CONFIRMED:confirm", "era/CONFIRMED->CLOSED:close", "era/SEALED_BY_ANOTHER->CONFIRMED:confirm", "era/CONFIRMED->CLOSED:close")
	r.must(r.current(duty, server, func(era uint64) tenure.Event {
		return tenure.Release{Era: era, Holder: server, Usage: r.lineage(duty).Current.Start}
	}))
	r.must(r.current(duty, server, func(era uint64) tenure.Event {
		return tenure.Reattach{Era: era, Holder: server, Candidacy: "back", Cite: r.lineage(duty).Current.Seal}
	}))
	r.shows("duty era", "duty/HELD->RELEASED:release", "era/ACTIVE->CLOSED:release", "duty/RELEASED->HELD:reattach", "era/CLOSED->REATTACHED:reattach", "era/ABSENT->ACTIVE:reattach")
	// Another term: a fenced duty is the new leader's to take.
	r.lead("s2")
	r.must(r.campaign(duty, other))
	r.shows("duty", "HELD->HELD:takeover")
}

// What several turns of one entry made is seen turn by turn.
func TestTurnsThatShareAnEntryAreSeenOneByOne(t *testing.T) {
	r := newRoot(t)
	r.lead("s1")
	const duty = tenure.DutyIDs
	r.must(
		r.campaign(duty, server),
		command.Tenure(duty, server, tenure.Seal{Era: 1, Holder: server}),
	)
	r.shows("duty era", "duty/NEVER_HELD->HELD:campaign", "era/ABSENT->ACTIVE:campaign", "duty/HELD->SEALED:seal", "era/ACTIVE->SEALED:seal")
}

func TestAStartThatFollowsManyUnfinishedErasClosesTheOldest(t *testing.T) {
	r := newRoot(t)
	r.lead("s1")
	for range tenure.MaxUnfinished + 1 {
		r.must(r.campaign(tenure.DutyIDs, server))
	}
	r.steps = nil
	r.must(r.campaign(tenure.DutyIDs, server))
	r.shows("era", "SEALED_BY_ANOTHER->CLOSED:overflow", "ACTIVE->SEALED_BY_ANOTHER:takeover", "ABSENT->ACTIVE:campaign")
}

func TestTheStepsOfMembersAndTransitionsAreReadOffTheRoot(t *testing.T) {
	r := newRoot(t)
	plan := func(kind transition.Kind, target string, deadline int64) *command.Command {
		return command.Plan(&transition.Plan{
			Kind: kind, Target: target, Intent: transition.Membership{Address: map[transition.Kind]string{transition.MemberAdd: "c"}[kind]}.Intent(), Source: r.m.View().Token(), Actor: "ana", Deadline: deadline,
		}, "")
	}
	pending := func(kind transition.Kind, target string) *transition.Plan {
		for _, x := range r.m.View().PendingTransitions(kind, 10) {
			if x.Plan.Target == target {
				return &x.Plan
			}
		}
		t.Fatalf("no %s of %s pends", kind, target)
		return nil
	}
	r.members("S1@a", "S2@b")
	r.lead("s1")
	r.shows("member leadership", "member/ABSENT->VOTER:form", "member/ABSENT->VOTER:form", "leadership/FOLLOWS->LEADS:elect")
	r.must(plan(transition.MemberAdd, "s3", 0))
	r.members("S1@a", "S2@b", "s3@c")
	r.lead("s1")
	r.shows("member transition leadership", "transition/ABSENT->PLANNED:plan", "member/ABSENT->NON_VOTER:add", "transition/PLANNED->PUBLISHED:publish", "leadership/LEADS->LEADS:elect")
	r.members("S1@a", "S2@b", "s3@elsewhere")
	r.members("S1@a", "S2@b", "S3@elsewhere")
	r.shows("member", "NON_VOTER->NON_VOTER:move", "NON_VOTER->VOTER:promote")

	r.must(r.campaign(tenure.DutyTopology, server))
	r.must(plan(transition.MemberRemove, "s3", 0))
	removal := pending(transition.MemberRemove, "s3")
	r.members("S1@a", "S2@b")
	report := &transition.Journal{Times: transition.Times{Admitted: r.time, Executing: r.time, Applied: r.time}}
	r.must(command.End(tenure.DutyTopology, 1, server, removal, transition.PhasePublished, report))
	r.members("S1@a", "S2@b", "s3@c")
	r.shows("member transition", "transition/ABSENT->PLANNED:plan", "member/VOTER->REMOVED:remove",
		"transition/PLANNED->ADMITTED:admit", "transition/ADMITTED->EXECUTING:execute", "transition/EXECUTING->APPLIED:apply", "transition/APPLIED->PUBLISHED:publish",
		"member/REMOVED->NON_VOTER:add")

	r.must(plan(transition.LeaderTransfer, "s2", 0))
	r.lead("s2")
	r.members("S2@b", "s3@c")
	r.lead("s2")
	r.shows("leadership", "LEADS->FOLLOWS:depose", "FOLLOWS->LEADS:transfer", "LEADS->LEADS:elect")

	r.must(plan(transition.MemberPromote, "s3", r.time+int64(2e9)))
	late := pending(transition.MemberPromote, "s3")
	r.time += int64(3e9)
	r.must(command.Tick())
	r.must(command.Cancel("ana", late, "", ""))
	r.shows("transition", "ABSENT->PLANNED:plan", "PLANNED->STALLED:time", "STALLED->CANCELLED:cancel")

	r.must(r.campaign(tenure.DutyJanitor, other))
	r.time += int64(11 * 60 * 1e9)
	r.must(command.Tick())
	r.must(command.Dispose(tenure.DutyJanitor, 1, other, int64(10*60*1e9), late.ID()))
	r.shows("transition", "CANCELLED->GONE:dispose")
}

func TestTheStepsOfObjectsAreReadOffTheRoot(t *testing.T) {
	r := newRoot(t)
	kind := candor.Ref{Kind: candor.KindKinds, Name: string(widgets)}
	ref := func(name string) candor.Ref { return candor.Ref{Kind: widgets, Namespace: "default", Name: name} }
	r.lead("s1")
	r.must(r.create(kind, "Kind", `{"x":1}`, nil))
	a, b, c := ref("a"), ref("b"), ref("c")
	r.steps = nil
	r.must(r.create(a, "Widget", `{}`, nil))
	r.must(r.update(a, func(o *candor.Object) {
		o.Spec, o.Metadata.Labels = json.RawMessage(`{"n":1}`), map[string]string{"k": "v"}
	}))
	r.must(r.section(command.VerbUpdateStatus, a, `{"phase":"x"}`))
	r.must(r.section(command.VerbObserve, a, `{"seen":1}`))
	r.must(r.remove(a, ""))
	r.must(r.create(a, "Widget", `{}`, nil))
	r.shows("object", "ABSENT->LIVE:create", "LIVE->LIVE:spec", "LIVE->LIVE:metadata", "LIVE->LIVE:status", "LIVE->LIVE:observe", "LIVE->GONE:delete", "GONE->LIVE:create")

	r.must(r.create(b, "Widget", `{}`, func(o *candor.Object) { o.Metadata.Finalizers = []string{"one", "two"} }))
	r.must(r.remove(b, ""))
	r.must(r.update(b, func(o *candor.Object) { o.Metadata.Finalizers = []string{"two"} }))
	r.must(r.update(b, func(o *candor.Object) { o.Metadata.Finalizers = nil }))
	r.shows("object", "ABSENT->LIVE:create", "LIVE->TERMINATING:delete", "TERMINATING->TERMINATING:metadata", "TERMINATING->GONE:release")

	owned := func(o *candor.Object) {
		o.Metadata.Owners = []candor.OwnerReference{{Kind: widgets, Name: "a", UID: r.get(a).Metadata.UID, BlockOwnerDeletion: true}}
	}
	r.must(r.update(a, func(o *candor.Object) { o.Metadata.Finalizers = []string{"held"} }))
	r.must(r.create(c, "Widget", `{}`, owned))
	r.steps = nil
	r.must(r.remove(a, candor.PropagateForeground))
	r.cascades()
	r.must(r.update(a, func(o *candor.Object) { o.Metadata.Finalizers = nil }))
	r.shows("object", "LIVE->FOREGROUND:delete", "LIVE->GONE:delete", "FOREGROUND->TERMINATING:release", "TERMINATING->GONE:release")
}

func TestTheStepsOfPlacementsAreReadOffTheRoot(t *testing.T) {
	r := newRoot(t)
	node := candor.Ref{Kind: candor.KindNodes, Name: "w1"}
	workload := candor.Ref{Kind: candor.KindWorkloads, Namespace: "default", Name: "web"}
	instance := candor.Ref{Kind: candor.KindInstances, Namespace: "default", Name: "web-1"}
	r.lead("s1")
	r.must(r.campaign(tenure.DutySchedule, server))
	r.must(r.create(node, "Node", `{}`, nil))
	r.must(r.section(command.VerbObserve, node, `{"capacity":{"cpu":"4"},"session":"s"}`))
	const ready = `"conditions":[{"type":"Ready","status":"True","reason":"HeartbeatFresh"}]`
	r.must(r.section(command.VerbUpdateStatus, node, `{"phase":"Ready",`+ready+`}`))
	r.shows("node", "ABSENT->UNRECONCILED:register", "UNRECONCILED->Ready:hear")

	r.must(r.create(workload, "Workload", `{"replicas":1,"template":{"command":["x"]}}`, nil))
	r.must(r.section(command.VerbUpdateStatus, workload, `{"phase":"Progressing"}`))
	r.must(r.section(command.VerbUpdateStatus, workload, `{"phase":"Stalled"}`))
	r.shows("workload", "ABSENT->UNRECONCILED:create", "UNRECONCILED->Progressing:roll", "Progressing->Stalled:deadline")

	r.must(r.create(instance, "Instance", `{"command":["x"],"resources":{"cpu":"1"}}`, nil))
	place := func(where string) *command.Command {
		o := r.get(instance)
		p := command.Placement{
			Ref: instance, UID: o.Metadata.UID, ResourceVersion: o.Metadata.ResourceVersion, Node: where,
			Decision: []byte(`{"id":"d-1-0","instance":1,"verdict":"X","digest":"y"}`), Reason: "Found",
		}
		if where != "" {
			p.NodeUID = r.get(node).Metadata.UID
		}
		return command.Place(tenure.DutySchedule, 1, server, r.m.View().Token(), p)
	}
	r.must(place(""))
	r.must(place("w1"))
	r.must(r.section(command.VerbUpdateStatus, instance, ended(t, r.get(instance), candor.InstanceLost)))
	r.shows("instance", "ABSENT->UNRECONCILED:create", "UNRECONCILED->Pending:decide", "Pending->Placed:place", "Placed->Lost:lose")

	r.must(r.update(node, func(o *candor.Object) { o.Spec = json.RawMessage(`{"drain":true}`) }))
	r.must(r.section(command.VerbUpdateStatus, node, `{"phase":"Drained",`+ready+`}`))
	r.must(r.section(command.VerbUpdateStatus, node, `{"phase":"NotReady"}`))
	r.must(r.remove(node, ""))
	r.shows("node", "Ready->Cordoned:cordon", "Cordoned->Drained:empty", "Drained->NotReady:silence", "NotReady->GONE:delete")
}

func ended(t *testing.T, o *candor.Object, phase candor.InstancePhase) string {
	t.Helper()
	var status map[string]any
	if err := json.Unmarshal(o.Status, &status); err != nil {
		t.Fatal(err)
	}
	status["phase"] = phase
	text, err := json.Marshal(status)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheStepsOfAccessAndTokensAreReadOffTheRoot(t *testing.T) {
	r := newRoot(t)
	r.lead("s1")
	const hash = `"hash":"0000000000000000000000000000000000000000000000000000000000000000","expires":"2030-01-02T03:04:05Z"`
	plain, joins := candor.Ref{Kind: candor.KindTokens, Name: "t1"}, candor.Ref{Kind: candor.KindTokens, Name: "t2"}
	r.must(r.create(plain, "Token", `{"actor":"ana",`+hash+`}`, nil))
	r.must(r.create(joins, "Token", `{"actor":"ana","use":"join",`+hash+`}`, nil))
	r.must(r.section(command.VerbUpdateStatus, joins, `{"conditions":[{"type":"Spent","status":"True"}]}`))
	r.must(r.remove(joins, ""))
	r.must(r.remove(plain, ""))
	r.shows("token", "ABSENT->ISSUED:create", "ABSENT->JOINS:create", "JOINS->SPENT:spend", "SPENT->GONE:clear", "ISSUED->GONE:revoke")
	r.must(&command.Command{Type: command.TypeOpenAccess, Actor: candor.ActorSystem})
	r.must(&command.Command{Type: command.TypeOpenAccess, Actor: candor.ActorSystem, Epoch: 1})
	r.shows("access", "OFF->ON:open", "ON->ON:open")
}

func TestWhatBecameOfRequestsIsReadOffTheirResults(t *testing.T) {
	r := newRoot(t)
	r.lead("s1")
	r.must(r.create(candor.Ref{Kind: candor.KindKinds, Name: string(widgets)}, "Kind", `{"x":1}`, nil))
	request := func(id string, digest uint64, c *command.Command) *command.Command {
		c.RequestID, c.Digest, c.NotAfter = id, digest, r.time+int64(5e9)
		return c
	}
	make1 := request("r1", 1, r.create(candor.Ref{Kind: widgets, Namespace: "default", Name: "a"}, "Widget", `{}`, nil))
	r.entry(make1, make1)
	other := *make1
	other.Digest = 2
	r.entry(&other)
	r.entry(request("r2", 1, r.create(candor.Ref{Kind: widgets, Namespace: "default", Name: "a"}, "Widget", `{}`, nil)))
	r.time += int64(10e9)
	r.entry(make1)
	r.shows("request", "NEW->REMEMBERED:accept", "REMEMBERED->REMEMBERED:deduplicate", "REMEMBERED->REMEMBERED:reuse", "NEW->NEW:refuse", "NEW->NEW:expire", "REMEMBERED->FORGOTTEN:forget")
}

// Whatever production's machine does on these logs is declared.
func TestASightingOutsideWhatIsDeclaredFails(t *testing.T) {
	c := New()
	c.Add(Simulation, "seed 7 index 12", Sight{Of: "ids"})
	undeclared := Sight{Of: "ids"}
	undeclared.Lifecycle, undeclared.From, undeclared.To, undeclared.Event = "duty", "SEALED", "EXPIRED", "time"
	c.Add(Simulation, "seed 7 index 13", undeclared)
	s := c.Summary()
	if !s.Failed() || len(s.Outside) != 2 {
		t.Fatalf("outside: %+v", s.Outside)
	}
	if got := s.Outside[1]; got.Step != "duty/SEALED->EXPIRED:time" || got.First != "seed 7 index 13, ids" || got.Source != Simulation {
		t.Errorf("outside: %+v", got)
	}
}

// An entry that compacts past what it wrote itself is still seen whole, and a log that
// is replayed shows what it showed.
func TestAReplayShowsWhatWasSeenAtFirst(t *testing.T) {
	r := newRoot(t)
	r.lead("s1")
	kind := candor.Ref{Kind: candor.KindKinds, Name: string(widgets)}
	r.entry(r.create(kind, "Kind", `{"x":1}`, nil), command.Compact(r.m.View().Token().Revision+1))
	r.must(r.campaign(tenure.DutyIDs, server))
	r.expire()
	r.must(r.campaign(tenure.DutyIDs, other))
	live, again := New(), New()
	live.Add(Journal, "n1", r.all...)
	turns, err := again.Replay(t.Context(), Journal, shelf{r.log})
	if err != nil || turns != 5 {
		t.Errorf("%d turns (%v), want 5", turns, err)
	}
	if diff := cmp.Diff(live.Summary().Lifecycles, again.Summary().Lifecycles); diff != "" {
		t.Error(diff)
	}
	if s := again.Summary(); s.Failed() || s.Observations == 0 {
		t.Errorf("%+v", s)
	}
}

func TestALogThatNoMachineTakesIsAnErrorAndNamesTheEntry(t *testing.T) {
	r := newRoot(t)
	r.lead("s1")
	r.log = append(r.log, fsm.Committed{Term: 1, Index: 2, Data: []byte("damage")})
	_, err := New().Replay(t.Context(), Journal, shelf{r.log})
	if candor.ReasonOf(err) != candor.ReasonDataCorrupt || !strings.Contains(err.Error(), "n1: entry 2") {
		t.Errorf("got %v", err)
	}
}

// shelf is a log without snapshots.
type shelf struct{ log []fsm.Committed }

func (s shelf) Origin() replay.Origin {
	return replay.Origin{Name: "n1", First: 1, Last: uint64(len(s.log))}
}

func (s shelf) Snapshot(context.Context, string) (io.ReadCloser, error) { panic("it has none") }

func (s shelf) Entries(_ context.Context, from, to uint64) iter.Seq2[replay.Entry, error] {
	return func(yield func(replay.Entry, error) bool) {
		for _, c := range s.log {
			e := replay.Entry{Index: c.Index, Term: c.Term, Type: replay.Command, Data: c.Data}
			if c.Configuration {
				e.Type = replay.Configuration
			}
			for _, m := range c.Servers {
				e.Members = append(e.Members, replay.Member{ServerID: m.ID, Address: m.Address, Voter: m.Voter})
			}
			if c.Index >= from && c.Index <= to && !yield(e, nil) {
				return
			}
		}
	}
}
