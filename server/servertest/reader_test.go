package servertest_test

import (
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// reader asks one server, without a client's retries, session and checks: what
// it says is the server's own.
type reader struct {
	server *server.Server
	conn   *grpc.ClientConn
	api    candorv1.ObjectServiceClient
}

func readerOf(t testing.TB, c *servertest.Cluster, s *server.Server) *reader {
	t.Helper()
	conn := dial(t, c, s.Name())
	return &reader{server: s, conn: conn, api: candorv1.NewObjectServiceClient(conn)}
}

func readersOf(t testing.TB, c *servertest.Cluster) (out []*reader) {
	for _, s := range c.Servers() {
		out = append(out, readerOf(t, c, s))
	}
	return out
}

// get reads the default namespace. A refusal is an error of its reason and has a
// witness too; one that the caller's deadline outran is TIMED_OUT and has none.
func (r *reader) get(t testing.TB, read *candorv1.ReadOptions, patience time.Duration) (*candor.Witness, error) {
	t.Helper()
	ctx, cancel := within(patience)
	defer cancel()
	out, err := r.api.Get(ctx, &candorv1.GetRequest{Kind: string(candor.KindNamespaces), Name: "default", Read: read})
	if err == nil {
		return convert.WitnessFromProto(out.GetWitness()), nil
	}
	return refusal(t, err)
}

func refusal(t testing.TB, err error) (*candor.Witness, error) {
	t.Helper()
	refused, answered := convert.Refusal(err)
	switch {
	case answered && refused.Witness == nil:
		t.Fatalf("refused without a witness: %v", refused)
	case !answered && status.Code(err) != codes.DeadlineExceeded:
		t.Fatalf("not answered: %v", err)
	case !answered:
		return nil, candor.Errorf(candor.ReasonTimedOut, "%w", err)
	}
	return refused.Witness, refused
}

// served is get for a read that must be served.
func (r *reader) served(t testing.TB, read *candorv1.ReadOptions) *candor.Witness {
	t.Helper()
	w, err := r.get(t, read, 5*time.Second)
	if err != nil {
		t.Fatalf("%s refuses %v: %v", r.server.Name(), read, err)
	}
	return w
}

// refused is get for a read that must be refused with a reason.
func (r *reader) refused(t testing.TB, read *candorv1.ReadOptions, want ...candor.Reason) *candor.Witness {
	t.Helper()
	w, err := r.get(t, read, 5*time.Second)
	if err == nil {
		t.Fatalf("%s serves %v: %+v", r.server.Name(), read, w)
	}
	wantReason(t, err, want...)
	return w
}

func (r *reader) freshness(t testing.TB) *candorv1.FreshnessStatus {
	t.Helper()
	ctx, cancel := within(5 * time.Second)
	defer cancel()
	out, err := candorv1.NewDiagnosticsServiceClient(r.conn).Node(ctx, &candorv1.NodeRequest{})
	if err != nil {
		t.Fatalf("diagnostics of %s: %v", r.server.Name(), err)
	}
	return out.GetFreshness()
}

// findings are the reasons of those that the server tells of itself.
func (r *reader) findings(t testing.TB) map[string]bool {
	t.Helper()
	ctx, cancel := within(5 * time.Second)
	defer cancel()
	out, err := candorv1.NewClusterServiceClient(r.conn).Status(ctx, &candorv1.StatusRequest{})
	if err != nil {
		t.Fatalf("status of %s: %v", r.server.Name(), err)
	}
	found := map[string]bool{}
	for _, f := range out.GetFindings() {
		found[f.GetReason()] = true
	}
	return found
}

func strong() *candorv1.ReadOptions { return &candorv1.ReadOptions{} }

// anywhere is STRONG of any node.
func anywhere() *candorv1.ReadOptions { return &candorv1.ReadOptions{AllowFollowerReadIndex: true} }

func bounded(by time.Duration) *candorv1.ReadOptions {
	return &candorv1.ReadOptions{Freshness: candorv1.Freshness_FRESHNESS_BOUNDED, MaxStaleness: durationpb.New(by)}
}

// lagging is BOUNDED by a day and so many entries.
func lagging(entries uint64) *candorv1.ReadOptions {
	o := bounded(24 * time.Hour)
	o.MaxRootLag = &entries
	return o
}

func weak() *candorv1.ReadOptions {
	return &candorv1.ReadOptions{Freshness: candorv1.Freshness_FRESHNESS_BEST_EFFORT}
}

func requiring(o *candorv1.ReadOptions, token candor.Token) *candorv1.ReadOptions {
	o.RequiredRootToken = &candorv1.PortableToken{Token: convert.TokenToProto(token)}
	return o
}

// ledger is what was acknowledged, and when. It knows what a bound may claim.
type ledger struct {
	mu   sync.Mutex
	acks []acknowledgement
}

type acknowledgement struct {
	at    time.Time
	token candor.Token
}

func (l *ledger) acknowledged(token candor.Token) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acks = append(l.acks, acknowledgement{time.Now(), token})
}

// honest fails unless what a witness claims is true of a read that was asked for
// at a moment: the view holds everything that was acknowledged longer before than
// its bound, and a lag of nothing misses nothing that is that old.
func (l *ledger) honest(t testing.TB, w *candor.Witness, asked time.Time) {
	t.Helper()
	switch {
	case w.RootLag != nil && *w.RootLag == 0 && w.StalenessBound == nil:
		t.Errorf("lag 0 without a bound: %+v", w)
	case w.CurrentToken != nil && w.RootLag != nil && w.CurrentToken.Index > w.ServedToken.Index+*w.RootLag:
		t.Errorf("lag %d at %s with the root known at %s", *w.RootLag, w.ServedToken, w.CurrentToken)
	case w.Class == candor.ServingAuthoritative && w.StalenessBound == nil:
		t.Errorf("an authoritative answer without a bound: %+v", w)
	}
	if w.StalenessBound == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.acks {
		before := a.at.Before(asked.Add(-*w.StalenessBound))
		if w.Class == candor.ServingAuthoritative {
			before = a.at.Before(asked)
		}
		if before && !w.ServedToken.Covers(a.token) {
			t.Errorf("the view at %s claims a bound of %s and misses %s, acknowledged %s before the read", w.ServedToken, *w.StalenessBound, a.token, asked.Sub(a.at))
		}
	}
}

// notProvenAfter fails if a witness claims to know anything of a time after a
// moment at which its node was cut off.
func notProvenAfter(t testing.TB, w *candor.Witness, cut time.Time) {
	t.Helper()
	if w.StalenessBound != nil && time.Now().Add(-*w.StalenessBound).After(cut) {
		t.Errorf("cut off %s ago, it claims a bound of %s", time.Since(cut), *w.StalenessBound)
	}
	if w.StalenessBound != nil && w.RootLag == nil || w.ServedByLeader || w.Class == candor.ServingAuthoritative {
		t.Errorf("cut off %s ago, it claims %+v", time.Since(cut), w)
	}
}
