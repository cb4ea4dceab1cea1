package integration

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/coordinator"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/verify/numbers"
)

// tenureLasts is how long a tenure lasts without renewal.
var tenureLasts = coordinator.Defaults().Duration

// takers ask every server for IDs and timestamps, whoever holds the duties, and note
// every answer: at each server one of either kind that gives up soon, and one that
// waits as long as any server here is away, so that late answers are noted too.
type takers struct {
	*cluster
	k        *client.Client
	recorder *numbers.Recorder
	conns    map[*process]*grpc.ClientConn
	holders  map[*process]string
	stop     context.CancelFunc
	wait     sync.WaitGroup
}

const (
	takesHastily   = 300 * time.Millisecond
	takesPatiently = 40 * time.Second
)

func (c *cluster) take(ctx context.Context, k *client.Client) *takers {
	c.t.Helper()
	asking, stop := context.WithCancel(ctx)
	n := &takers{cluster: c, k: k, recorder: numbers.NewRecorder(), conns: map[*process]*grpc.ClientConn{}, holders: map[*process]string{}, stop: stop}
	c.t.Cleanup(n.end)
	for i, p := range c.servers {
		until(ctx, c.t, "an answer of "+p.name, func() bool {
			status, err := k.Cluster().Status(ctx, client.OnEndpoint(p.api))
			if err != nil {
				return false
			}
			n.holders[p] = "server/" + status.Witness.NodeID
			return true
		})
		n.conns[p] = c.linked(p)
		stub, holder := candorv1.NewAllocServiceClient(n.conns[p]), n.holders[p]
		for j := range 4 {
			duty, wait, random := []string{tenure.DutyIDs, tenure.DutyTSO}[j%2], []time.Duration{takesHastily, takesPatiently}[j/2], rand.New(rand.NewPCG(uint64(i), uint64(j)))
			n.wait.Go(func() {
				for asking.Err() == nil {
					_ = n.recorder.Ask(duty, holder, func() (uint64, uint64, uint64, error) {
						return takeSome(ctx, stub, duty, wait, uint64(1+random.IntN(20)))
					})
					passes(asking, time.Duration(5000+random.IntN(10_000))*time.Microsecond)
				}
			})
		}
	}
	return n
}

// linked connects to one server, and again soon after it was away.
func (c *cluster) linked(p *process) *grpc.ClientConn {
	c.t.Helper()
	soon := backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.2, MaxDelay: 100 * time.Millisecond}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithConnectParams(grpc.ConnectParams{Backoff: soon, MinConnectTimeout: time.Second}),
	}
	if c.links != nil {
		options = append(options, grpc.WithContextDialer(c.links.client))
	}
	conn, err := grpc.NewClient("passthrough:///"+p.api, options...)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func takeSome(ctx context.Context, stub candorv1.AllocServiceClient, duty string, wait time.Duration, count uint64) (first, n, era uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if duty == tenure.DutyTSO {
		answer, err := stub.AllocTimestamps(ctx, &candorv1.AllocTimestampsRequest{Count: count})
		return answer.GetFirst(), answer.GetCount(), answer.GetEra(), convert.ErrorFromStatus(err)
	}
	answer, err := stub.AllocIDs(ctx, &candorv1.AllocIDsRequest{Count: count})
	return answer.GetFirst(), answer.GetCount(), answer.GetEra(), convert.ErrorFromStatus(err)
}

func (n *takers) end() {
	n.stop()
	n.wait.Wait()
}

// of are the answers of one duty.
func (n *takers) of(duty string) (out []numbers.Answer) {
	for _, a := range n.recorder.Answers() {
		if a.Duty == duty {
			out = append(out, a)
		}
	}
	return out
}

// first waits for the first answer to a question of after an instant that is of another
// holder than one, and returns how long after the instant it came.
func (n *takers) first(ctx context.Context, duty, but string, after time.Time) time.Duration {
	n.t.Helper()
	var took time.Duration
	until(ctx, n.t, "an answer of "+duty+" by another than "+but, func() bool {
		for _, a := range n.of(duty) {
			if a.Asked.After(after) && a.Holder != but {
				took = a.Told.Sub(after)
				return true
			}
		}
		return false
	})
	return took
}

