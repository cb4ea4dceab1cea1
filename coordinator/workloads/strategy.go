package workloads

import "github.com/candor-plane/candor"

const (
	defaultShare    = 25
	defaultDeadline = 600
	second          = int64(1e9)
)

// strategy is an update strategy in numbers, for one count of replicas.
type strategy struct {
	replicas    int
	unavailable int
	surge       int
	// noStep: as written nothing could ever change.
	noStep   bool
	ready    int64 // nanoseconds
	deadline int64
}

func strategyOf(spec *candor.WorkloadSpec) strategy {
	n := max(0, spec.Replicas)
	s := strategy{replicas: int(n), ready: int64(spec.Update.MinReadySeconds) * second}
	s.deadline = int64(spec.Update.DeadlineSeconds) * second
	if spec.Update.DeadlineSeconds == 0 {
		s.deadline = defaultDeadline * second
	}
	s.unavailable = int(min(n, share(spec.Update.MaxUnavailable).Of(n, false)))
	s.surge = int(share(spec.Update.MaxSurge).Of(n, true))
	if n > 0 && s.unavailable == 0 && s.surge == 0 {
		s.noStep = true
		s.unavailable = 1
	}
	return s
}

func share(s *candor.Share) candor.Share {
	if s == nil {
		return candor.Share{Count: defaultShare, Percent: true}
	}
	return *s
}

// least is how many instances are to be available at any time.
func (s strategy) least() int { return s.replicas - s.unavailable }

// most is how many may live at any time.
func (s strategy) most() int { return s.replicas + s.surge }
