package fsm

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	compare "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/policy"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
)

const executor = "server/s1"

// configured applies a configuration entry: a name is a voter, one in lower case is
// not.
func (r *root) configured(names ...string) {
	r.index++
	c := Committed{Term: 1, Index: r.index, Configuration: true}
	for _, n := range names {
		c.Servers = append(c.Servers, transition.Server{ID: strings.ToLower(n), Address: "a-" + strings.ToLower(n), Voter: strings.ToUpper(n) == n})
	}
	r.log = append(r.log, c)
	r.m.Apply([]Committed{c})
}

// change is a plan of ana's, who has read everything.
func (r *root) change(kind transition.Kind, target string, m transition.Membership) *transition.Plan {
	return &transition.Plan{Kind: kind, Target: target, Intent: m.Intent(), Source: r.m.View().Token(), Actor: "ana", Reason: "WANTED", Message: "because"}
}

// planned has a change planned, and is its plan as the root has it.
func (r *root) planned(kind transition.Kind, target string, m transition.Membership) *transition.Plan {
	r.t.Helper()
	res := r.do(command.Plan(r.change(kind, target, m), ""))
	if res.Err() != nil || res.Verdict == nil || res.Verdict.Phase != transition.PhasePlanned {
		r.t.Fatalf("planning %s of %s: %+v, %+v", kind, target, res, res.Verdict)
	}
	x := r.shown(res.Verdict.Standing)
	return &x.Plan
}

// pends is what is planned already, or is now.
func (r *root) pends(kind transition.Kind, target string) *transition.Plan {
	if x := r.m.View().Transition(kind, target); !x.Pending.IsZero() {
		return &r.shown(x.Pending.ID).Plan
	}
	return r.planned(kind, target, transition.Membership{})
}

func (r *root) shown(id string) *transition.Transition {
	r.t.Helper()
	o := r.get(candor.Ref{Kind: candor.KindTransitions, Name: id})
	if o == nil {
		return nil
	}
	x, err := transitionOf(o)
	if err != nil {
		r.t.Fatal(err)
	}
	return &x
}

func (r *root) hold(duty string) {
	r.t.Helper()
	r.mustTenure(duty, executor, campaign(executor, duty, r.lineage(duty)))
}

func (r *root) end(p *transition.Plan, phase transition.Phase) Result {
	return r.do(command.End(tenure.DutyTopology, 1, executor, p, phase, &transition.Journal{
		Times: transition.Times{Admitted: r.time, Executing: 1 << 62}, Outcome: transition.OutcomeFailed, Reason: candor.ReasonQuorumAtRisk, Message: "3 voters",
	}))
}

