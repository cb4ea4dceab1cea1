package servertest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// withLimits bounds what one party may have of each server.
func withLimits(limits map[string]string) servertest.Option {
	var all []servertest.Option
	for _, name := range []string{"n1", "n2", "n3"} {
		all = append(all, servertest.WithServer(name, func(c *server.Config) { c.Limits = limits }))
	}
	return servertest.Options(all...)
}

// party asks the leader as somebody, by a token or its connection's certificate, and
// once: no client's patience is in the way.
type party struct {
	t      *testing.T
	conn   *grpc.ClientConn
	bearer string
}

func (k *keys) party(actor, role string) *party {
	k.t.Helper()
	_, bearer := k.token(actor, role)
	return &party{k.t, dial(k.t, k.cluster, k.cluster.Leader().Name()), bearer.String()}
}

func (p *party) context() context.Context {
	if p.bearer == "" {
		return p.t.Context()
	}
	return metadata.AppendToOutgoingContext(p.t.Context(), "authorization", "Bearer "+p.bearer)
}

func (p *party) create(name string) error {
	in := &candorv1.CreateRequest{Object: convert.ObjectToProto(accessObject("Namespace", name, `{}`))}
	_, err := candorv1.NewObjectServiceClient(p.conn).Create(p.context(), in)
	return convert.ErrorFromStatus(err)
}

// compact is a write whose right the door looks at.
func (p *party) compact() error {
	_, err := candorv1.NewClusterServiceClient(p.conn).Compact(p.context(), &candorv1.CompactRequest{Revision: 2})
	return convert.ErrorFromStatus(err)
}

// creates begins a write, which is under way or waits when this returns.
func (p *party) creates(name string) <-chan error {
	done := make(chan error, 1)
	go func() { done <- p.create(name) }()
	synctest.Wait()
	return done
}

// watches begins a watch, and returns what ends it.
func (p *party) watches() (end func(), err error) {
	ctx, cancel := context.WithCancel(p.context())
	stream, err := candorv1.NewObjectServiceClient(p.conn).Watch(ctx, &candorv1.WatchRequest{Kind: string(candor.KindNamespaces)})
	if err == nil {
		_, err = stream.Recv()
	}
	return func() { cancel(); synctest.Wait() }, convert.ErrorFromStatus(err)
}

// wantSaturated: it says whose bound was met, which, and when to come again.
func wantSaturated(t *testing.T, err error, whose, limit string) {
	t.Helper()
	e, ok := errors.AsType[*candor.Error](err)
	if !ok || e.Reason != candor.ReasonQueueSaturated {
		t.Fatalf("%v; want it refused by --limit %s", err, limit)
	}
	if e.RetryAfter <= 0 || e.Subject != whose || !strings.Contains(e.Message, "--limit "+limit+" ") || !strings.Contains(e.Message, whose) {
		t.Errorf("%q about %q, again after %s; want --limit %s of %s", e.Message, e.Subject, e.RetryAfter, limit, whose)
	}
}

func wantPending(t *testing.T, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		t.Fatalf("not under way any more: %v", err)
	default:
	}
}

// stall keeps every write from being committed, until Heal: the leader goes on to
// lead, and what was proposed keeps its place.
func stall(c *servertest.Cluster) {
	leader := c.Leader()
	for _, s := range c.Servers() {
		if s != leader {
			c.Starve(s.Name())
		}
	}
}

// TestWhoeverHasItsShareLeavesOthersTheirs: one party's writes take all that it may
// have and are then refused, while another's goes through.
func TestWhoeverHasItsShareLeavesOthersTheirs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := openAccess(t, servertest.Start(t, withLimits(map[string]string{
			"write-places": "4", "write-reserved": "0", "write-share": "1", "write-queue": "2", "write-queue-per-identity": "1",
		})))
		ana, bob := k.party("ana", "operator"), k.party("bob", "operator")
		stall(k.cluster)
		first, second := ana.creates("ana-1"), ana.creates("ana-2")
		wantSaturated(t, ana.create("ana-3"), "ana", "write-queue-per-identity")
		other := bob.creates("bob-1")
		for _, done := range []<-chan error{first, second, other} {
			wantPending(t, done)
		}
		if _, _, err := k.root.Get(t.Context(), refOf("default")); err != nil {
			t.Errorf("a read beside a class that is full: %v", err)
		}
		k.cluster.Heal()
		for _, done := range []<-chan error{first, second, other} {
			noError(t, <-done)
		}
		noError(t, ana.create("ana-3"))
	})
}

