package grpcapi_test

import (
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/tenure"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server/servertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	// clusterID and historyID follow from how servertest begins a cluster.
	clusterID = "5b0be1de02468e5c93caaf1aba1e9030"
	historyID = "1c1bafb34ffa5e7690c9ac5203045cbd"
	// continueToken goes on after a in a list of all widgets.
	continueToken = "NiB0ZWFtL2H6lnbRVZt-Ag"

	widgets    = "widgets.example.com"
	widgetKind = `{"group":"example.com","version":"v1","scope":"Namespaced","names":{"kind":"Widget","plural":"widgets"},` +
		`"schema":{"spec":{"type":"object","properties":{"size":{"type":"integer","minimum":0,"default":1},"note":{"type":"string"},"list":{"type":"array","items":{"type":"integer"}}}},` +
		`"status":{"type":"object","properties":{"phase":{"type":"string"},"observed":{"type":"object","properties":{"seen":{"type":"integer"}}}}}}}`
)

// fixture is a cluster with a kind, a namespace and some objects, in the state
// that requests are written for: its tokens are the same in every test.
type fixture struct {
	t       testing.TB
	cluster *servertest.Cluster
	api     candorv1.ObjectServiceClient
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	x := &fixture{t: t, cluster: servertest.Start(t, servertest.WithDuties(tenure.DutyTopology))}
	x.cluster.Until("somebody may change the members", func() bool {
		return x.view().Tenure(tenure.Duty{Name: tenure.DutyTopology}).Current.State == tenure.StateActive
	})
	if v := x.view(); v.ClusterID() != clusterID || v.HistoryID() != historyID {
		t.Fatalf("the requests are written for another cluster than %s, of history %s", v.ClusterID(), v.HistoryID())
	}
	x.api = candorv1.NewObjectServiceClient(x.dial(x.cluster.Leader().Name()))
	x.create(&candor.Object{APIVersion: candor.APIVersion, Kind: "Kind", Metadata: candor.Metadata{Name: widgets}, Spec: []byte(widgetKind)})
	x.create(&candor.Object{APIVersion: candor.APIVersion, Kind: "Namespace", Metadata: candor.Metadata{Name: "team"}})
	for _, name := range []string{"a", "b", "c"} {
		x.create(widget(name))
	}
	x.settle()
	return x
}

func widget(name string) *candor.Object {
	return &candor.Object{
		APIVersion: "example.com/v1", Kind: "Widget", Spec: []byte(`{"size":2}`),
		Metadata: candor.Metadata{Name: name, Namespace: "team", Labels: map[string]string{"app": name}},
	}
}

// dial connects to one server; the options are those of its calls.
func (x *fixture) dial(server string, options ...grpc.CallOption) *grpc.ClientConn {
	x.t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+server, grpc.WithContextDialer(x.cluster.Dialer()),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(options...))
	if err != nil {
		x.t.Fatal(err)
	}
	x.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (x *fixture) create(o *candor.Object) *candorv1.WriteResult {
	x.t.Helper()
	out, err := x.api.Create(x.t.Context(), &candorv1.CreateRequest{Object: convert.ObjectToProto(o)})
	if err != nil {
		x.t.Fatalf("create %s %s: %v", o.Kind, o.Metadata.Name, err)
	}
	return out.GetResult()
}

// settle waits until every server has what is acknowledged.
func (x *fixture) settle() {
	x.t.Helper()
	token := x.view().Token()
	x.cluster.Until("every server has what is acknowledged", func() bool {
		for _, s := range x.cluster.Servers() {
			if !s.Machine().View().Token().Covers(token) {
				return false
			}
		}
		return true
	})
}

// view is what the leader has applied.
func (x *fixture) view() *fsm.View { return x.cluster.Leader().Machine().View() }

// wantSound fails unless the cluster is fit for use: it takes a write, no turn
// failed, and its servers are in one state.
func (x *fixture) wantSound() {
	x.t.Helper()
	k := x.cluster.Client(x.t)
	o := &candor.Object{APIVersion: candor.APIVersion, Kind: "Namespace", Metadata: candor.Metadata{Name: "afterwards"}}
	made, err := k.Create(x.t.Context(), o)
	if err != nil {
		x.t.Fatalf("a write afterwards: %v", err)
	}
	members := map[string]bool{}
	for _, s := range x.cluster.Leader().Replica().Configuration().Servers {
		members[string(s.ID)+string(s.Address)] = true
	}
	digests := map[uint64]fsm.Digest{}
	for _, s := range x.cluster.Servers() {
		stats := s.Machine().View().Stats()
		if stats.Faults+stats.Violations > 0 {
			x.t.Errorf("%s: %+v", s.Name(), s.Machine().View().Records())
		}
		if members[s.ID()+s.Name()+"/raft"] {
			x.cluster.Until("members have the write", func() bool { return s.Machine().View().Token().Covers(made.Token) })
		}
		for _, d := range s.Machine().Digests(0) {
			if first, seen := digests[d.Index]; seen && first != d.Digest {
				x.t.Errorf("%s differs from another server after index %d", s.Name(), d.Index)
			}
			digests[d.Index] = d.Digest
		}
	}
}