// TestATurnDoesWhatThePureFunctionSays, and an assessment, in the log or on a view,
// says so before and changes nothing: along every course of a few events, duplicated,
// late and out of order.
func TestATurnDoesWhatThePureFunctionSays(t *testing.T) {
	const depth = 3
	kind, target := transition.MemberAdd, "s4"
	here := transition.Membership{Address: "a-s4"}
	there := transition.Membership{Address: "elsewhere"}
	events := func(r *root) map[string]*command.Command {
		out := map[string]*command.Command{
			"plan":        command.Plan(r.change(kind, target, here), ""),
			"plan other":  command.Plan(r.change(kind, target, there), ""),
			"plan, stale": command.Plan(r.change(kind, target, here), ""),
			"cancel any":  command.Cancel("ana", r.change(kind, target, here), "", ""),
			"comes":       nil,
			"goes":        nil,
		}
		out["plan, stale"].ReadToken = candor.Token{Term: 1, Index: 1, Revision: 1}
		for i, planned := range r.plans {
			p := r.change(kind, target, here)
			p.Revision = planned
			name := string(rune('1' + i))
			out["cancel "+name] = command.Cancel("ana", p, "", "")
			out["fail "+name] = command.End(tenure.DutyTopology, 1, executor, p, transition.PhaseFailed, &transition.Journal{})
			out["publish "+name] = command.End(tenure.DutyTopology, 1, executor, p, transition.PhasePublished, &transition.Journal{})
			assessed := *out["publish "+name]
			assessed.Transition.Expect = 1
			out["publish "+name+", expecting"] = &assessed
		}
		return out
	}
	verdicts := map[transition.Verdict]bool{}
	courses := 0
	var follow func(path []string)
	follow = func(path []string) {
		r := newRoot(t)
		r.configured("S1", "S2", "S3")
		r.hold(tenure.DutyTopology)
		for _, name := range path {
			c := events(r)[name]
			if c == nil {
				if r.configured("S1", "S2", "S3"); name == "comes" {
					r.configured("S1", "S2", "S3", "s4")
				}
				continue
			}
			view := r.m.View()
			entry := view.Transition(kind, target).Entry
			event := c.TransitionEvent()
			m := here
			if strings.HasSuffix(name, "other") {
				m = there
			}
			facts := transition.Facts{Entry: entry, Satisfied: transition.Satisfied(kind, target, m, view.Configuration())}
			want, verdict := transition.Publish(facts, event, view.Token().Revision+1)
			asked := *c
			asked.Transition.Assess = true
			dry, logged := view.DryRun(c, 0), r.do(&asked)
			if logged.Changed || r.m.View().Transition(kind, target).Entry != entry || r.m.View().Token().Revision != view.Token().Revision {
				t.Fatalf("%q: an assessment changed the root", path)
			}
			if a := transition.Assess(facts, event); *dry.Verdict != *logged.Verdict || logged.Verdict.Action != a.Action || logged.Verdict.Situation != a.Situation || logged.Err() != nil {
				t.Fatalf("%q: assessed %+v in the log, %+v on a view, want %+v", path, logged.Verdict, dry.Verdict, a)
			}
			res := r.do(c)
			if *res.Verdict != verdict || r.m.View().Transition(kind, target).Entry != want || (res.Err() != nil) != (verdict.Action == transition.ActionRefuse) {
				t.Fatalf("%q: %+v, %v, entry %+v; want %+v, %+v", path, res.Verdict, res.Err(), r.m.View().Transition(kind, target).Entry, verdict, want)
			}
			if r.m.View().Stats().Violations != 0 || r.m.View().Stats().Faults != 0 {
				t.Fatalf("%q: %+v", path, r.m.View().Records())
			}
			verdict.Standing, verdict.Why = "", ""
			verdicts[verdict] = true
			if event.Type == transition.EventPlan && verdict.Action == transition.ActionApply {
				r.plans = append(r.plans, want.Pending.Planned)
			}
		}
		courses++
		if len(path) == depth {
			return
		}
		names := []string{}
		for name := range events(r) {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			follow(append(slices.Clone(path), name))
		}
	}
	follow(nil)
	t.Logf("%d courses, %d different verdicts", courses, len(verdicts))
	if len(verdicts) < 10 {
		t.Errorf("only %d verdicts: %v", len(verdicts), verdicts)
	}
}