// TestAFullClassStillHasRoomForServers: clients wait for one another, and what
// another server asks goes on at once.
func TestAFullClassStillHasRoomForServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		authority := servertest.NewAuthority(t, "c-1")
		c := servertest.Start(t, servertest.WithData(t.TempDir()), servertest.WithTLS(authority, "n1", "n2", "n3"),
			withLimits(map[string]string{"write-places": "2", "write-reserved": "1", "write-queue": "0"}))
		as := func(kind candor.Party, name string) *party {
			source := authority.Source(authority.Issue(kind, name))
			conn, err := grpc.NewClient("passthrough:///"+c.Leader().Name(), grpc.WithContextDialer(c.Dialer()),
				grpc.WithTransportCredentials(credentials.NewTLS(source.Client(identity.OneOf(candor.PartyServer), "h2"))))
			noError(t, err)
			t.Cleanup(func() { _ = conn.Close() })
			return &party{t: t, conn: conn}
		}
		probe := func(p *party) error {
			_, err := candorv1.NewPeerServiceClient(p.conn).Forward(t.Context(), &candorv1.ForwardRequest{ClusterId: "c-1", Probe: true})
			return convert.ErrorFromStatus(err)
		}
		ana, bob, peer := as(candor.PartyClient, "ana"), as(candor.PartyClient, "bob"), as(candor.PartyServer, "5a6b")
		noError(t, probe(peer))
		stall(c)
		first := ana.creates("ana-1")
		wantSaturated(t, bob.create("bob-1"), "bob", "write-queue")
		noError(t, probe(peer))
		wantPending(t, first)
		c.Heal()
		noError(t, <-first)
		noError(t, bob.create("bob-1"))
	})
}

// TestOnePartyHasNoMoreWatchesThanItMay, and one that ends makes room.
func TestOnePartyHasNoMoreWatchesThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := openAccess(t, servertest.Start(t, withLimits(map[string]string{"watches": "3", "watches-per-identity": "2"})))
		ana, bob, cyd := k.party("ana", "viewer"), k.party("bob", "viewer"), k.party("cyd", "viewer")
		var ends []func()
		begin := func(p *party) {
			t.Helper()
			end, err := p.watches()
			noError(t, err)
			ends = append(ends, end)
		}
		begin(ana)
		begin(ana)
		_, err := ana.watches()
		wantSaturated(t, err, "ana", "watches-per-identity")
		begin(bob)
		_, err = cyd.watches()
		wantSaturated(t, err, "cyd", "watches")
		ends[0]()
		begin(cyd)
		for _, end := range ends[1:] {
			end()
		}
	})
}

// TestWhoeverComesTooOftenIsRefusedBeforeItsRightsAreLookedAt: to be refused costs
// of one's rate too, and says nothing of what is there.
func TestWhoeverComesTooOftenIsRefusedBeforeItsRightsAreLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := openAccess(t, servertest.Start(t, withLimits(map[string]string{"write-rate": "0.5", "write-burst": "6", "write-rate-wait": "0s"})))
		nick, bob := k.party("nick", ""), k.party("bob", "operator")
		for range 3 {
			wantReason(t, nick.create("x"), candor.ReasonForbidden)
			wantReason(t, nick.compact(), candor.ReasonForbidden)
		}
		wantSaturated(t, nick.create("x"), "nick", "write-rate")
		wantSaturated(t, nick.compact(), "nick", "write-rate")
		noError(t, bob.create("x"))
	})
}

// TestAClientComesAgainWhenItWasTold: one that makes more than it may waits as long
// as the refusal says, and asks once more.
func TestAClientComesAgainWhenItWasTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := openAccess(t, servertest.Start(t, withLimits(map[string]string{"write-rate": "0.25", "write-burst": "6", "write-rate-wait": "0s"})))
		leader := k.cluster.Leader()
		_, bearer := k.token("ana", "operator")
		ana := k.with(bearer.String(), leader.Name())
		for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
			_, err := ana.Create(t.Context(), accessObject("Namespace", name, `{}`))
			noError(t, err)
		}
		began := time.Now()
		grown := counted(leader, func() {
			_, err := ana.Create(t.Context(), accessObject("Namespace", "g", `{}`))
			noError(t, err)
		})
		if took := time.Since(began); took < 3*time.Second || took > 5*time.Second {
			t.Errorf("a token that is due every four seconds was waited for %s", took)
		}
		if grown["WRITE QUEUE_SATURATED"] != 1 || grown["WRITE ACCEPTED"] != 1 {
			t.Errorf("counted %v, want one refusal and one write", grown)
		}
		brief, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		_, err := ana.Create(brief, accessObject("Namespace", "h", `{}`))
		wantSaturated(t, err, "ana", "write-rate")
		if took := time.Since(began); took > 100*time.Millisecond {
			t.Errorf("a wait beyond the deadline was begun, and took %s", took)
		}
	})
}
