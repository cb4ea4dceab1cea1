package controller_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor/coordinator/controller"
)

const gather = 100 * time.Millisecond

func TestWhatIsGatheredIsLookedAtOnceWithAllCausesAndTheNewestRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := controller.NewQueue(controller.QueueSettings{})
		defer q.ShutDown()
		began := time.Now()
		for i := range uint64(3) {
			q.AddGathered(ref("a"), gather, controller.Normal, cause("CHANGED", 10+i), 20-i)
			time.Sleep(gather / 4)
		}
		r, _ := q.Get()
		if waited := time.Since(began); waited != gather {
			t.Errorf("looked at after %v: the first change begins the gathering, and no later one draws it out", waited)
		}
		if len(r.Causes) != 3 || r.MinRevision != 20 {
			t.Errorf("%+v", r)
		}
		q.Done(r.Ref)
		time.Sleep(time.Minute)
		if m := q.Metrics(); m.Waiting != 0 || m.Delayed != 0 || m.Added != 3 || m.Merged != 2 || m.Taken != 1 {
			t.Errorf("%+v", m)
		}
	})
}

func TestWhatElseAddsAKeyEndsItsGathering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := controller.NewQueue(controller.QueueSettings{})
		defer q.ShutDown()
		began := time.Now()
		q.AddGathered(ref("a"), gather, controller.Normal, cause("CHANGED", 10), 10)
		q.Add(ref("a"), controller.Urgent, cause("CHANGED", 11), 11)
		q.AddGathered(ref("a"), gather, controller.Normal, cause("CHANGED", 12), 12)
		r := next(t, q)
		if time.Since(began) != 0 || len(r.Causes) != 3 || r.MinRevision != 12 {
			t.Errorf("%+v after %v", r, time.Since(began))
		}
		q.Done(r.Ref)
		time.Sleep(time.Second)
		if m := q.Metrics(); m.Waiting != 0 || m.Delayed != 0 {
			t.Errorf("%+v: nothing came after it", m)
		}
	})
}

func TestAChangeWhileAKeyIsWorkedOnIsGatheredToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := controller.NewQueue(controller.QueueSettings{})
		defer q.ShutDown()
		q.Add(ref("a"), controller.Normal, cause("CHANGED", 10), 10)
		r := next(t, q)
		began := time.Now()
		q.AddGathered(ref("a"), gather, controller.Normal, cause("CHANGED", 11), 11)
		q.Forget(ref("a"))
		q.Done(r.Ref)
		if r, _ = q.Get(); time.Since(began) != gather || len(r.Causes) != 1 || r.MinRevision != 11 {
			t.Errorf("%+v after %v", r, time.Since(began))
		}
	})
}

func TestGatheringComesBeforeADelayThatEndsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := controller.NewQueue(controller.QueueSettings{})
		defer q.ShutDown()
		began := time.Now()
		q.AddAfter(ref("a"), time.Hour, controller.Normal, cause("DELAYED", 0))
		q.AddAfter(ref("b"), gather/2, controller.Normal, cause("DELAYED", 0))
		q.AddGathered(ref("a"), gather, controller.Normal, cause("CHANGED", 11), 11)
		q.AddGathered(ref("b"), gather, controller.Normal, cause("CHANGED", 11), 11)
		for _, want := range []struct {
			name   string
			after  time.Duration
			causes int
		}{{"b", gather / 2, 2}, {"a", gather, 1}} {
			r, _ := q.Get()
			if r.Ref.Name != want.name || time.Since(began) != want.after || len(r.Causes) != want.causes || r.MinRevision != 11 {
				t.Errorf("%+v after %v, want %+v", r, time.Since(began), want)
			}
			q.Done(r.Ref)
		}
	})
}