// TestATransitionIsAnObjectFromPlanToEnd.
func TestATransitionIsAnObjectFromPlanToEnd(t *testing.T) {
	r := newRoot(t)
	r.configured("S1", "S2", "S3")
	r.hold(tenure.DutyTopology)
	want := r.change(transition.MemberRemove, "s3", transition.Membership{Force: true})
	want.Deadline, want.PhaseLimit, want.Configuration, want.Retry, want.Parent = r.time+1e9, 5, r.index-1, candor.RetryLater, "member-replace-0"
	res := r.do(command.Plan(want, ""))
	if err := res.Err(); err != nil {
		t.Fatal(err)
	}
	got := r.shown(res.Verdict.Standing)
	want.Revision, want.PlannedAt = res.Revision, r.time
	if diff := compare.Diff(*want, got.Plan); diff != "" || got.Plan.ID() != res.Verdict.Standing {
		t.Errorf("planned %s, (-want +got):\n%s", got.Plan.ID(), diff)
	}
	if pending := r.m.View().PendingTransitions("", 10); len(pending) != 1 || pending[0].Status.Phase != transition.PhasePlanned {
		t.Errorf("pending: %+v", pending)
	}
	ended := r.end(&got.Plan, transition.PhaseFailed)
	if err := ended.Err(); err != nil {
		t.Fatal(err)
	}
	status := transition.Status{
		Phase: transition.PhaseFailed, Revision: ended.Revision, Executor: executor, Outcome: transition.OutcomeFailed, Publish: transition.PublishDone,
		Reason: candor.ReasonQuorumAtRisk, Message: "3 voters",
		// The executor's clock cannot be ahead of the root's.
		Times: transition.Times{Planned: want.PlannedAt, Admitted: r.time - 1e6, Executing: r.time, Ended: r.time},
	}
	if diff := compare.Diff(status, r.shown(res.Verdict.Standing).Status); diff != "" {
		t.Errorf("ended, (-want +got):\n%s", diff)
	}
	if o := r.get(candor.Ref{Kind: candor.KindTransitions, Name: got.Plan.ID()}); o.Cause.Duty != tenure.DutyTopology || o.Metadata.Generation != 1 {
		t.Errorf("the end's version: %+v, cause %+v", o.Metadata, o.Cause)
	}
	if pending := r.m.View().PendingTransitions("", 10); len(pending) != 0 {
		t.Errorf("pending after the end: %+v", pending)
	}
}

// TestTheRootEndsWhatItShows: a configuration entry makes no revision, and with the
// next turn of transitions, or the next leader's first, the objects say what it showed.
func TestTheRootEndsWhatItShows(t *testing.T) {
	for name, settle := range map[string]func(*root){
		"the next leader": func(r *root) { r.do(command.LeaderStart(1, "s2")) },
		"the next plan":   func(r *root) { r.planned(transition.MemberRemove, "s1", transition.Membership{}) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoot(t)
			r.configured("S1", "S2", "S3")
			add := r.planned(transition.MemberAdd, "s4", transition.Membership{Address: "a-s4"})
			promote := r.planned(transition.MemberPromote, "s4", transition.Membership{})
			remove := r.planned(transition.MemberRemove, "s3", transition.Membership{})
			before := r.m.View()
			r.configured("S1", "S2", "S3", "s4")
			if v := r.m.View(); v.Token().Revision != before.Token().Revision || v.Digest() == before.Digest() || v.Transition(add.Kind, "s4").Pending.Shown != r.index {
				t.Fatalf("after the configuration: %s, entry %+v", v.Token(), v.Transition(add.Kind, "s4"))
			}
			r.configured("S1", "S2", "S4")
			// It is gone again; that it was there stays true.
			r.configured("S1", "S2")
			at := r.m.View().Token().Revision
			settle(r)
			for _, p := range []*transition.Plan{add, promote, remove} {
				x := r.shown(p.ID())
				o := r.get(candor.Ref{Kind: candor.KindTransitions, Name: p.ID()})
				if x.Status.Phase != transition.PhasePublished || x.Status.Revision != at+1 || o.Cause.Actor != candor.ActorSystem || o.Cause.Reason != "SHOWN" {
					t.Errorf("%s: %+v, cause %+v", p.ID(), x.Status, o.Cause)
				}
			}
			at = r.m.View().Token().Revision
			if res := r.do(command.LeaderStart(1, "s2")); res.Changed || r.m.View().Token().Revision != at {
				t.Errorf("what is settled was settled again: %+v", res)
			}
			wantSame(t, "replayed", r.m, r.replayed())
		})
	}
}

