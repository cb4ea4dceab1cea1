package servertest

import (
	"context"
	"time"

	"github.com/candor-plane/candor/drill/scenario"
)

// disk makes a fault of the targets' disks, and ends it; servers that it ended start
// again then.
func (st *Stage) disk(what string, targets []string, begin, end func(*faultyDisk)) injection {
	before := map[string]int{}
	for _, name := range targets {
		before[name] = st.disks[name].seen()
		begin(st.disks[name])
	}
	return injection{
		what: what,
		seen: func() int {
			sum := 0
			for _, name := range targets {
				sum += st.disks[name].seen() - before[name]
			}
			return sum
		},
		heal: func(context.Context) error {
			for _, name := range targets {
				end(st.disks[name])
			}
			return st.each(targets, st.up)
		},
	}
}

func (st *Stage) slowsDisks(_ context.Context, f *scenario.Fault, targets []string) (injection, error) {
	return st.disk("writes that took longer", targets,
		func(d *faultyDisk) { d.change(func() { d.delay = time.Duration(f.Delay) }) },
		func(d *faultyDisk) { d.change(func() { d.delay = 0 }) }), nil
}

func (st *Stage) hangsDisks(_ context.Context, _ *scenario.Fault, targets []string) (injection, error) {
	return st.disk("writes that nobody answered", targets,
		(*faultyDisk).hang, (*faultyDisk).release), nil
}

func (st *Stage) failsDisks(_ context.Context, _ *scenario.Fault, targets []string) (injection, error) {
	return st.disk("writes that failed", targets,
		func(d *faultyDisk) { d.change(func() { d.fails = 1 }) },
		func(d *faultyDisk) { d.change(func() { d.fails = 0 }) }), nil
}

func (st *Stage) shiftsClocks(_ context.Context, f *scenario.Fault, targets []string) (injection, error) {
	from := time.Now()
	wrong := func(right time.Time) time.Time {
		switch {
		case f.Freeze:
			return from
		case f.Drift != 0:
			return right.Add(time.Duration(float64(right.Sub(from)) * float64(f.Drift) / 1e6))
		default:
			return right.Add(time.Duration(f.Offset))
		}
	}
	before := 0
	for _, name := range targets {
		before += st.clocks[name].seen()
		st.clocks[name].set(wrong)
	}
	return injection{
		what: "wrong times told",
		seen: func() int {
			sum := -before
			for _, name := range targets {
				sum += st.clocks[name].seen()
			}
			return sum
		},
		heal: func(context.Context) error {
			for _, name := range targets {
				st.clocks[name].set(nil)
			}
			return nil
		},
	}, nil
}
