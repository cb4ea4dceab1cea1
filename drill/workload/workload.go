package workload

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/verify/evidence"
)

// Workload is one kind of traffic, for one run: Prepare, Run and Finish are called once
// each, in this order, with the same Env. Different workloads of one cluster and one
// recorder may run at once, those of one name may not.
type Workload interface {
	// Name is what a scenario calls it by.
	Name() string
	// Prepare makes what the traffic is about. It tries again until ctx ends, and may
	// find what another run left behind.
	Prepare(ctx context.Context, e *Env) error
	// Run is the traffic, until ctx ends, which is no error. Everything that it began
	// has ended when it returns, within seconds of the end of ctx.
	Run(ctx context.Context, e *Env) error
	// Finish reads what the checkers want of the end, trying again until ctx ends: the
	// cluster should be well by then.
	Finish(ctx context.Context, e *Env) error
}

// Cluster is what the traffic goes to; every drill.Stage is one. It may be called
// concurrently.
type Cluster interface {
	// Servers are the names of those that are part of the cluster now, running or not.
	Servers() []string
	// Endpoint is a server's API address.
	Endpoint(server string) string
	// Client returns a new client, with a session of its own; the caller closes it. It
	// reaches all servers, or those named alone, also when the cluster tells it of others.
	Client(servers ...string) (*client.Client, error)
	// ClientAs returns one that reaches all servers in the name of an actor, who it is where
	// access control is off; where it is on, all of them are one.
	ClientAs(actor string) (*client.Client, error)
}

// Env is one workload's share of a drill.
type Env struct {
	Cluster

	// Recorder is the drill's, shared by all workloads.
	Recorder *evidence.Recorder
	// Rand is of this workload alone: it decides what is called, and in what order, as
	// far as that is not the cluster's doing.
	Rand *rand.Rand
	// Load has the sizes; what is 0 there is the workload's default.
	Load scenario.Workload

	// epoch is the cluster's revision when this drill began: it makes the values that are
	// written others than those of an earlier drill, of which versions may be kept.
	epoch uint64
}

// Named returns a new workload of a name.
func Named(name string) (Workload, bool) {
	begin, known := workloads[name]
	if !known {
		return nil, false
	}
	return begin(), true
}

// Names are the names of all workloads, sorted.
func Names() []string { return slices.Sorted(maps.Keys(workloads)) }

// The names of the workloads.
const (
	Registers    = "registers"
	Lists        = "lists"
	Transactions = "transactions"
	Watchers     = "watchers"
	Readers      = "readers"
	Numbers      = "numbers"
	Holders      = "holders"
	Placements   = "placements"
)

var workloads = map[string]func() Workload{
	Registers:    func() Workload { return new(registers) },
	Lists:        func() Workload { return new(lists) },
	Transactions: func() Workload { return new(transactions) },
	Watchers:     func() Workload { return new(watchers) },
	Readers:      func() Workload { return new(readers) },
	Numbers:      func() Workload { return new(takers) },
	Holders:      func() Workload { return new(holders) },
	Placements:   func() Workload { return new(placements) },
}

// clients, keys and pause are as the scenario has them, or the given default.
func (e *Env) clients(standard int) int { return orStandard(e.Load.Clients, standard) }
func (e *Env) keys(standard int) int    { return orStandard(e.Load.Keys, standard) }
func (e *Env) pause(standard time.Duration) time.Duration {
	return orStandard(time.Duration(e.Load.Pause), standard)
}

func orStandard[T int | time.Duration](value, standard T) T {
	if value <= 0 {
		return standard
	}
	return value
}
