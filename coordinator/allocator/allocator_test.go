package allocator_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/allocator"
)

// call is what a history records: the range, and the highest number that had been
// answered before the call began.
type call struct {
	allocator.Range
	before uint64
}

type history struct {
	mu      sync.Mutex
	calls   []call
	highest atomic.Uint64
}

// one makes a call and checks what must hold the moment that it is answered.
func (h *history) one(t *testing.T, r *root, n uint64, take func(context.Context, uint64) (allocator.Range, error)) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	before := h.highest.Load()
	got, err := take(ctx, n)
	if err != nil {
		switch candor.ReasonOf(err) {
		case candor.ReasonTimedOut, candor.ReasonSchedulerDegraded:
		default:
			t.Errorf("%v", err)
		}
		return
	}
	if durable := r.durable(); got.Last() > durable || got.Count != n {
		t.Errorf("%d to %d left while %d is durable", got.First, got.Last(), durable)
	}
	for {
		highest := h.highest.Load()
		if got.Last() <= highest || h.highest.CompareAndSwap(highest, got.Last()) {
			break
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, call{got, before})
}

func (h *history) check(t *testing.T, rising bool) {
	slices.SortFunc(h.calls, func(a, b call) int {
		if a.First < b.First {
			return -1
		}
		return 1
	})
	eras := map[uint64]int{}
	for i, c := range h.calls {
		eras[c.Era]++
		if i > 0 && c.First <= h.calls[i-1].Last() {
			t.Errorf("%+v and %+v overlap", h.calls[i-1], c)
		}
		if i > 0 && c.Era < h.calls[i-1].Era {
			t.Errorf("era %d is above a number of era %d", h.calls[i-1].Era, c.Era)
		}
		if rising && c.First <= c.before {
			t.Errorf("%+v is not above what was answered before", c)
		}
	}
	if len(eras) < 7 || len(h.calls) < 300 {
		t.Errorf("%d calls in %d eras prove little", len(h.calls), len(eras))
	}
}

// life is what an era does: it hands out, and ends gracefully or in a crash.
type life struct {
	take  func(context.Context, uint64) (allocator.Range, error)
	close func() uint64
	crash func()
}

// lives runs eras one after another on one root that forgets to answer. Half of them
// hand over gracefully; the others crash, their callers go on, and the successor
// begins above all that they had reserved.
func lives(t *testing.T, seed uint64, rising bool, begin func(settings allocator.Settings, r allocator.Reserve) life) {
	r := &root{faults: rand.New(rand.NewPCG(seed, 1))}
	h := &history{}
	start := uint64(1000)
	var callers sync.WaitGroup
	for era := uint64(1); era <= 10; era++ {
		if bound := r.seal(era); era%2 == 0 {
			start = bound
		}
		l := begin(settings(era, start), holder{r, era})
		for i := range 8 {
			sizes := rand.New(rand.NewPCG(seed, era<<8|uint64(i)))
			callers.Go(func() {
				for range 150 {
					h.one(t, r, 1+sizes.Uint64N(40), l.take)
					time.Sleep(time.Duration(sizes.IntN(1000)) * time.Microsecond)
				}
			})
		}
		time.Sleep(150 * time.Millisecond)
		if era%2 == 0 {
			start = l.close()
			continue
		}
		l.crash()
	}
	callers.Wait()
	h.check(t, rising)
}

func TestNoIDIsHandedOutTwiceWhateverCrashes(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			lives(t, seed, false, func(s allocator.Settings, r allocator.Reserve) life {
				s.Ahead = 256
				ids := newIDs(t, s, r)
				// The fence is enough: whoever was cut off goes on with what it had reserved.
				return life{ids.AllocID, ids.Close, func() {}}
			})
		})
	}
}

func TestTimestampsRiseAcrossHoldersAndCallers(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			lives(t, seed, true, func(s allocator.Settings, r allocator.Reserve) life {
				s.Ahead = 8 << allocator.LogicalBits
				believes := believing()
				tso := newTSO(t, s, r, believes)
				return life{tso.TSO, tso.Close, believes.lose}
			})
		})
	}
}