// TestALeaderTransferIsShownByTheFirstCommandOfItsTarget, in that very turn.
func TestALeaderTransferIsShownByTheFirstCommandOfItsTarget(t *testing.T) {
	r := newRoot(t)
	r.configured("S1", "S2", "S3")
	if res := r.do(command.Plan(r.change(transition.LeaderTransfer, "s1", transition.Membership{}), "")); res.Verdict.Phase != transition.PhaseCompleted || res.Changed {
		t.Errorf("to who leads already: %+v", res.Verdict)
	}
	p := r.planned(transition.LeaderTransfer, "s2", transition.Membership{})
	r.do(command.LeaderStart(1, "s3"))
	if x := r.shown(p.ID()); x.Status.Phase != transition.PhasePlanned {
		t.Fatalf("another leads: %+v", x.Status)
	}
	if res := r.do(command.LeaderStart(1, "s2")); !res.Changed {
		t.Error("the leader's first command did not end the transfer")
	}
	if x := r.shown(p.ID()); x.Status.Phase != transition.PhasePublished {
		t.Errorf("it leads: %+v", x.Status)
	}
}

// TestNobodyEndsWhatIsNotTheirs.
func TestNobodyEndsWhatIsNotTheirs(t *testing.T) {
	r := newRoot(t)
	r.configured("S1", "S2", "S3")
	r.hold(tenure.DutyTopology)
	r.hold(tenure.DutyJanitor)
	p := r.planned(transition.MemberRemove, "s3", transition.Membership{})
	unfenced := command.End("", 0, "", p, transition.PhaseFailed, &transition.Journal{})
	unfenced.Actor = "ana"
	plain := r.change("place", "x", transition.Membership{})
	made := r.change(transition.MemberRemove, "s2", transition.Membership{})
	made.Configuration = 1 << 40
	spaced := r.change(transition.MemberRemove, "s2", transition.Membership{})
	spaced.Intent = []byte(`{ }`)
	for name, row := range map[string]struct {
		command *command.Command
		reason  candor.Reason
	}{
		"no tenure":             {unfenced, candor.ReasonForbidden},
		"another duty":          {command.End(tenure.DutyJanitor, 1, executor, p, transition.PhaseFailed, &transition.Journal{}), candor.ReasonForbidden},
		"another era":           {command.End(tenure.DutyTopology, 2, executor, p, transition.PhaseFailed, &transition.Journal{}), candor.ReasonNotFound},
		"another holder":        {command.End(tenure.DutyTopology, 1, "server/s2", p, transition.PhaseFailed, &transition.Journal{}), candor.ReasonForbidden},
		"no such success":       {command.End(tenure.DutyTopology, 1, executor, p, transition.PhasePublished, &transition.Journal{}), candor.ReasonConflict},
		"a kind of duties":      {command.Plan(plain, ""), candor.ReasonForbidden},
		"other members":         {command.Plan(made, ""), candor.ReasonEpochMismatch},
		"no address":            {command.Plan(r.change(transition.MemberAdd, "s9", transition.Membership{}), ""), candor.ReasonInvalid},
		"replaced by itself":    {command.Plan(r.change(transition.MemberReplace, "s3", transition.Membership{With: "s3"}), ""), candor.ReasonInvalid},
		"another form":          {command.Plan(spaced, ""), candor.ReasonInvalid},
		"sweeping by anybody":   {command.Dispose("", 0, "", 1<<50, p.ID()), candor.ReasonForbidden},
		"sweeping too early":    {command.Dispose(tenure.DutyJanitor, 1, executor, 1, p.ID()), candor.ReasonInvalid},
		"an unknown verb":       {&command.Command{Type: command.TypeTransition, Actor: "ana"}, candor.ReasonInvalid},
		"written as an object":  {r.writeCommand(remove(candor.KindTransitions, "", p.ID(), "")), candor.ReasonForbidden},
		"a status of a client":  {r.writeCommand(command.Operation{Verb: command.VerbUpdateStatus, Kind: candor.KindTransitions, Name: p.ID(), Payload: []byte(`{}`)}), candor.ReasonForbidden},
		"planned in the future": {&command.Command{Type: command.TypeTransition, Actor: "ana", ReadToken: candor.Token{Term: 1, Index: 1, Revision: 1 << 40}, Transition: command.Plan(r.change(transition.MemberRemove, "s2", transition.Membership{}), "").Transition}, candor.ReasonInvalid},
	} {
		if res := r.do(row.command); res.Reason != row.reason || res.Changed {
			t.Errorf("%s: %+v", name, res)
		}
	}
	if x := r.shown(p.ID()); x.Status.Phase != transition.PhasePlanned {
		t.Errorf("it ended: %+v", x.Status)
	}
}

