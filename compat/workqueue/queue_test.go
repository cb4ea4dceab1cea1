package workqueue_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/util/workqueue"
	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
)

const (
	base = 5 * time.Millisecond
	most = 80 * time.Millisecond
)

// queue is what both have in common. Len is how many keys could be got at once.
type queue interface { //nolint:interfacebloat // it is theirs, and all of it is compared
	Add(key string)
	AddAfter(key string, d time.Duration)
	AddRateLimited(key string)
	Forget(key string)
	NumRequeues(key string) int
	Get() (key string, shutdown bool)
	Done(key string)
	Len() int
	ShutDown()
	ShuttingDown() bool
}

// ours is a controller.Queue.
type ours struct {
	*controller.Queue

	shut bool
}

func ref(key string) candor.Ref { return candor.Ref{Kind: "tests.example", Name: key} }

func (q *ours) Add(key string) {
	q.Queue.Add(ref(key), controller.Normal, controller.Cause{Reason: "ADDED"}, 0)
}

func (q *ours) AddAfter(key string, d time.Duration) {
	q.Queue.AddAfter(ref(key), d, controller.Normal, controller.Cause{Reason: "DELAYED"})
}

func (q *ours) AddRateLimited(key string) {
	q.Retry(ref(key), 0, controller.Normal, controller.Cause{Reason: "RETRIED"})
}

func (q *ours) Forget(key string) { q.Queue.Forget(ref(key)) }

func (q *ours) NumRequeues(key string) int { return q.Failures(ref(key)) }

func (q *ours) Get() (string, bool) {
	r, more := q.Queue.Get()
	return r.Ref.Name, !more
}

func (q *ours) Done(key string) { q.Queue.Done(ref(key)) }

func (q *ours) Len() int { return q.Metrics().Waiting }

func (q *ours) ShutDown() {
	q.shut = true
	q.Queue.ShutDown()
}

func (q *ours) ShuttingDown() bool { return q.shut }

func theirs() queue {
	return workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[string](base, most))
}

func newOurs() queue {
	return &ours{Queue: controller.NewQueue(controller.QueueSettings{Base: base, Max: most})}
}

// step is one call. It is carried out on each queue at the same instant.
type step struct {
	what string
	key  string
	d    time.Duration
}

var keys = []string{"a", "b", "c"}

func steps(t *rapid.T) []step {
	whats := []string{
		"add", "add", "add", "get", "get", "get", "done", "done", "after", "limited", "limited", "forget", "wait", "wait",
	}
	n := rapid.IntRange(1, 150).Draw(t, "n")
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{
			what: rapid.SampledFrom(whats).Draw(t, "what"), key: rapid.SampledFrom(keys).Draw(t, "key"),
			d: time.Duration(rapid.IntRange(-1, 60).Draw(t, "ms")) * time.Millisecond,
		}
	}), n, n).Draw(t, "steps")
}

// play carries steps out and writes down all that can be seen.
func play(q queue, all []step, shutDownAt int) (seen []string) {
	var working []string
	note := func(format string, args ...any) { seen = append(seen, fmt.Sprintf(format, args...)) }
	get := func() {
		if q.Len() == 0 && !q.ShuttingDown() {
			note("get would wait")
			return
		}
		key, shutdown := q.Get()
		if !shutdown {
			working = append(working, key)
		}
		note("get %s %v", key, shutdown)
	}
	for i, s := range all {
		if i == shutDownAt {
			q.ShutDown()
			synctest.Wait()
		}
		// Each step has an instant of its own, so that delays never end together.
		time.Sleep(time.Duration(i+1) * time.Microsecond)
		switch s.what {
		case "add":
			q.Add(s.key)
		case "get":
			get()
		case "done":
			if len(working) > 0 {
				q.Done(working[0])
				working = working[1:]
			}
		case "after":
			q.AddAfter(s.key, s.d)
		case "limited":
			q.AddRateLimited(s.key)
		case "forget":
			q.Forget(s.key)
		case "wait":
			time.Sleep(max(0, s.d))
		}
		synctest.Wait()
		note("%d %s %s %v: %d wait, %d failures", i, s.what, s.key, s.d, q.Len(), q.NumRequeues(s.key))
	}
	for range 3 {
		time.Sleep(time.Second)
		synctest.Wait()
		for q.Len() > 0 {
			get()
		}
		for _, key := range working {
			q.Done(key)
		}
		working = nil
		synctest.Wait()
	}
	q.ShutDown()
	synctest.Wait()
	get()
	return seen
}

// The same calls at the same times are answered in the same way.
func TestTheQueueBehavesAsTheOneOfKubernetes(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		all := steps(r)
		shutDownAt := rapid.IntRange(0, 2*len(all)).Draw(r, "shut down at")
		var want, got []string
		synctest.Test(t, func(*testing.T) { want = play(theirs(), all, shutDownAt) })
		synctest.Test(t, func(*testing.T) { got = play(newOurs(), all, shutDownAt) })
		if !slices.Equal(want, got) {
			r.Fatalf("steps %v, shut down at %d\n theirs: %q\n ours:   %q", all, shutDownAt, want, got)
		}
	})
}

// The comparison itself finds a difference: a queue that hands out the newest key first.
func TestTheComparisonFindsAnotherOrder(t *testing.T) {
	all := []step{{what: "add", key: "a"}, {what: "add", key: "b"}, {what: "get"}, {what: "get"}}
	var want, got []string
	synctest.Test(t, func(*testing.T) { want = play(theirs(), all, len(all)+1) })
	all[0], all[1] = all[1], all[0]
	synctest.Test(t, func(*testing.T) { got = play(newOurs(), all, len(all)+1) })
	if slices.Equal(want[2:], got[2:]) {
		t.Error("another order looks the same")
	}
}