// The check above has power: without belief, a holder that was cut off repeats the past.
func TestWithoutBeliefTimestampsFallBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &root{era: 1}
		old := newTSO(t, settings(1, 0), holder{r, 1}, believing())
		if _, err := old.TSO(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		bound := r.seal(2)
		young := newTSO(t, settings(2, bound), holder{r, 2}, believing())
		first, err := young.TSO(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		late, err := old.TSO(t.Context(), 1)
		if err != nil || late.First >= first.First {
			t.Errorf("a holder that should not believe answers %+v (%v) after %+v", late, err, first)
		}
	})
}

// A reservation that hangs holds back those that need it, and each only for as long as
// it is willing to wait.
func TestADeadlineIsHonouredInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &root{released: make(chan struct{})}
		s := settings(1, 0)
		s.MaxWaiting, s.ReserveTimeout = 3, time.Hour
		ids := newIDs(t, s, r)
		patient := make(chan allocator.Range)
		go func() {
			got, err := ids.AllocID(t.Context(), 7)
			if err != nil {
				t.Error(err)
			}
			patient <- got
		}()
		synctest.Wait()
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := ids.AllocID(ctx, 1)
		wantReason(t, err, candor.ReasonTimedOut)
		if waited := time.Since(began); waited != 50*time.Millisecond {
			t.Errorf("it waited %s", waited)
		}
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		_, err = ids.AllocID(ctx, 1)
		wantReason(t, err, candor.ReasonCanceled)

		var others sync.WaitGroup
		for range 2 {
			others.Go(func() {
				if _, err := ids.AllocID(t.Context(), 1); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		_, err = ids.AllocID(t.Context(), 1)
		wantReason(t, err, candor.ReasonSchedulerDegraded)
		close(r.released)
		others.Wait()
		if got := <-patient; got != (allocator.Range{First: 1, Count: 7, Era: 1}) {
			t.Errorf("the first in line got %+v", got)
		}
		if stats := ids.Stats(); stats.Waited != 4 || stats.Calls != 3 || stats.Refused != 1 || stats.Window.Used != 9 {
			t.Errorf("%+v", stats)
		}
	})
}

// A small request that would fit does not overtake a big one that waits.
func TestTheLineIsFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &root{}
		s := settings(1, 0)
		s.Ahead = 10
		ids := newIDs(t, s, r)
		if _, err := ids.AllocID(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		r.mu.Lock()
		r.released = make(chan struct{})
		r.mu.Unlock()
		big, small := make(chan allocator.Range, 1), make(chan allocator.Range, 1)
		for _, call := range []struct {
			n    uint64
			into chan allocator.Range
		}{{500, big}, {1, small}} {
			go func() {
				got, err := ids.AllocID(t.Context(), call.n)
				if err != nil {
					t.Error(err)
				}
				call.into <- got
			}()
			synctest.Wait()
		}
		if ids.Stats().Waiting != 2 {
			t.Errorf("%+v", ids.Stats())
		}
		close(r.released)
		if big, small := <-big, <-small; big.First != 2 || small.First != 502 {
			t.Errorf("the big one got %+v, the small one behind it %+v", big, small)
		}
	})
}

// Whoever asked for more may have left, and what was asked for may be in the root.
func TestTheRootNeverSeesABoundFall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &root{refusal: candor.Errorf(candor.ReasonOutcomeUnknown, "nobody knows")}
		ids := newIDs(t, settings(1, 0), r)
		for _, n := range []uint64{allocator.MaxIDs, 1} {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			_, err := ids.AllocID(ctx, n)
			cancel()
			wantReason(t, err, candor.ReasonTimedOut)
		}
		time.Sleep(5 * time.Second)
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.bounds) < 5 || !slices.IsSorted(r.bounds) {
			t.Errorf("asked for %d", r.bounds)
		}
	})
}

func TestOneReservationServesAllThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &root{delay: time.Millisecond}
		ids := newIDs(t, settings(1, 0), r)
		began := time.Now()
		var callers sync.WaitGroup
		for range 64 {
			callers.Go(func() {
				if _, err := ids.AllocID(t.Context(), 10); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		// The first of them may have asked for itself alone.
		if asked, took := r.asks(), time.Since(began); asked > 2 || took > 2*time.Millisecond {
			t.Errorf("%d reservations, %s", asked, took)
		}
	})
}

