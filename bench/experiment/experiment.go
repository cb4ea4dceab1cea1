// Package experiment is what is measured: each experiment puts one kind of work
// on one cluster and answers numbers, the same work in the same words for every
// system.
//
// It guarantees that a number comes from acknowledged work only, and that what
// an experiment opened it has closed. It refuses to go on after an operation
// failed; the failover experiment alone expects failures. Package round decides
// which cluster is measured when, how often, and what is thrown away.
package experiment

import (
	"context"
	"time"

	"github.com/candor-plane/candor/bench/system"
)

// Direction says which of two values is the better one.
type Direction int

const (
	// Higher is for throughput.
	Higher Direction = iota
	// Lower is for time and cost.
	Lower
)

// Metric is one number of an experiment; it becomes one row of the report.
type Metric struct {
	Name   string
	Unit   string
	Better Direction
}

// Values are the metrics of one measurement, by name.
type Values map[string]float64

// Rival is who Candor is measured beside.
type Rival string

const (
	// Peer is the other system.
	Peer Rival = ""
	// WithoutBeacon is Candor whose servers have nothing proven that no read asks
	// for.
	WithoutBeacon Rival = "without-beacon"
	// WithoutWitness is Candor built to answer reads without their witnesses.
	WithoutWitness Rival = "without-witness"
	// Nobody leaves Candor alone.
	Nobody Rival = "nobody"
)

// Stage is the clusters that an experiment needs. Experiments with equal stages
// that follow each other share them.
type Stage struct {
	Name string
	// Alone gives each measurement a cluster of its own, with no other one alive.
	Alone bool
	// Election and Heartbeat are set on both sides; zero for each side's own.
	Election, Heartbeat time.Duration
	// Items is how many objects are loaded before the first measurement.
	Items int
	// Beside is who the peer is.
	Beside Rival
	// Security of each side. Beside a secured side stands the same side plain, and
	// both are measured in every round.
	Security system.Security
	// EqualSize pads what each side stores for an object to the larger side's
	// encoding.
	EqualSize bool
}

// Experiment is one kind of work and its metrics.
type Experiment struct {
	Name    string
	Stage   Stage
	Rounds  int
	Metrics []Metric
	Measure func(ctx context.Context, s *Subject) (Values, error)
}

// RowName is the name of a metric's row.
func (e Experiment) RowName(m Metric) string { return e.Name + "/" + m.Name }

var (
	rate = Metric{Name: "rate", Unit: "op/s", Better: Higher}
	p50  = Metric{Name: "p50", Unit: "ms", Better: Lower}
	p99  = Metric{Name: "p99", Unit: "ms", Better: Lower}
	cpu  = Metric{Name: "cpu", Unit: "µs/op", Better: Lower}
)

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1e3 }

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }
