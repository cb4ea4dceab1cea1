package replica

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A server that is told to stop while its disk hangs, for longer than it has to finish
// what came, answers everybody in the end and leaves nothing running: the bubble would
// say so.
func TestAStopWhileTheDiskHangsAnswersEverybody(t *testing.T) {
	for _, graceful := range []bool{true, false} {
		t.Run(fmt.Sprintf("graceful %t", graceful), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, 3)
				leader := c.leader()
				stopped := leader.replica()
				c.mustPropose(leader, "before")
				release := leader.disk.stop()
				var callers sync.WaitGroup
				for i := range 20 {
					callers.Go(func() { _, _ = propose(stopped, fmt.Sprint("n", i), time.Minute) })
					synctest.Wait()
				}
				leader.take()
				const hangs = 4 * time.Second
				time.AfterFunc(hangs, release)
				began := time.Now()
				if graceful {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					if err := stopped.Close(ctx); err == nil {
						t.Error("nobody was told that commands were on their way")
					}
				} else {
					_ = stopped.Kill()
				}
				if took := time.Since(began); took > hangs+stopped.settings.patience() {
					t.Errorf("it stopped after %s", took)
				}
				callers.Wait()
				c.mustPropose(c.leader(leader), "after")
			})
		})
	}
}
