package explain_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/datadriven"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"sigs.k8s.io/yaml"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server/explain"
	"github.com/candor-plane/candor/server/servertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The commands of the transcripts, each on what those before it left. A command that
// writes prints the revision that it made; refs are KIND/[NAMESPACE/]NAME, the kind
// spelt in full; reason, message (_ is a blank) and
// because=REF@REVISION are its cause.
//
//	create                  creates the object of the input, YAML
//	spec REF                replaces its spec by the input
//	status REF              replaces its status by the input
//	observe REF             replaces status.observed by the input
//	delete REF              deletes it
//	compact REVISION        raises the floor
//	request ID              creates the object of the input under that request ID
//	lead NAME               has another server lead; the one that led first is A, the
//	                        others are B and C
//	transition              explains the newest transition
//	why REF [at=REVISION]   explains it; [hide=KIND] as to somebody who may not read that
//	decision ID|REF         finds a decision
//	plan                    plans the objects of the input, a YAML list
func TestExplanations(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		synctest.Test(t, func(t *testing.T) {
			s := &stage{t: t, cluster: servertest.Start(t, servertest.WithDuties(tenure.DutyTopology))}
			s.cluster.Until("somebody holds duty topology", func() bool {
				return s.view().Tenure(tenure.Duty{Name: tenure.DutyTopology}).Current.State == tenure.StateActive
			})
			s.names = map[string]string{s.cluster.Leader().Name(): "A"}
			for _, server := range s.cluster.Servers() {
				if s.names[server.Name()] == "" {
					s.names[server.Name()] = string(rune('A' + len(s.names)))
				}
			}
			datadriven.RunTest(t, path, s.act)
		})
	})
}

type stage struct {
	t       *testing.T
	cluster *servertest.Cluster
	// names are what the servers are called here, by name.
	names map[string]string
}

