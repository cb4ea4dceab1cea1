package round

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/candor-plane/candor/bench/experiment"
	"github.com/candor-plane/candor/bench/system"
)

// script answers prepared shares of others in the order of measurement.
type script struct {
	others []float64
	fail   map[int]error
	order  []string
	noted  []float64
	failed int
}

func (s *script) schedule(rounds int) schedule {
	return schedule{
		sides: []string{"candor", "peer"}, rounds: rounds, repeats: rounds/2 + 1, limit: 0.08,
		measure: func(_ context.Context, side string) (measured, error) {
			n := len(s.order)
			s.order = append(s.order, side)
			if err := s.fail[n]; err != nil {
				return measured{}, err
			}
			var other float64
			if n < len(s.others) {
				other = s.others[n]
			}
			return measured{values: experiment.Values{"n": float64(n)}, other: other}, nil
		},
		failed:   func(string, error) { s.failed++ },
		rejected: func(other float64) { s.noted = append(s.noted, other) },
	}
}

func TestSidesTakeTurnsAtGoingFirst(t *testing.T) {
	var s script
	outcome := s.schedule(3).run(t.Context())
	if got := strings.Join(s.order, ","); got != "candor,peer,peer,candor,candor,peer" {
		t.Errorf("order: %s", got)
	}
	if len(outcome.Rounds) != 3 || outcome.Noisy || outcome.Err != nil || outcome.Rejected != 0 {
		t.Errorf("outcome: %+v", outcome)
	}
	if outcome.Rounds[1]["peer"]["n"] != 2 || outcome.Rounds[1]["candor"]["n"] != 3 {
		t.Errorf("values went to the wrong side: %+v", outcome.Rounds[1])
	}
}

func TestARoundInWhichEitherSideWasDisturbedIsThrownAwayAndRepeated(t *testing.T) {
	s := script{others: []float64{0.01, 0.09, 0.2, 0, 0.08, 0.08}}
	outcome := s.schedule(2).run(t.Context())
	if len(outcome.Rounds) != 2 || outcome.Rejected != 2 || outcome.Noisy {
		t.Fatalf("outcome: %+v", outcome)
	}
	if outcome.Rounds[0]["candor"]["n"] != 4 {
		t.Errorf("a disturbed round was kept: %+v", outcome.Rounds[0])
	}
	if len(s.noted) != 2 || s.noted[0] != 0.09 || s.noted[1] != 0.2 {
		t.Errorf("noted: %v", s.noted)
	}
}

func TestAMachineThatNeverRestsIsSaidToBeNoisy(t *testing.T) {
	s := script{others: []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}}
	outcome := s.schedule(3).run(t.Context())
	if !outcome.Noisy || outcome.Err != nil {
		t.Fatalf("outcome: %+v", outcome)
	}
	if attempts := 3 + 2; len(outcome.Rounds) != attempts || outcome.Rejected != attempts || len(s.order) != 2*attempts {
		t.Errorf("%d rounds, %d rejected, wanted %d of each", len(outcome.Rounds), outcome.Rejected, attempts)
	}
}

func TestAFailedMeasurementIsRepeatedOnceAndThenGivenUp(t *testing.T) {
	broken := errors.New("broken")
	once := script{fail: map[int]error{1: broken}}
	outcome := once.schedule(2).run(t.Context())
	if len(outcome.Rounds) != 2 || outcome.Err != nil || once.failed != 1 {
		t.Errorf("one failure: %+v", outcome)
	}
	twice := script{fail: map[int]error{1: broken, 3: broken}}
	outcome = twice.schedule(3).run(t.Context())
	if !errors.Is(outcome.Err, broken) || outcome.Noisy {
		t.Errorf("two failures: %+v", outcome)
	}
}

func TestAnEndedContextEndsTheRounds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := script{}
	plan := s.schedule(5)
	measure := plan.measure
	plan.measure = func(ctx context.Context, side string) (measured, error) {
		if len(s.order) == 2 {
			cancel()
		}
		return measure(ctx, side)
	}
	outcome := plan.run(ctx)
	if !errors.Is(outcome.Err, context.Canceled) || len(s.order) > 4 {
		t.Errorf("outcome: %+v after %v", outcome, s.order)
	}
}

func TestASecuredStageHasEachSidePlainBesideItself(t *testing.T) {
	for _, c := range []struct {
		sides []Side
		want  string
	}{
		{[]Side{{Name: "candor"}, {Name: "peer"}}, "candor tls+auth, candor-plain , peer-plain , peer tls+auth"},
		{[]Side{{Name: "peer"}}, "peer tls+auth, peer-plain "},
	} {
		runner := NewRunner(Config{Sides: c.sides, Dir: t.TempDir(), Narrate: io.Discard})
		sides, err := runner.sides(experiment.Stage{Security: system.Secured})
		if err := errors.Join(err, runner.Close()); err != nil {
			t.Fatal(err)
		}
		got := make([]string, 0, len(sides))
		for _, side := range sides {
			got = append(got, side.Name+" "+string(side.Security))
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("got %q, wanted %q", got, c.want)
		}
	}
}
