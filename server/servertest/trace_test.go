package servertest_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// recorder keeps the spans of servers and clients.
type recorder struct {
	kept     *tracetest.InMemoryExporter
	provider *sdktrace.TracerProvider
}

func newRecorder(options ...sdktrace.TracerProviderOption) *recorder {
	kept := tracetest.NewInMemoryExporter()
	return &recorder{kept: kept, provider: sdktrace.NewTracerProvider(append(options, sdktrace.WithSyncer(kept))...)}
}

// client is one that traces and begins at the named server.
func (r *recorder) client(t testing.TB, c *servertest.Cluster, endpoint string, provider trace.TracerProvider) *client.Client {
	t.Helper()
	return clientOver(t, c.Dialer(), endpoint, provider)
}

// only reaches one server and no other.
func only(c *servertest.Cluster, server string) dialing {
	return func(ctx context.Context, to string) (net.Conn, error) {
		if to != server {
			return nil, errors.New("not reachable from here")
		}
		return c.Dialer()(ctx, to)
	}
}

type dialing = func(ctx context.Context, to string) (net.Conn, error)

func clientOver(t testing.TB, dial dialing, endpoint string, provider trace.TracerProvider) *client.Client {
	t.Helper()
	k, err := client.New(client.Config{Endpoints: []string{endpoint}, Actor: "test", Dialer: dial, Tracer: provider})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return k
}

// tree is the spans of one trace: children in the order of their
// beginnings, and of their ends where they began at once.
func (r *recorder) tree(of trace.TraceID) []string {
	children := map[trace.SpanID][]tracetest.SpanStub{}
	for _, s := range r.kept.GetSpans() {
		if s.SpanContext.TraceID() == of {
			children[s.Parent.SpanID()] = append(children[s.Parent.SpanID()], s)
		}
	}
	var lines []string
	var walk func(parent trace.SpanID, depth int)
	walk = func(parent trace.SpanID, depth int) {
		below := children[parent]
		slices.SortStableFunc(below, func(a, b tracetest.SpanStub) int {
			return cmp.Or(a.StartTime.Compare(b.StartTime), a.EndTime.Compare(b.EndTime))
		})
		for _, s := range below {
			lines = append(lines, strings.Repeat("  ", depth)+s.Name)
			walk(s.SpanContext.SpanID(), depth+1)
		}
	}
	walk(trace.SpanID{}, 0)
	return lines
}

func (r *recorder) one(t testing.TB, name string, kind trace.SpanKind) tracetest.SpanStub {
	t.Helper()
	var found []tracetest.SpanStub
	for _, s := range r.kept.GetSpans() {
		if s.Name == name && s.SpanKind == kind {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d spans of %s, kind %s", len(found), name, kind)
	}
	return found[0]
}

func said(s tracetest.SpanStub, key attribute.Key) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.String()
		}
	}
	return ""
}

const create = "candor.v1.ObjectService/Create"

// TestAWriteThroughAFollowerIsOneTrace: from the call through the follower and
// the leader's log back to the follower's view, with the facts of the entry.
func TestAWriteThroughAFollowerIsOneTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		c := servertest.Start(t, servertest.WithTracing(server.Tracing{Provider: r.provider}))
		leader, follower := c.Leader(), c.Follower()
		k := clientOver(t, only(c, follower.Name()), follower.Name(), r.provider)
		made := must(t, k, namespace("traced"))

		call := r.one(t, create, trace.SpanKindClient)
		want := []string{
			create,
			"  " + create,
			"    admission",
			"    forward",
			"      candor.v1.PeerService/Forward",
			"        admission",
			"        queue",
			"        propose",
			"        commit",
			"        apply",
			"    wait for applied",
		}
		if got := r.tree(call.SpanContext.TraceID()); !slices.Equal(got, want) {
			t.Errorf("the trace:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		served, forwarded := r.one(t, create, trace.SpanKindServer), r.one(t, "candor.v1.PeerService/Forward", trace.SpanKindServer)
		for _, at := range []struct {
			span   tracetest.SpanStub
			server *server.Server
		}{{served, follower}, {forwarded, leader}} {
			if got := said(at.span, "candor.node.name"); got != at.server.Name() {
				t.Errorf("%s is of node %q, want %q", at.span.Name, got, at.server.Name())
			}
		}
		if got := said(served, "candor.accepted_root_token"); got != made.Token.String() {
			t.Errorf("the follower's span tells of %q; the write reached %s", got, made.Token)
		}
		for name, facts := range map[string]map[attribute.Key]uint64{
			"propose":          {"candor.index": made.Token.Index, "candor.term": made.Token.Term, "candor.entry.commands": 1},
			"apply":            {"candor.index": made.Token.Index, "candor.revision": made.Token.Revision},
			"wait for applied": {"candor.index": made.Token.Index},
		} {
			span := r.one(t, name, trace.SpanKindInternal)
			for key, fact := range facts {
				if got := said(span, key); got != fmt.Sprint(fact) {
					t.Errorf("%s: %s is %q, want %d", name, key, got, fact)
				}
			}
		}
	})
}

// TestARefusedWriteCarriesItsReason: by the turn, and by a server that does not
// lead and may not forward.
func TestARefusedWriteCarriesItsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		c := servertest.Start(t, servertest.WithTracing(server.Tracing{Provider: r.provider}))
		k := r.client(t, c, c.Leader().Name(), r.provider)
		must(t, k, namespace("twice"))
		r.kept.Reset()
		ctx, cancel := within(20 * time.Second)
		defer cancel()
		if _, err := k.Create(ctx, namespace("twice")); candor.ReasonOf(err) != candor.ReasonAlreadyExists {
			t.Fatal(err)
		}
		for _, s := range []tracetest.SpanStub{r.one(t, create, trace.SpanKindClient), r.one(t, create, trace.SpanKindServer), r.one(t, "apply", trace.SpanKindInternal)} {
			if said(s, "candor.reason") != string(candor.ReasonAlreadyExists) || said(s, "candor.retry") != string(candor.RetryNever) {
				t.Errorf("%s (%s) says %v", s.Name, s.SpanKind, s.Attributes)
			}
		}
	})
}

