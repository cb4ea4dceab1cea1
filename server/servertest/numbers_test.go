package servertest_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server/servertest"
	"github.com/candor-plane/candor/verify/numbers"
)

// valueOf is the frontier that a duty's numbers move.
func valueOf(duty string) func(tenure.Frontiers) uint64 {
	if duty == tsoDuty {
		return func(f tenure.Frontiers) uint64 { return f.Timestamp }
	}
	return func(f tenure.Frontiers) uint64 { return f.ID }
}

// takers ask every server for IDs and timestamps, whoever holds the duties, and note
// every answer: at each server one of either kind that gives up soon, and one that waits
// as long as any server here is away, so that late answers are noted too.
type takers struct {
	recorder *numbers.Recorder
	stop     context.CancelFunc
	wait     sync.WaitGroup
}

const (
	takesHastily   = 300 * time.Millisecond
	takesPatiently = 40 * time.Second

	rarely, often = 400, 20
)

// takeNumbers begins at every server that runs. Of so many calls one is for thousands:
// the more, the sooner a holder needs the root for more.
func takeNumbers(t testing.TB, c *servertest.Cluster, large int) *takers {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	n := &takers{recorder: numbers.NewRecorder(), stop: stop}
	t.Cleanup(n.end)
	for i, s := range c.Servers() {
		stub, holder := candorv1.NewAllocServiceClient(linked(t, c, s.Name())), holderOf(s)
		for j := range 4 {
			duty, random := []string{idsDuty, tsoDuty}[j%2], rand.New(rand.NewPCG(uint64(i), uint64(j)))
			wait := []time.Duration{takesHastily, takesPatiently}[j/2]
			n.wait.Go(func() {
				for ctx.Err() == nil {
					count := uint64(1 + random.IntN(9))
					if random.IntN(large) == 0 {
						count = 10_000
					}
					pause := 3000 + random.IntN(9000)
					if err := n.recorder.Ask(duty, holder, func() (uint64, uint64, uint64, error) { return take(ctx, stub, duty, wait, count) }); err != nil {
						pause *= 4
					}
					time.Sleep(time.Duration(pause) * time.Microsecond)
				}
			})
		}
	}
	return n
}

// take asks once; a call that is under way when ctx ends goes on.
func take(ctx context.Context, stub candorv1.AllocServiceClient, duty string, wait time.Duration, count uint64) (first, n, era uint64, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wait)
	defer cancel()
	if duty == tsoDuty {
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

// finish waits for answers as await does, and ends.
func (n *takers) finish(t testing.TB, c *servertest.Cluster) {
	t.Helper()
	n.await(t, c)
	n.end()
}

// await waits for an answer of the newest era of either duty.
func (n *takers) await(t testing.TB, c *servertest.Cluster) {
	t.Helper()
	for _, duty := range []string{idsDuty, tsoDuty} {
		c.Until("an answer of the newest era of "+duty, func() bool {
			answers := n.of(duty)
			return len(answers) > 0 && answers[len(answers)-1].Era == lineage(t, c.Leader(), duty).Current.Number
		})
	}
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

// highest is the highest number that an era handed out.
func (n *takers) highest(duty string, era uint64) (highest uint64) {
	for _, a := range n.of(duty) {
		if a.Era == era {
			highest = max(highest, a.Last())
		}
	}
	return highest
}

// newest is the number that was handed out last.
func (n *takers) newest(duty string) uint64 {
	answers := n.of(duty)
	if len(answers) == 0 {
		return 0
	}
	return answers[len(answers)-1].Last()
}

// judge holds every answer against what is promised, of a history that had so many
// eras at least. Refusals have to be of the kinds that tell a caller to go elsewhere or
// come again.
func (n *takers) judge(t testing.TB, c *servertest.Cluster, eras int) {
	t.Helper()
	for _, duty := range []string{idsDuty, tsoDuty} {
		answers, of := n.of(duty), map[uint64]int{}
		for _, a := range answers {
			of[a.Era]++
		}
		if len(answers) < 50 || len(of) < eras {
			t.Errorf("INCONCLUSIVE: %d answers of %s in %d eras, want 50 in %d", len(answers), duty, len(of), eras)
		}
		found := numbers.Check(answers, duty == tsoDuty)
		found = append(found, numbers.CheckSeals(answers, versions(t, c.Leader(), duty), valueOf(duty))...)
		for i, v := range found {
			if i < 5 {
				t.Error(v)
			}
		}
		if len(found) > 5 {
			t.Errorf("%d violations in all", len(found))
		}
		t.Logf("%s: %d answers by era %v", duty, len(answers), of)
	}
	for reason, count := range n.recorder.Refused() {
		switch reason {
		case candor.ReasonNotHosted, candor.ReasonSchedulerDegraded, candor.ReasonUnavailable, candor.ReasonTimedOut, candor.ReasonCanceled, candor.ReasonShuttingDown:
		default:
			t.Errorf("%d calls were refused with %s", count, reason)
		}
	}
	t.Logf("refused: %v", n.recorder.Refused())
}