// lineages are what a duty's object said, oldest first.
func (n *takers) lineages(ctx context.Context, duty string) (out []tenure.Lineage) {
	n.t.Helper()
	var h *client.History
	until(ctx, n.t, "the history of "+duty, func() (ok bool) {
		var err error
		h, err = n.k.History(ctx, candor.Ref{Kind: candor.KindTenures, Name: duty})
		return err == nil
	})
	for _, v := range h.Versions {
		l, err := tenure.ReadStatus(v.Object.Status)
		if err != nil {
			n.t.Fatal(err)
		}
		out = append(out, l)
	}
	slices.Reverse(out)
	return out
}

// settled waits until every duty is held and every handover is over, and returns who
// holds one of them.
func (n *takers) settled(ctx context.Context, duty string) *process {
	n.t.Helper()
	var holder *process
	until(ctx, n.t, "every handover to end", func() bool {
		for _, one := range []string{tenure.DutyJanitor, tenure.DutyIDs, tenure.DutyTSO} {
			all := n.lineages(ctx, one)
			if len(all) == 0 {
				return false
			}
			l := all[len(all)-1]
			if l.Current.State != tenure.StateActive || len(l.Unfinished) > 0 {
				return false
			}
			for p, id := range n.holders {
				if one == duty && id == l.Current.Holder {
					holder = p
				}
			}
		}
		return holder != nil
	})
	return holder
}

// move has a duty handed to another server.
func (n *takers) move(ctx context.Context, duty string, to *process) (took time.Duration) {
	n.t.Helper()
	from := n.settled(ctx, duty)
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	answer, err := candorv1.NewTenureServiceClient(n.conns[from]).TransferTenure(ctx, &candorv1.TransferTenureRequest{Duty: duty, Server: to.name})
	if err != nil || answer.GetTenure().GetCurrent().GetHolderName() != to.name {
		n.t.Fatalf("move %s from %s to %s: %v, %v", duty, from.name, to.name, answer, convert.ErrorFromStatus(err))
	}
	return time.Since(began)
}

// judge ends the questions and holds every answer against what is promised, and the
// chain of eras with them, of which there must be so many at least.
func (n *takers) judge(ctx context.Context, eras int) {
	n.t.Helper()
	n.settled(ctx, tenure.DutyTSO)
	n.end()
	for _, duty := range []string{tenure.DutyJanitor, tenure.DutyIDs, tenure.DutyTSO} {
		chain := n.lineages(ctx, duty)
		if v := tenure.Audit(chain); v != nil {
			n.t.Error(v)
		}
		if duty == tenure.DutyJanitor {
			continue
		}
		value := func(f tenure.Frontiers) uint64 { return f.ID }
		if duty == tenure.DutyTSO {
			value = func(f tenure.Frontiers) uint64 { return f.Timestamp }
		}
		answers, of := n.of(duty), map[uint64]int{}
		for _, a := range answers {
			of[a.Era]++
		}
		if len(answers) < 50 || len(of) < eras {
			n.t.Errorf("INCONCLUSIVE: %d answers of %s in %d eras, want 50 in %d", len(answers), duty, len(of), eras)
		}
		found := append(numbers.Check(answers, duty == tenure.DutyTSO), numbers.CheckSeals(answers, chain, value)...)
		for _, v := range found[:min(5, len(found))] {
			n.t.Error(v)
		}
		n.t.Logf("%s: %d answers by era %v", duty, len(answers), of)
	}
	for reason, count := range n.recorder.Refused() {
		switch reason {
		case candor.ReasonNotHosted, candor.ReasonSchedulerDegraded, candor.ReasonUnavailable, candor.ReasonTimedOut, candor.ReasonCanceled, candor.ReasonShuttingDown:
		default:
			n.t.Errorf("%d calls were refused with %s", count, reason)
		}
	}
	n.t.Logf("refused: %v", n.recorder.Refused())
}

// next is one of the servers, but not the one given.
func (n *takers) next(but *process, turn int) *process {
	rest := slices.DeleteFunc(slices.Clone(n.servers), func(p *process) bool { return p == but })
	return rest[turn%len(rest)]
}
