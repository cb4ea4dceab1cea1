package servertest

import (
	"context"
	"time"

	links "github.com/candor-plane/candor/drill/network"
	"github.com/candor-plane/candor/drill/scenario"
)

// shut cuts ways until it is healed.
func (st *Stage) shut(what string, ways [][2]string) injection {
	before := st.c.network.metOn(ways)
	for _, way := range ways {
		st.c.network.cut(way[0], way[1])
	}
	healed := false
	return injection{
		what: what, seen: func() int { return st.c.network.metOn(ways) - before },
		heal: func(context.Context) error {
			st.mu.Lock()
			defer st.mu.Unlock()
			if healed {
				return nil
			}
			healed = true
			for _, way := range ways {
				st.c.network.mend(way[0], way[1])
			}
			return nil
		},
	}
}

func (st *Stage) pauses(_ context.Context, _ *scenario.Fault, targets []string) (injection, error) {
	var ways [][2]string
	for _, name := range targets {
		for _, other := range append(st.Servers(), clientName) {
			if other != name {
				ways = append(ways, [2]string{name, other}, [2]string{other, name})
			}
		}
	}
	return st.shut("messages that nobody answered", ways), nil
}

func (st *Stage) parts(_ context.Context, f *scenario.Fault, targets []string) (injection, error) {
	directions, err := links.Directions(f.Shape, targets, st.Servers())
	if err != nil {
		return injection{}, err
	}
	var ways [][2]string
	for _, d := range directions {
		ways = append(ways, [2]string{d.From, d.To})
	}
	return st.shut("messages lost", ways), nil
}

func (st *Stage) slows(_ context.Context, f *scenario.Fault, targets []string) (injection, error) {
	var ways [][2]string
	for _, name := range targets {
		for _, other := range st.Servers() {
			if other == name || f.To != "" && other != f.To {
				continue
			}
			ways = append(ways, [2]string{name, other})
			if f.To == "" {
				ways = append(ways, [2]string{other, name})
			}
		}
	}
	before := st.c.network.metOn(ways)
	for _, way := range ways {
		st.c.network.slow(way[0], way[1], time.Duration(f.Delay+f.Jitter/2))
	}
	return injection{
		what: "messages late", seen: func() int { return st.c.network.metOn(ways) - before },
		heal: func(context.Context) error {
			for _, way := range ways {
				st.c.network.slow(way[0], way[1], 0)
			}
			return nil
		},
	}, nil
}

func (st *Stage) starves(_ context.Context, _ *scenario.Fault, targets []string) (injection, error) {
	var ways [][2]string
	for _, name := range targets {
		for _, other := range st.Servers() {
			if other != name {
				ways = append(ways, [2]string{other, name})
			}
		}
		st.c.network.starve(name)
	}
	before := st.c.network.metOn(ways)
	return injection{
		what: "entries lost", seen: func() int { return st.c.network.metOn(ways) - before },
		heal: func(context.Context) error {
			for _, name := range targets {
				st.c.network.feed(name)
			}
			return nil
		},
	}, nil
}
