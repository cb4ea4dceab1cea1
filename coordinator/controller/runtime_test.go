package controller_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/informer"
)

func TestEveryObjectAndEveryChangeIsLookedAtWithItsCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.client(create("old"))
		var mu sync.Mutex
		var seen []string
		_, stop := w.runs(does("watcher", nil, func(_ context.Context, _ controller.Writer, r controller.Request) (controller.Result, error) {
			mu.Lock()
			defer mu.Unlock()
			for _, c := range r.Causes {
				seen = append(seen, r.Ref.Name+" "+c.Reason+" "+c.Because.Name)
			}
			if r.View.Token().Revision < r.MinRevision {
				t.Errorf("%v at %v", r, r.View.Token())
			}
			return controller.Done(), nil
		}))
		synctest.Wait()
		w.client(create("new"))
		synctest.Wait()
		w.client(controller.UpdateStatus{Ref: ref("new"), Status: json.RawMessage(`{"phase":"X"}`)})
		synctest.Wait()
		w.client(controller.Delete{Ref: ref("new")})
		synctest.Wait()
		if err := stop(); err != nil {
			t.Error(err)
		}
		want := []string{"old STARTED old", "new CREATED new", "new CHANGED new", "new DELETED new"}
		if d := cmp.Diff(want, seen); d != "" {
			t.Error(d)
		}
	})
}

func TestAReconcileSeesWhatTheKeyWroteBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.lag = 300 * time.Millisecond
		outputs := []controller.Output{{Kind: candor.KindInstances, Section: controller.SectionLife}}
		// One instance for each workload: without its own write in view it would make a second.
		r, _ := w.runs(does("maker", outputs, func(ctx context.Context, out controller.Writer, r controller.Request) (controller.Result, error) {
			for range r.View.List(candor.KindInstances, r.Ref.Namespace) {
				return controller.Done(), nil
			}
			name := "i-" + r.View.Token().String()[:1] + "-" + time.Now().Format("150405.000000000")
			o := &candor.Object{APIVersion: "candor/v1", Kind: "Instance", Metadata: candor.Metadata{Name: name, Namespace: r.Ref.Namespace}}
			_, err := out.Write(ctx, controller.Write{Ops: []controller.Op{controller.Create{Kind: candor.KindInstances, Object: o}}, Reason: "MADE"})
			return controller.Done(), err
		}))
		w.client(create("web"))
		time.Sleep(350 * time.Millisecond) // it is seen, and an instance is under way
		for range 20 {
			if err := r.Enqueue("maker", ref("web"), controller.Urgent, cause("AGAIN", 0), 0); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := w.names(candor.KindInstances); len(n) != 1 {
			t.Errorf("instances %v: want one", n)
		}
		looks := r.Looks("maker", ref("web"))
		last := looks[len(looks)-1]
		if last.Writes != 0 || last.Outcome != controller.OutcomeDone || last.Token.Revision < looks[0].Revision || looks[0].Writes != 1 {
			t.Errorf("looks %+v: want one that wrote, and then nothing to do at or after its revision", looks)
		}
		if s := r.Status().Controllers[0]; s.NothingToDo == 0 || s.Writes != 1 {
			t.Errorf("status %+v", s)
		}
		writes := w.written("MADE")
		if len(writes) != 1 || writes[0].Read != (candor.Token{Term: 1, Index: 101, Revision: 101}) {
			t.Errorf("%+v does not tell what was read", writes)
		}
	})
}

func TestAStoreThatStandsStillFailsTheReconcileAndNotTheWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.client(create("web"))
		r, _ := w.runs(does("watcher", nil, func(context.Context, controller.Writer, controller.Request) (controller.Result, error) {
			return controller.Done(), nil
		}))
		synctest.Wait()
		if err := r.Enqueue("watcher", ref("web"), controller.Normal, cause("ASKED", 0), 9999); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Second)
		synctest.Wait()
		s := r.Status().Controllers[0]
		if s.Failures != 1 || s.Errors[0].Reason != candor.ReasonRootTokenNotReached {
			t.Errorf("status %+v", s)
		}
	})
}

