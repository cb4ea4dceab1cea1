package server_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/transition"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/diag"
	"github.com/candor-plane/candor/server/servertest"
)

// shown are the series of a server whose name begins with a prefix, by name and labels:
// the value, or how many were observed.
func shown(s *server.Server, prefix string) map[string]float64 {
	out := map[string]float64{}
	server.Collect(s, func(m diag.Metric) {
		if !strings.HasPrefix(m.Name, prefix) {
			return
		}
		if m.Distribution != nil {
			m.Value = 0
			for _, n := range m.Distribution.Counts {
				m.Value += float64(n)
			}
		}
		out[m.Name+" "+strings.Join(m.Labels, " ")] = m.Value
	})
	return out
}

// dial connects to one server.
func dial(t *testing.T, c *servertest.Cluster, name string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+name, grpc.WithContextDialer(c.Dialer()), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Every server counts every end once, whoever carried it out; one that comes later does
// not count what ended before.
func TestEveryServerCountsTheEndsOfTransitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := k.Cluster().TransferLeader(ctx, c.Follower().Name()); err != nil {
			t.Fatal(err)
		}
		added := c.AddServer()
		promoted := func(s *server.Server) float64 {
			return shown(s, "transitions_ended_total")["transitions_ended_total kind member-promote phase PUBLISHED"]
		}
		first := c.Servers()[0]
		c.Until("the end of the join is counted", func() bool {
			return shown(first, "transitions_ended_total")["transitions_ended_total kind member-add phase PUBLISHED"] == 1
		})
		c.Until("the newcomer is as good as the root", func() bool { return added.Condition().CatchUp == candor.CatchUpFresh })
		time.Sleep(time.Second) // it looks five times a second
		if _, err := k.Cluster().Promote(ctx, added.Name(), 0); err != nil {
			t.Fatal(err)
		}
		for _, s := range c.Servers() {
			c.Until("the promotion is counted", func() bool { return promoted(s) > 0 })
			if n := promoted(s); n != 1 {
				t.Errorf("%v promotions are counted", n)
			}
		}
		if n := shown(added, "transitions_ended_total")["transitions_ended_total kind leader-transfer phase PUBLISHED"]; n != 0 {
			t.Errorf("the newcomer counts %v transfers of before its time", n)
		}
		want := map[string]float64{}
		for _, stage := range []string{"ADMITTED", "APPLIED", "PUBLISHED", "TOTAL"} {
			want["transition_latency_seconds kind member-promote stage "+stage] = 1
		}
		got := shown(added, "transition_latency_seconds")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("latencies (-want +got):\n%s", diff)
		}
		if got := shown(c.Leader(), "transitions_"); got["transitions_stalled cause "+string(transition.CauseExecutionOverdue)] != 0 {
			t.Errorf("stalled: %v", got)
		}
	})
}

// A transition that stands still past its deadline is a finding of the leader's, with
// its cause and the next step, and counted until it has ended.
func TestAStalledTransitionIsAFinding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		added := c.AddServer()
		c.Stop(added.Name())
		leader := dial(t, c, c.Leader().Name())
		as := metadata.AppendToOutgoingContext(t.Context(), "candor-actor", "ana")
		ctx, cancel := context.WithTimeout(as, 2*time.Second)
		_, failure := candorv1.NewClusterServiceClient(leader).Replace(ctx, &candorv1.ReplaceRequest{Server: c.Follower().Name(), With: added.Name()})
		cancel()
		err := convert.ErrorFromStatus(failure)
		id := ""
		if e, ok := errors.AsType[*candor.Error](err); ok {
			id = e.Subject
		}
		if candor.ReasonOf(err) != candor.ReasonOutcomeUnknown || id == "" {
			t.Fatalf("replace with a server that is down: %v, want that it goes on, as which transition", err)
		}
		stalled := func() (n float64) {
			for _, x := range shown(c.Leader(), "transitions_stalled") {
				n += x
			}
			return n
		}
		if n := stalled(); n != 0 {
			t.Errorf("%v are stalled within their time", n)
		}
		time.Sleep(time.Minute)
		c.Until("it is stalled", func() bool { return stalled() == 2 }) // with its step
		status, err := candorv1.NewClusterServiceClient(leader).Status(as, &candorv1.StatusRequest{})
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range status.GetFindings() {
			if f.GetSubject() == "transition "+id {
				found = f.GetReason() == "STALLED" && f.GetNextAction() != "" && strings.Contains(f.GetMessage(), "member-replace of n")
			}
		}
		if !found {
			t.Errorf("findings %+v: want the replacement", status.GetFindings())
		}
		if _, err := candorv1.NewTransitionServiceClient(leader).CancelTransition(as, &candorv1.CancelTransitionRequest{Id: id, Reason: "it never comes"}); err != nil {
			t.Fatal(err)
		}
		c.Until("nothing is stalled", func() bool { return stalled() == 0 })
		for _, s := range c.Servers() {
			c.Until("the cancellation is counted", func() bool {
				return shown(s, "transitions_ended_total")["transitions_ended_total kind member-replace phase CANCELLED"] == 1
			})
		}
	})
}