// TestAWriteWhoseCallerLeftTellsHowFarItCame: into the log of a leader that
// nobody hears, so that nobody knows its outcome.
func TestAWriteWhoseCallerLeftTellsHowFarItCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		c := servertest.Start(t, servertest.WithTracing(server.Tracing{Provider: r.provider}))
		leader := c.Leader()
		api := candorv1.NewObjectServiceClient(dial(t, c, leader.Name()))
		c.Isolate(leader.Name())
		ctx, cancel := within(50 * time.Millisecond)
		defer cancel()
		if _, err := api.Create(ctx, &candorv1.CreateRequest{Object: convert.ObjectToProto(namespace("lost"))}); err == nil {
			t.Fatal("a leader without a majority acknowledged a write")
		}
		c.Until("the server has given the write up", func() bool {
			return slices.ContainsFunc(r.kept.GetSpans(), func(s tracetest.SpanStub) bool { return s.Name == create })
		})
		if got := said(r.one(t, "propose", trace.SpanKindInternal), "candor.reason"); got != string(candor.ReasonOutcomeUnknown) {
			t.Errorf("the span of the log says %q", got)
		}
		c.Heal()
		wantEqualStates(t, c)
	})
}

// TestAnAttemptTellsWhereItWentAndWhatItMet: a read that a follower refuses and
// the leader answers is one call with both attempts.
func TestAnAttemptTellsWhereItWentAndWhatItMet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		c := servertest.Start(t, servertest.WithTracing(server.Tracing{Provider: r.provider}))
		follower := c.Follower()
		k := r.client(t, c, follower.Name(), r.provider)
		ctx, cancel := within(20 * time.Second)
		defer cancel()
		if _, _, err := k.Get(ctx, refOf("default")); candor.ReasonOf(err) != "" && candor.ReasonOf(err) != candor.ReasonNotFound {
			t.Fatal(err)
		}
		call := r.one(t, "candor.v1.ObjectService/Get", trace.SpanKindClient)
		var told []string
		for _, e := range call.Events {
			line := e.Name
			for _, a := range e.Attributes {
				line += " " + a.Value.String()
			}
			told = append(told, line)
		}
		if len(told) < 3 || told[0] != "attempt "+follower.Name() ||
			told[1] != "attempt failed "+follower.Name()+" 1 NOT_LEADER LEADER" || told[2] != "attempt "+c.Leader().Name() {
			t.Errorf("the attempts: %q", told)
		}
	})
}

// TestAReadTellsHowItWasDecided, and what it waited for.
func TestAReadTellsHowItWasDecided(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		c := servertest.Start(t, servertest.WithTracing(server.Tracing{Provider: r.provider}))
		k := r.client(t, c, c.Leader().Name(), r.provider)
		must(t, k, namespace("read"))
		r.kept.Reset()
		ctx, cancel := within(20 * time.Second)
		defer cancel()
		if _, _, err := k.Get(ctx, refOf("read")); err != nil {
			t.Fatal(err)
		}
		const get = "candor.v1.ObjectService/Get"
		served := r.one(t, get, trace.SpanKindServer)
		if confirm := r.one(t, "confirm", trace.SpanKindInternal); confirm.Parent.SpanID() != served.SpanContext.SpanID() {
			t.Error("the confirmation is not the read's")
		}
		var decided []string
		for _, e := range served.Events {
			decided = append(decided, e.Name+" "+e.Attributes[0].Value.AsString())
		}
		if len(decided) < 2 || !strings.Contains(strings.ToLower(decided[0]), "confirm") || !strings.Contains(strings.ToLower(decided[len(decided)-1]), "serve") {
			t.Errorf("decided: %q", decided)
		}
		if said(served, "candor.served_freshness") != "STRONG" || said(served, "candor.mechanism") != "LEADER_READ_INDEX" {
			t.Errorf("the read says %v", served.Attributes)
		}
	})
}

// TestNoTraceIsRecordedWithoutSampling, neither by servers nor by a client.
func TestNoTraceIsRecordedWithoutSampling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder(sdktrace.WithSampler(sdktrace.NeverSample()))
		c := servertest.Start(t, servertest.WithTracing(server.Tracing{Provider: r.provider}))
		must(t, r.client(t, c, c.Follower().Name(), r.provider), namespace("unseen"))
		if spans := r.kept.GetSpans(); len(spans) != 0 {
			t.Errorf("%d spans were recorded", len(spans))
		}
	})
}

// TestACallerWithoutATraceGetsOneWhereItIsServed: servers trace what comes from
// clients that do not, and nothing that they ask each other all the time.
func TestACallerWithoutATraceGetsOneWhereItIsServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		c := servertest.Start(t, servertest.WithTracing(server.Tracing{Provider: r.provider}))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		for _, s := range r.kept.GetSpans() {
			if strings.Contains(s.Name, "Peer") {
				t.Errorf("a span nobody asked for: %s", s.Name)
			}
		}
		r.kept.Reset()
		must(t, r.client(t, c, c.Leader().Name(), nil), namespace("plain"))
		if got := r.tree(r.one(t, create, trace.SpanKindServer).SpanContext.TraceID()); !slices.Equal(got, []string{
			create, "  admission", "  queue", "  propose", "  commit", "  apply",
		}) {
			t.Errorf("the trace:\n%s", strings.Join(got, "\n"))
		}
	})
}