func TestAWriteToAnUndeclaredOutputIsRefused(t *testing.T) {
	spec := json.RawMessage(`{"replicas":7}`)
	changed, relabelled := workload("web"), workload("web")
	changed.Spec, changed.Metadata.ResourceVersion = spec, 101
	relabelled.Metadata.Labels, relabelled.Metadata.ResourceVersion = map[string]string{"a": "b"}, 101
	ops := map[string]controller.Op{
		"create":   create("other"),
		"spec":     controller.Update{Kind: candor.KindWorkloads, Object: changed},
		"metadata": controller.Update{Kind: candor.KindWorkloads, Object: relabelled},
		"status":   controller.UpdateStatus{Ref: ref("web"), Status: spec},
		"delete":   controller.Delete{Ref: ref("web")},
	}
	for section, allowed := range map[controller.Section][]string{
		controller.SectionSpec: {"spec"}, controller.SectionStatus: {"status"}, controller.SectionLife: {"create", "metadata", "delete"},
	} {
		for name, op := range ops {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.client(create("web"))
				var got error
				once := sync.Once{}
				outputs := []controller.Output{{Kind: candor.KindWorkloads, Section: section}}
				r, stop := w.runs(does("writer", outputs, func(ctx context.Context, out controller.Writer, _ controller.Request) (controller.Result, error) {
					once.Do(func() { _, got = out.Write(ctx, controller.Write{Ops: []controller.Op{op}}) })
					return controller.Done(), nil
				}))
				synctest.Wait()
				_ = stop()
				refused := r.Status().Controllers[0].Refused
				if slices.Contains(allowed, name) && (got != nil || refused != 0) {
					t.Errorf("%s with output %s: %v", name, section, got)
				}
				if !slices.Contains(allowed, name) && (candor.ReasonOf(got) != candor.ReasonSectionForbidden || refused != 1) {
					t.Errorf("%s with output %s: got %v", name, section, got)
				}
			})
		}
	}
}

func TestAWriteOutsideOfAReconcileIsRefused(t *testing.T) {
	w := newWorld(t)
	var out controller.Writer
	w.runs(does("writer", []controller.Output{{Kind: controller.AnyKind, Section: controller.SectionLife}},
		func(context.Context, controller.Writer, controller.Request) (controller.Result, error) {
			return controller.Done(), nil
		}), controller.Controller{
		Declaration: controller.Declaration{Name: "leaky", Inputs: []controller.Input{{Kind: candor.KindWorkloads}}},
		Make: func(w controller.Writer) controller.Reconciler {
			out = w
			return reconciles(func(context.Context, controller.Request) (controller.Result, error) { return controller.Done(), nil })
		},
	})
	_, err := out.Write(t.Context(), controller.Write{Ops: []controller.Op{create("x")}})
	if candor.ReasonOf(err) != candor.ReasonInvalid {
		t.Errorf("got %v", err)
	}
}

func TestTheEndOfTheTenureEndsTheRun(t *testing.T) {
	for _, reason := range []candor.Reason{candor.ReasonEraStale, candor.ReasonForbidden} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.client(create("web"))
			w.fails = &candor.Error{Reason: reason, Message: "era 7 is over"}
			outputs := []controller.Output{{Kind: candor.KindWorkloads, Section: controller.SectionStatus}}
			r, err := controller.New(controller.Config{Store: w.store, Writer: w, Logger: nullLogger(), Controllers: []controller.Controller{
				does("writer", outputs, func(ctx context.Context, out controller.Writer, r controller.Request) (controller.Result, error) {
					_, err := out.Write(ctx, controller.Write{Ops: []controller.Op{controller.UpdateStatus{Ref: r.Ref}}})
					return controller.Done(), err
				}),
			}})
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Run(t.Context()); candor.ReasonOf(err) != reason {
				t.Errorf("Run returned %v, want %s", err, reason)
			}
			if r.Status().Running {
				t.Error("it says that it runs")
			}
		})
	}
}

func TestAPanicIsItsKeysAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.client(create("bad"), create("good"))
		var mu sync.Mutex
		attempts := map[string]int{}
		r, _ := w.runs(does("watcher", nil, func(_ context.Context, _ controller.Writer, r controller.Request) (controller.Result, error) {
			mu.Lock()
			defer mu.Unlock()
			attempts[r.Ref.Name]++
			if r.Ref.Name == "bad" && r.Attempt < 3 {
				panic("out of my depth")
			}
			return controller.Done(), nil
		}))
		time.Sleep(time.Minute)
		synctest.Wait()
		if attempts["bad"] != 4 || attempts["good"] != 1 {
			t.Errorf("attempts %v", attempts)
		}
		s := r.Status().Controllers[0]
		if s.Panics != 3 || s.Failures != 3 || s.Queue.Retried != 3 || !strings.Contains(s.Errors[2].Message, "out of my depth") || s.Errors[2].Attempt != 3 {
			t.Errorf("status %+v", s)
		}
		if m := s.Queue; m.Waiting+m.Working+m.Delayed != 0 {
			t.Errorf("the queue holds %+v", m)
		}
		if looks := r.Looks("watcher", ref("bad")); len(looks) != 4 || looks[0].Outcome != controller.OutcomePanicked || looks[3].Outcome != controller.OutcomeDone {
			t.Errorf("looks %+v", looks)
		}
	})
}

func TestASuccessEndsTheBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.client(create("web"))
		var attempts []int
		r, _ := w.runs(does("watcher", nil, func(_ context.Context, _ controller.Writer, r controller.Request) (controller.Result, error) {
			attempts = append(attempts, r.Attempt)
			if r.Attempt < 2 {
				return controller.Done(), candor.Errorf(candor.ReasonConflict, "somebody was faster")
			}
			return controller.Done(), nil
		}))
		time.Sleep(time.Minute)
		synctest.Wait()
		if err := r.Enqueue("watcher", ref("web"), controller.Normal, cause("ASKED", 0), 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if !slices.Equal(attempts, []int{0, 1, 2, 0, 1, 2}) {
			t.Errorf("attempts %v", attempts)
		}
	})
}

func TestAMapThatPanicsDoesNotStopTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := does("watcher", nil, func(context.Context, controller.Writer, controller.Request) (controller.Result, error) {
			return controller.Done(), nil
		})
		c.Inputs[0].Map = func(informer.Change) []candor.Ref { panic("no such index") }
		r, _ := w.runs(c)
		synctest.Wait()
		w.client(create("web"))
		if s := r.Status().Controllers[0]; s.Panics != 1 {
			t.Errorf("status %+v", s)
		}
	})
}

func TestABlockedKeyGoesOnWhenThatObjectChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.client(create("web"))
		on := candor.Ref{Kind: candor.KindInstances, Namespace: "shop", Name: "first"}
		var mu sync.Mutex
		var causes []controller.Cause
		r, _ := w.runs(does("watcher", nil, func(_ context.Context, _ controller.Writer, r controller.Request) (controller.Result, error) {
			mu.Lock()
			defer mu.Unlock()
			causes = append(causes, r.Causes...)
			if r.View.Get(on) == nil {
				return controller.Blocked(on, "it must exist first"), nil
			}
			return controller.Done(), nil
		}))
		time.Sleep(time.Second)
		synctest.Wait()
		s := r.Status().Controllers[0]
		if len(s.Blocked) != 1 || s.Blocked[0].On != on || s.Blocked[0].Reason != "it must exist first" ||
			len(s.Blocked[0].Causes) != 1 || s.Blocked[0].Ref != ref("web") || s.BlockedKeys != 1 {
			t.Errorf("status %+v", s)
		}
		o := &candor.Object{APIVersion: "candor/v1", Kind: "Instance", Metadata: candor.Metadata{Name: "first", Namespace: "shop"}}
		revision := w.client(controller.Create{Kind: candor.KindInstances, Object: o})
		synctest.Wait()
		if last := causes[len(causes)-1]; last.Reason != controller.CauseUnblocked || last.Because.Ref != on || last.Because.Revision != revision {
			t.Errorf("causes %+v", causes)
		}
		if s := r.Status().Controllers[0]; s.BlockedKeys != 0 || s.Reconciles != 2 {
			t.Errorf("status %+v", s)
		}
	})
}

func TestWhatAKeyIsBlockedOnMayChangeWhileItIsLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.client(create("web"))
		on := candor.Ref{Kind: candor.KindInstances, Namespace: "shop", Name: "first"}
		r, _ := w.runs(does("watcher", nil, func(_ context.Context, _ controller.Writer, r controller.Request) (controller.Result, error) {
			if r.View.Get(on) != nil {
				return controller.Done(), nil
			}
			w.client(controller.Create{Kind: candor.KindInstances, Object: &candor.Object{Metadata: candor.Metadata{Name: "first", Namespace: "shop"}}})
			return controller.Blocked(on, "it must exist first"), nil
		}))
		synctest.Wait()
		if s := r.Status().Controllers[0]; s.BlockedKeys != 0 || s.Reconciles != 2 {
			t.Errorf("status %+v", s)
		}
	})
}

func TestAfterLooksAgainThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.client(create("web"))
		var at []time.Duration
		began := time.Now()
		_, stop := w.runs(does("watcher", nil, func(context.Context, controller.Writer, controller.Request) (controller.Result, error) {
			at = append(at, time.Since(began))
			return controller.After(time.Minute, "it takes a minute"), nil
		}))
		time.Sleep(150 * time.Second)
		if err := stop(); err != nil {
			t.Error(err)
		}
		if d := cmp.Diff([]time.Duration{0, time.Minute, 2 * time.Minute}, at); d != "" {
			t.Error(d)
		}
	})
}

func TestTheEndOfTheContextEndsReconcilesAndRunMayBeCalledAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.client(create("a"), create("b"))
		runs, ended := 0, 0
		r, err := controller.New(controller.Config{Store: w.store, Writer: w, Logger: nullLogger(), Controllers: []controller.Controller{
			does("slow", nil, func(ctx context.Context, _ controller.Writer, _ controller.Request) (controller.Result, error) {
				runs++
				<-ctx.Done()
				time.Sleep(time.Second) // it takes its time
				ended++
				return controller.Done(), errors.New("interrupted")
			}),
		}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := r.Run(ctx); err != nil {
				t.Error(err)
			}
			cancel()
			if runs != i+1 || ended != i+1 {
				t.Errorf("after run %d: %d began, %d ended", i, runs, ended)
			}
		}
		if s := r.Status().Controllers[0]; s.Failures != 0 {
			t.Errorf("an interrupted reconcile counts as failed: %+v", s)
		}
	})
}
