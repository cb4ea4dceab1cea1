package placing_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
)

func TestAnEvictionThatIsAlwaysRefusedHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(node("w1", 2), instance("a", 0), instance("b", 0))
		_, end := w.run()
		seen := 0
		w.before = func() error {
			if len(w.evictions) > seen {
				seen = len(w.evictions)
				return candor.Errorf(candor.ReasonInvalid, "the status is refused")
			}
			return nil
		}
		x := instance("x", 5)
		x.Spec = raw(candor.InstanceSpec{InstanceTemplate: candor.InstanceTemplate{Command: []string{"x"}, Resources: candor.Resources{{Name: "cpu", Value: 2000}}}, Priority: 5, Preempts: true})
		w.put(node("w2", 1), x, instance("low", 0))
		synctest.Wait()
		time.Sleep(time.Minute)
		if w.status("low").Node == "" {
			t.Errorf("low waits for a minute beside a free node; %d evictions were proposed", len(w.evictions))
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}