// TestPlanningTakesTheRight once access control is on.
func TestPlanningTakesTheRight(t *testing.T) {
	r := newRoot(t)
	r.configured("S1", "S2", "S3")
	r.mustWrite(
		command.Operation{Verb: command.VerbCreate, Kind: candor.KindRoles, Object: object("Role", "", "planner", `{"rules":[{"verbs":["delete"],"kinds":["system/members"]}]}`)},
		command.Operation{Verb: command.VerbCreate, Kind: candor.KindRoleBindings, Object: object("RoleBinding", "", "planner", `{"role":"planner","subjects":["ana"]}`)},
	)
	r.do(&command.Command{Type: command.TypeOpenAccess, Actor: "ana"})
	as := func(actor string, verified bool, c *command.Command) candor.Reason {
		c.Actor, c.Verified = actor, verified
		return r.do(c).Reason
	}
	plan := func() *command.Command {
		return command.Plan(r.change(transition.MemberRemove, "s3", transition.Membership{}), "")
	}
	assessed := plan()
	assessed.Transition.Assess = true
	for _, row := range []struct{ got, want candor.Reason }{
		{as("ana", false, plan()), candor.ReasonUnauthenticated},
		{as("bob", true, plan()), candor.ReasonForbidden},
		{as("ana", true, assessed), candor.ReasonForbidden},
		{as("ana", true, command.Plan(r.change(transition.LeaderTransfer, "s3", transition.Membership{}), "")), candor.ReasonForbidden},
		{as("ana", true, plan()), ""},
		{as("bob", true, command.Cancel("bob", r.change(transition.MemberRemove, "s3", transition.Membership{}), "", "")), candor.ReasonForbidden},
	} {
		if row.got != row.want {
			t.Errorf("%q, want %q", row.got, row.want)
		}
	}
	if !slices.Contains(policy.SystemKinds, policy.Transitions) {
		t.Error("no rule can name transitions")
	}
}

// TestEndedTransitionsGoAfterTheirTimeAndOthersNever.
func TestEndedTransitionsGoAfterTheirTimeAndOthersNever(t *testing.T) {
	r := newRoot(t)
	r.configured("S1", "S2", "S3")
	r.hold(tenure.DutyTopology)
	r.hold(tenure.DutyJanitor)
	pending := r.planned(transition.MemberRemove, "s2", transition.Membership{})
	first := r.planned(transition.MemberRemove, "s3", transition.Membership{})
	r.end(first, transition.PhaseFailed)
	newest := r.planned(transition.MemberRemove, "s3", transition.Membership{})
	r.end(newest, transition.PhaseFailed)
	sweep := func() Result {
		return r.do(command.Dispose(tenure.DutyJanitor, 1, executor, maxRequestAge, pending.ID(), first.ID(), first.ID(), newest.ID(), "no-such"))
	}
	if res := sweep(); res.Err() != nil || res.Changed || len(r.m.View().DisposableTransitions(maxRequestAge, 10)) != 0 {
		t.Fatalf("before their time: %+v", res)
	}
	r.time += maxRequestAge
	r.mustTenure(tenure.DutyJanitor, executor, tenure.Renew{Era: 1, Holder: executor})
	if ids := r.m.View().DisposableTransitions(maxRequestAge, 10); len(ids) != 2 {
		t.Fatalf("may go: %v", ids)
	}
	own := command.Dispose(tenure.DutyJanitor, 1, executor, maxRequestAge, r.m.View().DisposableTransitions(maxRequestAge, 1)...)
	if res := r.do(own); res.Err() != nil || len(res.Ops) != 1 {
		t.Fatalf("the first that the view names: %+v", res)
	}
	if res := sweep(); res.Err() != nil || len(res.Ops) != 1 {
		t.Fatalf("after their time: %+v", res)
	}
	if r.shown(pending.ID()) == nil || r.shown(first.ID()) != nil || r.shown(newest.ID()) != nil {
		t.Error("the wrong ones went")
	}
	if x := r.m.View().Transition(transition.MemberRemove, "s3"); !x.Ended.IsZero() || r.m.state.transitions.Len() != 1 {
		t.Errorf("the index holds %+v", x)
	}
	if res := r.end(newest, transition.PhaseFailed); res.Verdict.Phase != transition.PhaseAborted || res.Err() == nil {
		t.Errorf("a late end of one that is gone: %+v", res.Verdict)
	}
	wantSame(t, "replayed", r.m, r.replayed())
}

