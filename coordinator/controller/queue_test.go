package controller_test

import (
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
)

func ref(name string) candor.Ref {
	return candor.Ref{Kind: candor.KindWorkloads, Namespace: "shop", Name: name}
}

func cause(reason string, revision uint64) controller.Cause {
	return controller.Cause{Reason: reason, Because: candor.VersionRef{Ref: ref("x"), Revision: revision}}
}

// next takes a key that must be there.
func next(t *testing.T, q *controller.Queue) controller.Request {
	t.Helper()
	if q.Metrics().Waiting == 0 {
		t.Fatal("no key waits")
	}
	r, _ := q.Get()
	return r
}

// served takes all keys that wait, each done at once.
func served(t *testing.T, q *controller.Queue) (names []string) {
	t.Helper()
	for q.Metrics().Waiting > 0 {
		r := next(t, q)
		names = append(names, r.Ref.Name)
		q.Done(r.Ref)
	}
	return names
}

func TestAKeyThatWaitsIsMergedWithItsCausesAndTheNewestRevision(t *testing.T) {
	q := controller.NewQueue(controller.QueueSettings{Causes: 3})
	for i := range uint64(5) {
		q.Add(ref("a"), controller.Normal, cause("CHANGED", 10+i), 14-i)
	}
	q.Add(ref("a"), controller.Normal, cause("CHANGED", 14), 0)
	r := next(t, q)
	got := []uint64{}
	for _, c := range r.Causes {
		got = append(got, c.Because.Revision)
	}
	if !slices.Equal(got, []uint64{12, 13, 14}) || r.Dropped != 2 || r.MinRevision != 14 {
		t.Errorf("got %+v: want the newest three causes, two dropped, and revision 14", r)
	}
	q.Done(r.Ref)
	if m := q.Metrics(); m.Waiting != 0 || m.Added != 6 || m.Merged != 5 || m.Taken != 1 {
		t.Errorf("metrics %+v", m)
	}
}

func TestAKeyThatIsAddedWhileItIsWorkedOnComesOnceMore(t *testing.T) {
	q := controller.NewQueue(controller.QueueSettings{})
	q.Add(ref("a"), controller.Normal, cause("CHANGED", 1), 1)
	r := next(t, q)
	q.Add(ref("a"), controller.Normal, cause("CHANGED", 2), 2)
	q.Add(ref("a"), controller.Normal, cause("CHANGED", 3), 3)
	if m := q.Metrics(); m.Waiting != 0 || m.Working != 1 {
		t.Fatalf("it waits while it is worked on: %+v", m)
	}
	q.Done(r.Ref)
	again := next(t, q)
	if len(again.Causes) != 2 || again.MinRevision != 3 {
		t.Errorf("again for %+v", again)
	}
	q.Done(r.Ref)
	if m := q.Metrics(); m.Waiting+m.Working != 0 {
		t.Errorf("a third time: %+v", m)
	}
}

func TestAHigherPriorityGoesFirstAndALowerOneStillGoes(t *testing.T) {
	q := controller.NewQueue(controller.QueueSettings{Patience: 3})
	for _, name := range []string{"b1", "b2"} {
		q.Add(ref(name), controller.Background, cause("STARTED", 0), 0)
	}
	for i := range 8 {
		q.Add(ref("n"+strconv.Itoa(i)), controller.Normal, cause("CHANGED", 0), 0)
	}
	q.Add(ref("u"), controller.Urgent, cause("CHANGED", 0), 0)
	q.Add(ref("b2"), controller.Urgent, cause("CHANGED", 0), 0) // it is raised
	want := []string{"u", "b2", "n0", "b1", "n1", "n2", "n3", "n4", "n5", "n6", "n7"}
	if got := served(t, q); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestEachFailureOfAKeyDoublesItsDelayUntilItIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := controller.NewQueue(controller.QueueSettings{Base: 10 * time.Millisecond, Max: 50 * time.Millisecond})
		defer q.ShutDown()
		var got []time.Duration
		for range 5 {
			got = append(got, q.Retry(ref("a"), 0, controller.Normal, cause("RETRIED", 0)))
			began := time.Now()
			r, _ := q.Get()
			if waited := time.Since(began); waited != got[len(got)-1] || r.Attempt != len(got) {
				t.Errorf("attempt %d after %v", r.Attempt, waited)
			}
			q.Done(r.Ref)
		}
		q.Forget(ref("a"))
		got = append(got, q.Retry(ref("a"), 0, controller.Normal, cause("RETRIED", 0)))
		ms := time.Millisecond
		if want := []time.Duration{10 * ms, 20 * ms, 40 * ms, 50 * ms, 50 * ms, 10 * ms}; !slices.Equal(got, want) {
			t.Errorf("delays %v, want %v", got, want)
		}
		if d := q.Retry(ref("b"), time.Second, controller.Normal, cause("RETRIED", 0)); d != time.Second {
			t.Errorf("a hint of a second became %v", d)
		}
	})
}

