package generate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/scenario"
)

// SwarmPace is the least mean time from one beginning of faults to the next of a random
// scenario: just enough for the one to be over before the other comes.
const SwarmPace = mostLength + mostLength/2

// Swarm is a random scenario of a seed, of a length of at least two minutes: some of the
// kinds that a cluster in memory can have befall it, chosen anew for every seed, at random
// times, targets and lengths, under light traffic; one to three of them begin together, as
// often as every says in the mean, SwarmPace at least. Where they come seldom, clients
// take their time as well. It is the same for the same seed, length and pace.
func Swarm(seed uint64, length, every time.Duration) (*scenario.Scenario, error) {
	if length < 2*time.Minute || every < SwarmPace {
		return nil, candor.Errorf(candor.ReasonUsage, "a random scenario of %s, with faults every %s: want at least 2m, and %s", length, every, SwarmPace)
	}
	w := &swarm{ease: int(min(every/SwarmPace, mostEase)), random: rand.New(rand.NewPCG(seed, uint64(length))), aside: rand.New(rand.NewPCG(seed, ^uint64(length)))}
	s := &scenario.Scenario{
		Name: fmt.Sprintf("swarm-%d", seed), Summary: "Random faults at random times. Every promise holds.",
		Cluster: scenario.Cluster{Servers: one(w, 3, 3, 5)},
		Load:    scenario.Load{For: scenario.Duration(length), Workloads: w.traffic()},
		Expect:  scenario.Expect{Acknowledged: 50, Ends: []string{string(candor.ReasonDiskFailed)}},
	}
	if w.random.IntN(2) == 0 {
		s.Cluster.Flags = map[string]string{"snapshot-bytes": "65536", "trailing-bytes": "16384", "trailing-entries": "64"}
	}
	w.kinds = w.chosen(s)
	for at := 5 * time.Second; len(s.Faults) < mostFaults; at += w.between(mostLength, 2*every-mostLength) {
		for range 1 + w.random.IntN(3) {
			f := w.fault()
			f.At, f.Times = scenario.Duration(at+w.between(0, mostLength/3)), 1
			if time.Duration(f.End())+settle <= length {
				s.Faults = append(s.Faults, f)
			}
		}
		if at+mostLength+settle > length {
			break
		}
	}
	w.besides(s)
	s.Faults = slices.DeleteFunc(s.Faults, func(f scenario.Fault) bool { return f.Kind == scenario.Transfer && starved(s.Faults, f) })
	if err := s.Validate(); err != nil {
		return nil, candor.Wrap("random scenario", err)
	}
	return s, nil
}

// starved says whether a transfer comes while some server gets no entries, or soon
// after. hashicorp/raft then may leave two goroutines behind, which wait for that server
// for ever: a process bears that, and a bubble must not end with them.
func starved(faults []scenario.Fault, transfer scenario.Fault) bool {
	return slices.ContainsFunc(faults, func(f scenario.Fault) bool {
		return f.Kind == scenario.Starve && f.At <= transfer.At && transfer.At <= f.End()+scenario.Duration(mostLength)
	})
}

const (
	mostFaults = 90
	// mostLength is how long a fault lasts at most, in all but the time of its beginning.
	mostLength = 30 * time.Second
	// mostChanges is how often members change: each may take a server more.
	mostChanges = 3
	// mostEase is how many times slower clients are at most.
	mostEase = 4
)

// swarm draws one scenario.
type swarm struct {
	random *rand.Rand
	// aside draws what is besides, so that the rest of a seed stays what it is.
	aside *rand.Rand
	// ease is how many times slower than usual clients are.
	ease    int
	kinds   []func(*swarm) scenario.Fault
	changes int
}

func one[T any](w *swarm, of ...T) T { return of[w.random.IntN(len(of))] }

func (w *swarm) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.random.Int64N(int64(most-least)+1)).Truncate(time.Millisecond)
}

func (w *swarm) lasts() scenario.Duration {
	return scenario.Duration(w.between(200*time.Millisecond, one(w, 2*time.Second, 8*time.Second, mostLength)))
}

// traffic is registers, and some of the others, slow enough to simulate hours of it.
func (w *swarm) traffic() []scenario.Workload {
	all := []scenario.Workload{{Name: "registers", Clients: 3, Pause: w.pause(2)}}
	for _, other := range []scenario.Workload{
		{Name: "lists", Clients: 1, Pause: w.pause(5)},
		{Name: "transactions", Clients: 1, Pause: w.pause(5)},
		{Name: "watchers", Clients: 1, Pause: w.pause(5)},
		{Name: "readers", Clients: 2, Pause: w.pause(3)},
		{Name: "numbers", Clients: 2, Pause: w.pause(2)},
	} {
		if w.random.IntN(2) == 0 {
			all = append(all, other)
		}
	}
	return all
}