// TestTransitionsSurviveASnapshotAndAReplay to the bit.
func TestTransitionsSurviveASnapshotAndAReplay(t *testing.T) {
	r := newRoot(t)
	r.configured("S1", "S2", "s3")
	r.hold(tenure.DutyTopology)
	r.planned(transition.MemberAdd, "s4", transition.Membership{Address: "a-s4"})
	r.end(r.planned(transition.MemberRemove, "s2", transition.Membership{}), transition.PhaseFailed)
	r.planned(transition.MemberRemove, "s2", transition.Membership{Force: true})
	r.configured("S1", "S2", "s3", "s4")
	restored := New(Config{ClusterID: "c1"})
	if err := restored.Restore(bytes.NewReader(snapshotOf(t, r.m))); err != nil {
		t.Fatal(err)
	}
	rebuilt, err := r.m.Rebuild(bytes.NewReader(snapshotOf(t, r.m)))
	if err != nil {
		t.Fatal(err)
	}
	adopted := New(Config{ClusterID: "c1"})
	if err := adopted.Adopt(rebuilt, func(_, _ uint64) ([]Committed, error) { return nil, nil }); err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]*Machine{"restored": restored, "replayed": r.replayed(), "adopted": adopted} {
		wantSame(t, name, r.m, m)
		v, w := m.View(), r.m.View()
		if diff := compare.Diff(w.Configuration(), v.Configuration()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		for _, at := range [][2]string{{"member-add", "s4"}, {"member-remove", "s2"}, {"member-remove", "s9"}} {
			kind := transition.Kind(at[0])
			if diff := compare.Diff(w.Transition(kind, at[1]), v.Transition(kind, at[1])); diff != "" {
				t.Errorf("%s, %v: %s", name, at, diff)
			}
		}
	}
}

// TestANewClusterMakesNoMembershipChangeOfTheOldOnes.
func TestANewClusterMakesNoMembershipChangeOfTheOldOnes(t *testing.T) {
	r := newRoot(t)
	r.configured("S1", "S2", "S3")
	waits := r.planned(transition.MemberAdd, "s4", transition.Membership{Address: "a-s4"})
	happened := r.planned(transition.MemberRemove, "s3", transition.Membership{})
	r.configured("S1", "S2")
	var out bytes.Buffer
	servers := []transition.Server{{ID: "n1", Address: "a-n1", Voter: true}}
	if _, err := RewriteSnapshot(bytes.NewReader(snapshotOf(t, r.m)), &out, Rewrite{ClusterID: "c2", HistoryID: "h2", RaiseRevision: 1e9, Servers: servers}); err != nil {
		t.Fatal(err)
	}
	n := &root{t: t, m: New(Config{ClusterID: "c2"}), index: 1, time: r.time}
	if err := n.m.Restore(&out); err != nil {
		t.Fatal(err)
	}
	if c := n.m.View().Configuration(); c.Index != 1 || !slices.Equal(c.Servers, servers) {
		t.Errorf("its members: %+v", c)
	}
	n.configured("N1", "s4")
	n.do(command.LeaderStart(1, "n1"))
	if x := n.shown(waits.ID()); x.Status.Phase != transition.PhaseAborted || x.Status.Reason != candor.ReasonHistoryMismatch {
		t.Errorf("what waited: %+v", x.Status)
	}
	if x := n.shown(happened.ID()); x.Status.Phase != transition.PhasePublished {
		t.Errorf("what had happened: %+v", x.Status)
	}
}

