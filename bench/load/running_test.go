package load_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/candor-plane/candor/bench/load"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func waits(d time.Duration) load.Operation {
	return func(ctx context.Context) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func TestOnlyWhatEndsWhileOpenCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		running := load.Start(ctx, []load.Operation{waits(10 * time.Millisecond), waits(20 * time.Millisecond)})
		if err := running.Wait(ctx, 105*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		result, err := running.Measure(func() error { return running.Wait(ctx, time.Second) })
		if err != nil {
			t.Fatal(err)
		}
		if err := running.Wait(ctx, time.Second); err != nil {
			t.Fatal(err)
		}
		if err := running.Stop(time.Second); err != nil {
			t.Fatal(err)
		}
		if got := result.Latency.Count(); got != 150 {
			t.Errorf("operations counted: %d, wanted 100 of one client and 50 of the other", got)
		}
		if result.Elapsed != time.Second || result.Rate() != 150 {
			t.Errorf("elapsed %v, rate %v", result.Elapsed, result.Rate())
		}
		if got := result.Latency.Max(); got != 20*time.Millisecond {
			t.Errorf("longest: %v", got)
		}
	})
}

func TestAFailedOperationFailsTheMeasurement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		n := 0
		operation := func(context.Context) error {
			time.Sleep(time.Millisecond)
			if n++; n == 50 {
				return broken
			}
			return nil
		}
		running := load.Start(t.Context(), []load.Operation{waits(time.Millisecond), operation})
		begun := time.Now()
		_, err := running.Measure(func() error { return running.Wait(t.Context(), time.Minute) })
		if !errors.Is(err, broken) {
			t.Errorf("measurement: %v", err)
		}
		if took := time.Since(begun); took > time.Second {
			t.Errorf("the failure was noticed after %v", took)
		}
		if err := running.Stop(time.Second); !errors.Is(err, broken) {
			t.Errorf("stop: %v", err)
		}
	})
}

func TestSilenceIsAnErrorAndNotZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running := load.Start(t.Context(), []load.Operation{waits(time.Hour)})
		if _, err := running.Measure(func() error { return running.Wait(t.Context(), time.Second) }); err == nil {
			t.Error("no answers made a result")
		}
		if err := running.Stop(time.Second); !errors.Is(err, context.Canceled) {
			t.Errorf("stop of a hanging client: %v", err)
		}
	})
}

func TestAShortWindowIsMadeLongerRatherThanEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running := load.Start(t.Context(), []load.Operation{waits(400 * time.Millisecond), waits(time.Hour)})
		result, err := running.Measure(func() error { return running.AwaitAnswer(t.Context(), time.Second) })
		if err != nil || result.Latency.Count() != 1 || result.Elapsed < 400*time.Millisecond {
			t.Errorf("result %v, %v", result, err)
		}
		if _, err := running.Measure(func() error { return running.AwaitAnswer(t.Context(), 100*time.Millisecond) }); err == nil {
			t.Error("silence past the limit made a result")
		}
		if err := running.AwaitAnswer(t.Context(), time.Second); err == nil {
			t.Error("an answer was awaited outside of a measurement")
		}
		if err := running.Stop(time.Second); !errors.Is(err, context.Canceled) {
			t.Errorf("stop of a hanging client: %v", err)
		}
	})
}