// leader connects to the server that leads.
func (s *stage) leader() *grpc.ClientConn {
	s.t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+s.cluster.Leader().Name(), grpc.WithContextDialer(s.cluster.Dialer()), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// actual is the name of a server by what it is called here.
func (s *stage) actual(called string) string {
	for name, other := range s.names {
		if other == called {
			return name
		}
	}
	return called
}

func (s *stage) view() *fsm.View { return s.cluster.Leader().Machine().View() }

// world is the cluster's own, by name.
type world struct{ s *stage }

func (w world) ClusterTime() int64             { return w.s.view().ClusterTime() }
func (w world) Journals() []transition.Journal { return nil }
func (w world) ServerName(id string) string {
	for _, server := range w.s.cluster.Servers() {
		if server.ID() == id {
			return w.s.names[server.Name()]
		}
	}
	return ""
}

// requests know one that was rejected and one that waits.
type requests struct{ s *stage }

func (r requests) Find(_, id string) (candor.Outcome, candor.Reason, candor.Token) {
	switch id {
	case "rejected":
		return candor.OutcomeRejected, candor.ReasonQueueSaturated, candor.Token{}
	case "failed":
		return candor.OutcomeFailed, candor.ReasonConflict, candor.Token{}
	case "waits":
		return candor.OutcomeQueued, "", candor.Token{}
	default:
		return "", "", candor.Token{}
	}
}

func (r requests) Remembered(actor, id string) (fsm.Remembered, bool) {
	return r.s.cluster.Leader().Machine().Outcome(actor, id)
}

// scheduler adds what one that decides would, in a word each.
type scheduler struct{}

func (scheduler) Explain(_ context.Context, _ *fsm.View, x *candor.Explanation) error {
	if strings.Contains(x.Subject.Name, "unlucky") {
		return candor.Errorf(candor.ReasonCompacted, "the state at the decision is compacted")
	}
	if x.Decision != nil && x.Decision.Verdict != candor.VerdictPlaced {
		x.Changes = append(x.Changes, candor.FittingChange{Change: "memory <= 3Gi", Node: "w1"})
	}
	return nil
}

func (scheduler) WhyNot(_ context.Context, _ *fsm.View, of candor.VersionRef, node string) (*candor.Explanation, error) {
	return &candor.Explanation{Subject: of, Headline: of.Name + " not on " + node}, nil
}

func (scheduler) Replay(context.Context, *fsm.View, *candor.Decision, candor.VersionRef) (candor.Replay, string, error) {
	return candor.Replay{Same: true}, "digest", nil
}

func (scheduler) Place(_ context.Context, _ *fsm.View, objects []*candor.Object, plan *candor.Plan) error {
	for _, o := range objects {
		plan.Placements = append(plan.Placements, candor.PlannedPlacement{Instance: candor.Ref{Kind: candor.KindInstances, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name + "-0"}, Node: "w1"})
	}
	return nil
}

func (s *stage) act(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "candor-actor", "test")
	conn := s.leader()
	api := candorv1.NewObjectServiceClient(conn)
	write := cause(t, d)
	var made interface{ GetResult() *candorv1.WriteResult }
	var err error
	switch d.Cmd {
	case "create", "request":
		if d.Cmd == "request" {
			write.RequestId, write.NotAfter = d.CmdArgs[0].Key, s.view().ClusterTime()+int64(time.Minute)
		}
		made, err = api.Create(ctx, &candorv1.CreateRequest{Object: convert.ObjectToProto(object(t, d.Input)), Write: write})
	case "spec":
		of := ref(t, d)
		got, failed := s.view().Get(of, 0)
		if failed != nil || got == nil {
			t.Fatalf("%s: %v", of, failed)
		}
		o, failed := got.Object()
		if failed != nil {
			t.Fatal(failed)
		}
		o.Spec, o.Status, o.Observed = document(t, d.Input), nil, nil
		made, err = api.Update(ctx, &candorv1.UpdateRequest{Object: convert.ObjectToProto(o), Write: write})
	case "status":
		of := ref(t, d)
		made, err = api.UpdateStatus(ctx, &candorv1.UpdateStatusRequest{Kind: string(of.Kind), Namespace: of.Namespace, Name: of.Name, Status: document(t, d.Input), Write: write})
	case "observe":
		of := ref(t, d)
		made, err = api.Observe(ctx, &candorv1.ObserveRequest{Kind: string(of.Kind), Namespace: of.Namespace, Name: of.Name, Observed: document(t, d.Input), Write: write})
	case "delete":
		of := ref(t, d)
		made, err = api.Delete(ctx, &candorv1.DeleteRequest{Kind: string(of.Kind), Namespace: of.Namespace, Name: of.Name, Write: write})
	case "compact":
		revision, failed := strconv.ParseUint(d.CmdArgs[0].Key, 10, 64)
		if failed != nil {
			t.Fatal(failed)
		}
		_, err = candorv1.NewClusterServiceClient(conn).Compact(ctx, &candorv1.CompactRequest{Revision: revision})
	case "lead":
		_, err = candorv1.NewClusterServiceClient(conn).TransferLeader(ctx, &candorv1.TransferLeaderRequest{Server: s.actual(d.CmdArgs[0].Key)})
		s.cluster.Until("the duty is held again, and the handover is over", func() bool {
			l := s.view().Tenure(tenure.Duty{Name: tenure.DutyTopology})
			return l.Current.Number > 1 && l.Current.State == tenure.StateActive && len(l.Unfinished) == 0
		})
	default:
		return unsteady(s.ask(ctx, t, d), s.names)
	}
	if err != nil {
		return err.Error()
	}
	revision := s.view().Token().Revision
	if made != nil {
		revision = made.GetResult().GetAcceptedRootToken().GetRevision()
	}
	return fmt.Sprintf("revision %d", revision)
}

func (s *stage) ask(ctx context.Context, t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	e := explain.New(world{s}, requests{s}, scheduler{})
	switch d.Cmd {
	case "why":
		of := ref(t, d)
		of.Name = s.actual(of.Name)
		q := explain.Question{Subject: candor.VersionRef{Ref: of}, Actor: "test", MayRead: func(of candor.Ref) error {
			if hidden := value(d, "hide"); hidden != "" && string(of.Kind) == hidden {
				return candor.Errorf(candor.ReasonForbidden, "ana may not read %s", of.Kind)
			}
			return nil
		}}
		if at := value(d, "at"); at != "" {
			q.Subject.Revision, _ = strconv.ParseUint(at, 10, 64)
		}
		x, err := e.Why(ctx, s.view(), q)
		if err != nil {
			return err.Error()
		}
		return written(x)
	case "transition":
		newest := candor.VersionRef{Ref: candor.Ref{Kind: candor.KindTransitions}}
		if err := s.view().List(candor.KindTransitions, "", "", 0, func(v *mvcc.Version) bool {
			_, newest.Name = candor.SplitKey(v.Key)
			return true
		}); err != nil {
			t.Fatal(err)
		}
		x, err := e.Why(ctx, s.view(), explain.Question{Subject: newest, MayRead: func(candor.Ref) error { return nil }})
		if err != nil {
			return err.Error()
		}
		return written(x)
	case "decision":
		id, of := d.CmdArgs[0].Key, candor.Ref{}
		if strings.Contains(id, "/") {
			id, of = "", ref(t, d)
		}
		found, at, err := e.Decision(s.view(), id, of)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("%s %s, stored with %s at %d", found.ID, found.Verdict, at.Ref, at.Revision)
	case "plan":
		var list []json.RawMessage
		if err := yaml.Unmarshal([]byte(d.Input), &list); err != nil {
			t.Fatal(err)
		}
		var wanted []explain.Wanted
		for _, raw := range list {
			o := object(t, string(raw))
			wanted = append(wanted, explain.Wanted{Object: o, Ref: candor.Ref{Kind: candor.KindName(strings.ToLower(o.Kind) + "s.candor"), Namespace: o.Metadata.Namespace, Name: o.Metadata.Name}})
		}
		plan, err := e.Plan(ctx, s.view(), wanted)
		if err != nil {
			return err.Error()
		}
		text, _ := yaml.Marshal(plan)
		return string(text)
	default:
		t.Fatalf("unknown command %s", d.Cmd)
		return ""
	}
}