// TestAForwardedVerdictAndARepeatedOneSayTheSame.
func TestAForwardedVerdictAndARepeatedOneSayTheSame(t *testing.T) {
	r := newRoot(t)
	r.configured("S1", "S2", "S3")
	c := command.Plan(r.change(transition.MemberRemove, "s3", transition.Membership{}), "")
	c.RequestID, c.NotAfter, c.Digest = "q1", r.time+int64(1e9), 7
	res := r.do(c)
	sent, err := DecodeResult(AppendResult(nil, &res, r.m.View()), r.m.View())
	if err != nil || *sent.Verdict != *res.Verdict {
		t.Errorf("forwarded %+v, want %+v (%v)", sent.Verdict, res.Verdict, err)
	}
	again := r.do(c)
	if !again.Replayed || again.Verdict.Standing != res.Verdict.Standing || again.Verdict.Phase != transition.PhasePlanned {
		t.Errorf("repeated: %+v", again.Verdict)
	}
	skip := command.Plan(r.change(transition.MemberRemove, "s3", transition.Membership{}), "")
	skip.RequestID, skip.NotAfter, skip.Digest = "q2", r.time+int64(1e9), 8
	if once, twice := r.do(skip), r.do(skip); once.Verdict.Phase != transition.AnswerPending || !twice.Replayed || *twice.Verdict != *once.Verdict {
		t.Errorf("skipped: %+v, repeated %+v", once.Verdict, twice.Verdict)
	}
}

// stepTransition does something about a membership change, at random.
func (r *root) stepTransition(t *rapid.T) {
	if r.lineage(tenure.DutyTopology).Current.Number == 0 {
		r.configured("S1", "S2", "S3")
		r.hold(tenure.DutyTopology)
		r.hold(tenure.DutyJanitor)
	}
	kind := rapid.SampledFrom(membershipKinds[:4]).Draw(t, "kind")
	target := rapid.SampledFrom([]string{"s2", "s3", "s4"}).Draw(t, "target")
	m := transition.Membership{Force: rapid.Bool().Draw(t, "force")}
	if kind == transition.MemberAdd {
		m.Address = "a-" + target
	}
	p := r.change(kind, target, m)
	p.Revision = r.m.View().Transition(kind, target).Pending.Planned
	switch rapid.IntRange(0, 6).Draw(t, "event") {
	case 0, 1:
		r.do(command.Plan(p, ""))
	case 2:
		r.do(command.Cancel("ana", p, "", ""))
	case 3:
		r.end(p, rapid.SampledFrom([]transition.Phase{transition.PhaseFailed, transition.PhasePublished}).Draw(t, "phase"))
	case 4:
		r.configured(rapid.SampledFrom([][]string{{"S1", "S2", "S3"}, {"S1", "S2", "S3", "s4"}, {"S1", "S2", "S4"}, {"S1"}}).Draw(t, "members")...)
	case 5:
		r.do(command.LeaderStart(1, target))
	default:
		r.time += maxRequestAge
		r.do(command.Dispose(tenure.DutyJanitor, 1, executor, maxRequestAge, r.m.View().DisposableTransitions(maxRequestAge, 10)...))
	}
	if s := r.m.View().Stats(); s.Faults+s.Violations != 0 {
		r.t.Fatalf("%+v", r.m.View().Records())
	}
}