func TestASeedSpreadsDelaysAlwaysTheSameWay(t *testing.T) {
	delays := func(seed uint64) (out []time.Duration) {
		q := controller.NewQueue(controller.QueueSettings{Base: time.Second, Seed: seed})
		defer q.ShutDown()
		for i := range 20 {
			out = append(out, q.Retry(ref(strconv.Itoa(i)), 0, controller.Normal, cause("RETRIED", 0)))
		}
		return out
	}
	one, again, two := delays(1), delays(1), delays(2)
	if !slices.Equal(one, again) || slices.Equal(one, two) {
		t.Errorf("seed 1: %v and %v; seed 2: %v", one, again, two)
	}
	if lowest, highest := slices.Min(one), slices.Max(one); lowest < time.Second || highest > 1250*time.Millisecond || lowest == highest {
		t.Errorf("between %v and %v", lowest, highest)
	}
}

func TestTheEarliestOfSeveralDelaysCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := controller.NewQueue(controller.QueueSettings{})
		defer q.ShutDown()
		began := time.Now()
		q.AddAfter(ref("a"), 3*time.Second, controller.Normal, cause("LATE", 0))
		q.AddAfter(ref("b"), 2*time.Second, controller.Normal, cause("DELAYED", 0))
		q.AddAfter(ref("a"), time.Second, controller.Normal, cause("EARLY", 0))
		q.AddAfter(ref("a"), 4*time.Second, controller.Normal, cause("LATER", 0))
		if m := q.Metrics(); m.Delayed != 2 {
			t.Errorf("%d are delayed", m.Delayed)
		}
		for i, want := range []string{"a", "b"} {
			r, _ := q.Get()
			if r.Ref.Name != want || time.Since(began) != time.Duration(i+1)*time.Second {
				t.Errorf("%s after %v", r.Ref.Name, time.Since(began))
			}
			if want == "a" && r.Causes[0].Reason != "EARLY" {
				t.Errorf("a because of %v", r.Causes)
			}
			q.Done(r.Ref)
		}
	})
}

func TestDrainHandsOutWhatWaitsAndWaitsForWhatIsWorkedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := controller.NewQueue(controller.QueueSettings{})
		for _, name := range []string{"a", "b", "c"} {
			q.Add(ref(name), controller.Normal, cause("CHANGED", 0), 0)
		}
		q.AddAfter(ref("late"), time.Minute, controller.Normal, cause("DELAYED", 0))
		first := next(t, q)
		q.Add(first.Ref, controller.Normal, cause("CHANGED", 1), 0) // again after Done
		began := time.Now()
		drained := make(chan time.Duration)
		go func() {
			q.Drain()
			drained <- time.Since(began)
		}()
		synctest.Wait()
		q.Add(ref("d"), controller.Normal, cause("CHANGED", 0), 0) // too late
		time.Sleep(time.Second)
		q.Done(first.Ref)
		var got []string
		for {
			r, more := q.Get()
			if !more {
				break
			}
			got = append(got, r.Ref.Name)
			time.Sleep(time.Second)
			q.Done(r.Ref)
		}
		if after := <-drained; after != 4*time.Second || !slices.Equal(got, []string{"b", "c", "a"}) {
			t.Errorf("drained after %v, having handed out %v", after, got)
		}
	})
}

func TestMetricsTellHowLongAKeyHasWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := controller.NewQueue(controller.QueueSettings{})
		q.Add(ref("a"), controller.Normal, cause("CHANGED", 0), 0)
		time.Sleep(time.Second)
		q.Add(ref("b"), controller.Background, cause("CHANGED", 0), 0)
		q.Add(ref("a"), controller.Normal, cause("CHANGED", 1), 0)
		time.Sleep(time.Second)
		if m := q.Metrics(); m.Oldest != 2*time.Second || m.Waiting != 2 {
			t.Errorf("%+v", m)
		}
	})
}

func BenchmarkQueue(b *testing.B) {
	q := controller.NewQueue(controller.QueueSettings{})
	refs := make([]candor.Ref, 1024)
	for i := range refs {
		refs[i] = ref("workload-" + strconv.Itoa(i))
	}
	c := cause("CHANGED", 7)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		q.Add(refs[i%len(refs)], controller.Normal, c, 7)
		r, _ := q.Get()
		q.Done(r.Ref)
	}
}
