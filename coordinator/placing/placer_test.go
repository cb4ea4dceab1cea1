package placing_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/placing"
)

func TestWhatWaitsIsPlacedInBatches(t *testing.T) {
	if testing.Short() {
		t.Skip("600 replays take 17 s under the race detector; make test has them")
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var all []*candor.Object
		for i := range 10 {
			all = append(all, node(fmt.Sprint("w", i), 60))
		}
		for i := range 600 {
			all = append(all, instance(fmt.Sprint("i", i), 0))
		}
		w.put(all...)
		p, end := w.run()
		if batches, _ := w.proposed(); batches != 3 {
			t.Errorf("600 instances took %d batches", batches)
		}
		perNode := map[string]int{}
		for i := range 600 {
			perNode[w.status(fmt.Sprint("i", i)).Node]++
		}
		if len(perNode) != 10 || perNode["w0"] != 60 {
			t.Errorf("%v", perNode)
		}
		if s := p.Stats(); s.Placed != 600 || s.Active+s.Proposed+s.Blocked != 0 {
			t.Errorf("%+v", s)
		}
		if n, _ := w.wantReplays(); n != 600 {
			t.Errorf("%d decisions were recorded", n)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

func TestARefusedPlacementIsDecidedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		refused := 0
		w.refuse = func(p placing.Placement) candor.Reason {
			if refused < 3 && p.Instance.Name == "a" {
				refused++
				return candor.ReasonCapacityExceeded
			}
			return ""
		}
		w.put(node("w1", 4), instance("a", 0), instance("b", 0))
		_, end := w.run()
		if got := w.status("a"); refused != 3 || got.Node != "w1" || got.Decision.Refusal != "" {
			t.Errorf("after %d refusals: %+v", refused, got)
		}
		if n, _ := w.wantReplays(); n != 5 {
			t.Errorf("%d decisions were recorded: three refusals, and two places", n)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

func TestThatNothingFitsIsRecordedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(node("w1", 1), instance("a", 5), instance("b", 5), instance("c", 5))
		p, end := w.run()
		first := w.status("b")
		if first.Decision == nil || first.Decision.Verdict != candor.VerdictNothingFits || len(first.Decision.Reasons) != 1 || first.Decision.Reasons[0].Nodes != 1 {
			t.Fatalf("%+v", first.Decision)
		}
		if waiting, ok := p.Waiting(instanceRef("b")); !ok || waiting.Wakes == 0 {
			t.Errorf("%+v, %t", waiting, ok)
		}
		before := p.Stats().NothingFits
		for i := range 5 { // each has it looked at anew, and there is nothing new to say
			w.put(budget("some", "group=p5", int32(i)))
			synctest.Wait()
		}
		if s := p.Stats(); s.NothingFits != before+5 || s.Repeated != 5 {
			t.Errorf("%+v", s)
		}
		if batches, _ := w.proposed(); batches != 1 || w.status("b").Decision.ID != first.Decision.ID {
			t.Errorf("it was proposed in %d batches", batches)
		}
		w.put(node("w3", 2))
		synctest.Wait()
		if w.status("b").Node != "w3" || w.status("c").Node != "w3" {
			t.Errorf("%+v, %+v", w.status("b"), w.status("c"))
		}
		w.wantReplays()
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

// What was decided beside places that nobody took is not left to wait for a change
// that has happened.
func TestABatchThatDoesNotGetThroughIsDecidedAgainWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(node("w1", 1), instance("low", 0))
		p, end := w.run()
		// low is there; a takes the room that it leaves, b has none beside a.
		b := instance("b", 0)
		w.put(b)
		synctest.Wait()
		if _, waits := p.Waiting(instanceRef("b")); !waits {
			t.Fatal("b does not wait")
		}
		w.before = func() error {
			w.before = nil
			// a is gone when nobody knows whether it was placed.
			w.write(nil, []candor.Ref{instanceRef("a")})
			return candor.Errorf(candor.ReasonOutcomeUnknown, "nobody knows")
		}
		w.mu.Lock()
		w.write([]*candor.Object{instance("a", 0)}, []candor.Ref{instanceRef("low")})
		w.mu.Unlock()
		synctest.Wait()
		time.Sleep(time.Second)
		if got := w.status("b"); got.Node != "w1" {
			t.Errorf("b is left behind: %+v", got)
		}
		w.wantReplays()
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

func TestPreemptionTakesWhatBudgetsAllow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(node("w1", 1), node("w2", 1), node("w3", 1), instance("a", 0), instance("b", 0), instance("c", 0), budget("keep", "group=p0", 1))
		p, end := w.run()
		w.put(instance("x", 5), instance("y", 5))
		synctest.Wait()
		time.Sleep(time.Second)
		x, y := w.status("x"), w.status("y")
		if x.Nominated == "" || len(x.Decision.Victims) != 1 || x.Decision.Verdict != candor.VerdictNominated {
			t.Fatalf("%+v", x)
		}
		if y.Nominated != "" || y.Decision.Verdict != candor.VerdictNothingFits {
			t.Fatalf("the budget allows one: %+v", y)
		}
		_, victim := candor.SplitKey(x.Decision.Victims[0])
		if _, evictions := w.proposed(); evictions != 1 {
			t.Errorf("%d evictions", evictions)
		}
		var left candor.DisruptionBudgetStatus
		if err := json.Unmarshal(w.objects[candor.Ref{Kind: candor.KindDisruptionBudgets, Namespace: "default", Name: "keep"}].Status, &left); err != nil {
			t.Fatal(err)
		}
		if left.Allowed != 0 || !slices.Equal(left.Disrupted, []string{"uid-" + victim}) {
			t.Errorf("%+v", left)
		}
		w.end(victim)
		synctest.Wait()
		if got := w.status("x"); got.Node != x.Nominated || got.Nominated != "" {
			t.Errorf("%+v", got)
		}
		w.put(budget("keep", "group=p0", 1))
		synctest.Wait()
		if got := w.status("y"); got.Nominated == "" {
			t.Errorf("%+v, %+v", got, p.Stats())
		}
		w.wantReplays()
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

// A budget that changes under an eviction lets nothing of it happen; the rest of the
// batch, which supposed it, is not proposed either.
func TestAnEvictionThatConflictsTakesTheRestOfItsBatchWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(node("w1", 1), node("w2", 1), instance("a", 0), instance("b", 0))
		_, end := w.run()
		// x takes the place of a or b; low, after x, sees a new node with room for one.
		conflicts := 0
		w.before = func() error {
			if conflicts == 0 && len(w.evictions) == 1 && len(w.batches) == 1 {
				conflicts++
				return candor.Errorf(candor.ReasonConflict, "a budget has changed")
			}
			return nil
		}
		w.put(instance("x", 5), instance("y", 5), instance("low", 0))
		synctest.Wait()
		time.Sleep(time.Second)
		if conflicts != 1 || w.status("x").Nominated == "" || w.status("y").Nominated == "" || w.status("x").Nominated == w.status("y").Nominated {
			t.Errorf("%d, %+v, %+v", conflicts, w.status("x"), w.status("y"))
		}
		w.end("a")
		w.end("b")
		synctest.Wait()
		if w.status("x").Node == "" || w.status("y").Node == "" || w.status("low").Node != "" {
			t.Errorf("%+v, %+v, %+v", w.status("x"), w.status("y"), w.status("low"))
		}
		w.wantReplays()
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

func TestTheEndOfTheEraEndsTheRun(t *testing.T) {
	for _, reason := range []candor.Reason{candor.ReasonEraStale, candor.ReasonForbidden} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.before = func() error { return candor.Errorf(reason, "another holds the duty") }
			w.put(node("w1", 1), instance("a", 0))
			_, end := w.run()
			if batches, _ := w.proposed(); batches != 1 {
				t.Errorf("it proposed %d times", batches)
			}
			if err := end(); candor.ReasonOf(err) != reason {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAnObjectThatCannotBeReadHarmsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		broken, worse := instance("broken", 0), node("w2", 1)
		broken.Spec, worse.Observed = []byte(`{"resources":[]}`), []byte(`{"capacity":7}`)
		crooked := budget("crooked", "a=b=c", 1)
		w.put(node("w1", 1), broken, worse, crooked, instance("a", 0))
		_, end := w.run()
		if w.status("a").Node != "w1" || w.status("broken").Decision != nil {
			t.Errorf("%+v, %+v", w.status("a"), w.status("broken"))
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

// TestEverythingThatIsRecordedReplays: instances, nodes and budgets come, change and go,
// also between a decision and its turn; turns are refused, conflict or go missing.
func TestEverythingThatIsRecordedReplays(t *testing.T) {
	seeds := uint64(8)
	if testing.Short() {
		seeds = 2 // under the race detector each takes 3 s
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) {
			// The world, under its lock, has one sequence, and whoever upsets it another.
			random, pace := rand.New(rand.NewPCG(seed, 6)), rand.New(rand.NewPCG(seed, 7))
			w := newWorld(t)
			w.vanished = true
			w.refuse = func(p placing.Placement) candor.Reason {
				if p.Node != "" && random.IntN(10) == 0 {
					return candor.ReasonNodeUnavailable
				}
				return ""
			}
			w.before = func() error {
				switch random.IntN(12) {
				case 0:
					return candor.Errorf(candor.ReasonConflict, "something has changed")
				case 1:
					return candor.Errorf(candor.ReasonOutcomeUnknown, "nobody knows")
				}
				return nil
			}
			p, end := w.run()
			born := 0
			for range 120 {
				w.mu.Lock()
				w.upheave(random, &born)
				if random.IntN(3) == 0 {
					w.meanwhile = func() { w.upheave(random, &born) }
				}
				w.mu.Unlock()
				if pace.IntN(2) == 0 {
					synctest.Wait()
				}
				time.Sleep(time.Duration(pace.IntN(100)) * time.Millisecond)
			}
			time.Sleep(10 * time.Second)
			if s := p.Stats(); s.Active+s.Proposed != 0 {
				t.Errorf("seed %d: %+v", seed, s)
			}
			if n, missing := w.wantReplays(); n < 100 || missing > n/10 {
				t.Errorf("seed %d: %d decisions replay, of %d something is missing", seed, n, missing)
			}
			if err := end(); err != nil {
				t.Error(err)
			}
		})
	}
}

// upheave makes one random revision.
func (w *world) upheave(random *rand.Rand, born *int) {
	name := func() string { return fmt.Sprint("i", random.IntN(max(1, *born))) }
	switch random.IntN(7) {
	case 0:
		n := node(fmt.Sprint("w", random.IntN(5)), 1+random.IntN(4))
		if old := w.objects[refOf(n)]; old != nil {
			n.Metadata.UID = old.Metadata.UID
		}
		w.write([]*candor.Object{n}, nil)
	case 1:
		b := budget("some", fmt.Sprint("group=p", random.IntN(2)), int32(random.IntN(3)))
		w.write([]*candor.Object{b}, nil)
	case 2, 3:
		if ref := instanceRef(name()); w.objects[ref] != nil {
			w.write(nil, []candor.Ref{ref})
		}
	default:
		var all []*candor.Object
		for range 1 + random.IntN(5) {
			all = append(all, instance(fmt.Sprint("i", *born), int32(random.IntN(3))))
			*born++
		}
		w.write(all, nil)
	}
}