// written is every part of an explanation, a line each.
func written(x *candor.Explanation) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s at %d\n%s\n", x.Subject.Ref, x.Subject.Revision, x.Headline)
	if x.Decision != nil {
		fmt.Fprintf(&out, "decision %s %s\n", x.Decision.ID, x.Decision.Verdict)
	}
	for _, c := range x.Changes {
		fmt.Fprintf(&out, "change: %s -> %s\n", c.Change, c.Node)
	}
	for _, f := range x.Facts {
		fmt.Fprintf(&out, "- %s\n", f)
	}
	for _, l := range x.Because {
		fmt.Fprintf(&out, "because %s at %d: %s", l.Version.Ref, l.Version.Revision, l.Text)
		if l.Cause != nil {
			fmt.Fprintf(&out, " [%s %s %s]", l.Cause.Actor, l.Cause.Reason, l.Cause.Message)
		}
		out.WriteString("\n")
	}
	if x.Next != "" {
		fmt.Fprintf(&out, "next: %s\n", x.Next)
	}
	return out.String()
}

// unsteady replaces what is another in every run: spans, tokens and IDs.
func unsteady(text string, names map[string]string) string {
	for name, called := range names {
		text = regexp.MustCompile(`\b`+name+`\b`).ReplaceAllString(text, called)
	}
	for _, r := range []struct{ pattern, to string }{
		{`[0-9]+(\.[0-9]+)?(ms|s|m[0-9]+s) ago`, "… ago"}, {`for [0-9.]+(ms|s|m[0-9.]+s)`, "for …"}, {`in [0-9.]+(ms|s|m[0-9.]+s)`, "in …"}, {`[0-9.]+s at a time`, "… at a time"}, {`log entry [0-9]+`, "log entry …"},
		{`[0-9]+:[0-9]+/([0-9]+)`, "T:I/$1"}, {`-[0-9a-f]{24}`, "-ID"}, {`[0-9a-f]{8}-[0-9a-f-]{27}`, "UUID"}, {`index: [0-9]+`, "index: I"}, {`term: [0-9]+`, "term: T"}, {`configuration [0-9]+`, "configuration I"},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.to)
	}
	return text
}

func value(d *datadriven.TestData, key string) string {
	for _, arg := range d.CmdArgs {
		if arg.Key == key && len(arg.Vals) > 0 {
			return strings.Join(arg.Vals, ",")
		}
	}
	return ""
}

func refOf(t *testing.T, text string) candor.Ref {
	t.Helper()
	parts := strings.Split(text, "/")
	switch len(parts) {
	case 2:
		return candor.Ref{Kind: candor.KindName(parts[0]), Name: parts[1]}
	case 3:
		return candor.Ref{Kind: candor.KindName(parts[0]), Namespace: parts[1], Name: parts[2]}
	default:
		t.Fatalf("%q names no object", text)
		return candor.Ref{}
	}
}

func ref(t *testing.T, d *datadriven.TestData) candor.Ref {
	t.Helper()
	return refOf(t, d.CmdArgs[0].Key)
}

// cause is what a write says of itself.
func cause(t *testing.T, d *datadriven.TestData) *candorv1.WriteOptions {
	t.Helper()
	w := &candorv1.WriteOptions{Reason: value(d, "reason"), Message: strings.ReplaceAll(value(d, "message"), "_", " ")}
	if because := value(d, "because"); because != "" {
		name, at, _ := strings.Cut(because, "@")
		revision, err := strconv.ParseUint(at, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		w.Because = convert.VersionRefToProto(&candor.VersionRef{Ref: refOf(t, name), Revision: revision})
	}
	return w
}

func document(t *testing.T, text string) []byte {
	t.Helper()
	out, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func object(t *testing.T, text string) *candor.Object {
	t.Helper()
	o := new(candor.Object)
	if err := yaml.Unmarshal([]byte(text), o); err != nil {
		t.Fatal(err)
	}
	return o
}