// pause is how long a client that would pause for some seconds does.
func (w *swarm) pause(seconds int) scenario.Duration {
	return scenario.Duration(time.Duration(seconds*w.ease) * time.Second)
}

// chosen is a subset of the kinds of faults: what a few do to one another is seen less
// among all of them.
func (w *swarm) chosen(s *scenario.Scenario) []func(*swarm) scenario.Fault {
	all := slices.Clone(swarmKinds)
	if s.Cluster.Flags != nil {
		all = append(all, func(w *swarm) scenario.Fault {
			return scenario.Fault{Kind: scenario.Starve, Target: "follower", For: w.lasts()}
		})
	}
	w.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:3+w.random.IntN(len(all)-3)]
}

// fault draws one of the chosen kinds; when members have changed often enough, or no
// kind but that is chosen, leadership moves instead.
func (w *swarm) fault() scenario.Fault {
	f := one(w, w.kinds...)(w)
	switch f.Kind {
	case scenario.Add, scenario.Remove, scenario.Replace:
		if w.changes++; w.changes > mostChanges {
			return scenario.Fault{Kind: scenario.Transfer}
		}
	default: // as often as it comes
	}
	return f
}

// target is whom a fault of one server or of a few befalls.
func (w *swarm) target() string {
	return one(w, "leader", "leader", "follower", "any", "minority", "holder/tso", "holder/ids")
}

// swarmKinds draw a fault each, but for its time.
var swarmKinds = []func(*swarm) scenario.Fault{
	func(w *swarm) scenario.Fault {
		return scenario.Fault{Kind: scenario.Kill, Target: one(w, w.target(), w.target(), "majority", "all"), For: w.lasts()}
	},
	func(w *swarm) scenario.Fault {
		return scenario.Fault{Kind: scenario.Stop, Target: w.target(), For: w.lasts()}
	},
	func(*swarm) scenario.Fault { return scenario.Fault{Kind: scenario.Restart, Target: "all"} },
	// Half, one and a half, and ten times a tenure, of either length.
	func(w *swarm) scenario.Fault {
		lasts := one(w, 750*time.Millisecond, 1500*time.Millisecond, 2250*time.Millisecond, 4500*time.Millisecond, 15*time.Second, mostLength)
		return scenario.Fault{Kind: scenario.Pause, Target: w.target(), For: scenario.Duration(lasts)}
	},
	func(*swarm) scenario.Fault { return scenario.Fault{Kind: scenario.Transfer} },
	func(w *swarm) scenario.Fault {
		f := scenario.Fault{Kind: scenario.Partition, Shape: one(w, scenario.Shapes...), Target: w.target(), For: w.lasts()}
		switch f.Shape {
		case scenario.Ring:
			f.Target = "all"
		case scenario.Bridge:
			f.Target = one(w, "leader", "follower")
		default: // anybody
		}
		return f
	},
	func(w *swarm) scenario.Fault {
		delay := w.between(5*time.Millisecond, one(w, 50*time.Millisecond, 400*time.Millisecond, time.Second))
		return scenario.Fault{Kind: scenario.Link, Target: one(w, w.target(), "all"), For: w.lasts(), Delay: scenario.Duration(delay)}
	},
	func(w *swarm) scenario.Fault {
		delay := w.between(10*time.Millisecond, one(w, 100*time.Millisecond, 500*time.Millisecond))
		return scenario.Fault{Kind: scenario.SlowDisk, Target: w.target(), For: w.lasts(), Delay: scenario.Duration(delay)}
	},
	func(w *swarm) scenario.Fault {
		return scenario.Fault{Kind: scenario.HangDisk, Target: w.target(), For: w.lasts()}
	},
	func(w *swarm) scenario.Fault {
		return scenario.Fault{Kind: scenario.FailDisk, Target: w.target(), For: w.lasts()}
	},
	func(w *swarm) scenario.Fault {
		f := scenario.Fault{Kind: scenario.Clock, Target: one(w, w.target(), "all"), For: w.lasts()}
		switch w.random.IntN(3) {
		case 0:
			f.Freeze = true
		case 1:
			f.Drift = one(w, 100_000, -100_000, 500_000)
		default:
			f.Offset = scenario.Duration(one(w, time.Hour, -time.Hour, 3*time.Second, -3*time.Second))
		}
		return f
	},
	func(*swarm) scenario.Fault { return scenario.Fault{Kind: scenario.Add} },
	func(w *swarm) scenario.Fault {
		return scenario.Fault{Kind: scenario.Replace, Target: one(w, "leader", "follower")}
	},
	func(w *swarm) scenario.Fault {
		return scenario.Fault{Kind: scenario.Move, Duty: one(w, "ids", "tso")}
	},
}