// A steady caller waits once, for the first reservation; from then on half of what is
// reserved is left when the next one begins.
func TestReservationsComeAheadOfNeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &root{delay: 5 * time.Millisecond}
		s := settings(1, 0)
		s.Ahead = 1000
		ids := newIDs(t, s, r)
		tso := newTSO(t, settings(1, 0), r, believing())
		for range 5000 {
			if _, err := ids.AllocID(t.Context(), 10); err != nil {
				t.Fatal(err)
			}
			if _, err := tso.TSO(t.Context(), 10); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		if ids, tso := ids.Stats(), tso.Stats(); ids.Waited != 1 || tso.Waited != 1 || ids.Reservations > 110 || tso.Reservations > 6 {
			t.Errorf("IDs %+v, timestamps %+v", ids, tso)
		}
	})
}

func TestTimestampsAreClusterTimeAndNeverBelowTheFrontier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		tso := newTSO(t, settings(3, 5), &root{}, believing())
		got, err := tso.TSO(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		if at, logical := allocator.Split(got.First); at != time.Hour || logical != 0 || got.Era != 3 {
			t.Errorf("at %s the first is %s, %d, era %d", time.Since(began), at, logical, got.Era)
		}
		time.Sleep(time.Second)
		got, err = tso.TSO(t.Context(), 1)
		if at, _ := allocator.Split(got.First); err != nil || at != time.Hour+time.Second {
			t.Errorf("a second later it is %s, %v", at, err)
		}
		// The frontier of a crashed holder is ahead of the clock.
		ahead := allocator.Timestamp(int64(2 * time.Hour))
		late := newTSO(t, settings(4, ahead), &root{}, believing())
		got, err = late.TSO(t.Context(), 1)
		if err != nil || got.First != ahead+1 {
			t.Errorf("above the frontier %d: %d, %v", ahead, got.First, err)
		}
		blind, err := allocator.NewTSO(settings(5, 0), &root{}, clusterTime{}, believing())
		if err != nil {
			t.Fatal(err)
		}
		defer blind.Close()
		_, err = blind.TSO(t.Context(), 1)
		wantReason(t, err, candor.ReasonSchedulerDegraded)
	})
}

// TestCrashesInARowDoNotCarryTimestampsAway from cluster time: each successor begins above
// all that was reserved, and reserves the less the further that is ahead.
func TestCrashesInARowDoNotCarryTimestampsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, clock := &root{}, clusterTime{time.Now()}
		const crashes = 40
		var last uint64
		for era := uint64(1); era <= crashes; era++ {
			tso, err := allocator.NewTSO(settings(era, r.durable()), r, clock, believing())
			if err != nil {
				t.Fatal(err)
			}
			for range 100 {
				got, err := tso.TSO(t.Context(), 1)
				if err != nil || got.First <= last {
					t.Fatalf("%d after %d: %v", got.First, last, err)
				}
				last = got.First
			}
			tso.Close() // what it used is not told: the next one begins above the bound
		}
		now, _ := clock.ClusterTime()
		ahead, _ := allocator.Split(r.durable() - allocator.Timestamp(now))
		if most := 3*time.Second + crashes*50*time.Millisecond; ahead > most {
			t.Errorf("timestamps are %s ahead of cluster time after %d crashes, want %s at most", ahead, crashes, most)
		}
		if asked := r.asks(); asked > 2*crashes {
			t.Errorf("%d reservations for %d holders", asked, crashes)
		}
	})
}

func TestATimestampIsAnsweredOnlyWithinBelief(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &root{}
		tso := newTSO(t, settings(1, 0), r, &belief{answers: []bool{true, true, true, false, false}})
		first, err := tso.TSO(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		// It believes when the call begins and no longer when the timestamp is taken.
		_, err = tso.TSO(t.Context(), 1)
		wantReason(t, err, candor.ReasonSchedulerDegraded)
		if used := tso.Stats().Window.Used; used <= first.Last() {
			t.Errorf("nothing was taken: %d", used)
		}
		asked := r.asks()
		_, err = tso.TSO(t.Context(), 1)
		wantReason(t, err, candor.ReasonSchedulerDegraded)
		if r.asks() != asked {
			t.Error("it reserves without belief")
		}
	})
}

func TestAnEraThatIsOverHandsOutNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &root{refusal: candor.Errorf(candor.ReasonConflict, "era 1 is sealed")}
		ids := newIDs(t, settings(1, 0), r)
		_, err := ids.AllocID(t.Context(), 1)
		wantReason(t, err, candor.ReasonSchedulerDegraded)
		<-ids.Ended()
		_, err = ids.AllocID(t.Context(), 1)
		wantReason(t, err, candor.ReasonSchedulerDegraded)
		if wantReason(t, ids.Err(), candor.ReasonSchedulerDegraded); !errors.Is(ids.Err(), &candor.Error{Reason: candor.ReasonConflict}) || r.asks() != 1 {
			t.Errorf("%v after %d reservations", ids.Err(), r.asks())
		}
	})
}

// What says nothing about the era is tried again, with pauses.
func TestATransientFailureIsNotForGood(t *testing.T) {
	for _, refusal := range []error{
		candor.Errorf(candor.ReasonNotLeader, "x"), candor.Errorf(candor.ReasonOutcomeUnknown, "x"), candor.Errorf(candor.ReasonTimedOut, "x"),
		context.DeadlineExceeded, candor.Wrap("propose", context.DeadlineExceeded), errors.New("x"),
	} {
		synctest.Test(t, func(t *testing.T) {
			r := &root{refusal: refusal}
			ids := newIDs(t, settings(1, 0), r)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			time.AfterFunc(5*time.Second, func() {
				r.mu.Lock()
				r.refusal = nil
				r.mu.Unlock()
			})
			if _, err := ids.AllocID(ctx, 1); err != nil {
				t.Errorf("%v: %v", refusal, err)
			}
			if stats := ids.Stats(); stats.ReserveFailures < 5 || stats.ReserveFailures > 15 {
				t.Errorf("%v: %d attempts in 5s", refusal, stats.ReserveFailures)
			}
		})
	}
}

func TestCloseSealsTheExactUsage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &root{}
		ids := newIDs(t, settings(1, 100), r)
		got, err := ids.AllocID(t.Context(), 5)
		if err != nil {
			t.Fatal(err)
		}
		r.mu.Lock()
		r.released = make(chan struct{})
		r.mu.Unlock()
		waits := make(chan error)
		go func() {
			_, err := ids.AllocID(t.Context(), allocator.MaxIDs)
			waits <- err
		}()
		synctest.Wait()
		if used := ids.Close(); used != got.Last() || used != 105 {
			t.Errorf("%d are used, %d were handed out", used, got.Last())
		}
		wantReason(t, <-waits, candor.ReasonSchedulerDegraded)
		_, err = ids.AllocID(t.Context(), 1)
		wantReason(t, err, candor.ReasonSchedulerDegraded)
		if again := ids.Close(); again != 105 {
			t.Errorf("closed again: %d", again)
		}
	})
}

func TestTheLastNumbersAreHandedOutAndNoneAfterThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := newIDs(t, settings(1, math.MaxUint64-10), &root{})
		got, err := ids.AllocID(t.Context(), 10)
		if err != nil || got.Last() != math.MaxUint64 {
			t.Errorf("%+v, %v", got, err)
		}
		_, err = ids.AllocID(t.Context(), 1)
		wantReason(t, err, candor.ReasonQuotaExceeded)
	})
}

func TestWhatIsMissingIsRefusedAtOnce(t *testing.T) {
	r := &root{}
	var nobody allocator.Settings
	for name, begin := range map[string]func() error{
		"no reserve": func() error { _, err := allocator.NewIDs(settings(1, 0), nil); return err },
		"no logger":  func() error { _, err := allocator.NewIDs(nobody, r); return err },
		"no era":     func() error { _, err := allocator.NewIDs(settings(0, 0), r); return err },
		"no clock":   func() error { _, err := allocator.NewTSO(settings(1, 0), r, nil, believing()); return err },
		"no belief":  func() error { _, err := allocator.NewTSO(settings(1, 0), r, clusterTime{}, nil); return err },
	} {
		if err := begin(); candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	ids := newIDs(t, settings(1, 0), r)
	for _, n := range []uint64{0, allocator.MaxIDs + 1} {
		_, err := ids.AllocID(t.Context(), n)
		wantReason(t, err, candor.ReasonInvalid)
	}
}
