package experiment

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/candor-plane/candor/bench/load"
	"github.com/candor-plane/candor/bench/meter"
	"github.com/candor-plane/candor/bench/process"
	"github.com/candor-plane/candor/bench/system"
)

const (
	// clientsPerConnection is the relation of etcd's published benchmark, 1,000
	// clients on 100 connections; both sides get it.
	clientsPerConnection = 10
	// specPool is how many specs each object takes turns with: each write of an
	// object differs from the one before.
	specPool = 4096
	// stopGrace is how long a client may take to end its last operation.
	stopGrace = 15 * time.Second
	// quietShare is the share of one core below which a cluster counts as quiet.
	quietShare = 0.10
	quietSpan  = 250 * time.Millisecond
)

// Subject is one cluster under measurement. One goroutine at a time uses it.
type Subject struct {
	Cluster system.Cluster
	Meter   *meter.Meter
	Plan    Plan
	// Dir is on the measured disk and is the measurement's to fill.
	Dir string

	items   []system.Object
	specs   [][]byte
	writes  []atomic.Uint32 // of each item
	created int
}

// NewSubject wraps a started cluster.
func NewSubject(cluster system.Cluster, m *meter.Meter, plan Plan, dir string) *Subject {
	if cluster == nil || m == nil {
		panic("experiment.NewSubject: no cluster or no meter")
	}
	s := &Subject{Cluster: cluster, Meter: m, Plan: plan, Dir: dir, specs: make([][]byte, specPool)}
	for i := range s.specs {
		s.specs[i] = system.Spec(1<<40 + uint64(i))
	}
	return s
}

// Prepare loads the objects that updates, swaps and reads choose from.
func (s *Subject) Prepare(ctx context.Context, count int) error {
	if count == 0 {
		return nil
	}
	corpus := system.NewCorpus("item")
	conns, err := s.dialLeader(ctx, 1)
	if err != nil {
		return err
	}
	defer func() { _ = closeAll(conns) }()
	if err := conns[0].Load(ctx, corpus, count); err != nil {
		return fmt.Errorf("prepare %d objects: %w", count, err)
	}
	s.items, s.writes = make([]system.Object, count), make([]atomic.Uint32, count)
	for i := range s.items {
		s.items[i] = corpus.Bare(i)
	}
	return nil
}

// item is object n of the prepared ones, around and around, with its next spec:
// never the one that the object has, which a system might not write. Clients may
// call it concurrently.
func (s *Subject) item(n int) system.Object {
	n %= len(s.items)
	o := s.items[n]
	o.Spec = s.specs[(n+int(s.writes[n].Add(1)))%len(s.specs)]
	return o
}

// dialLeader opens the connections for so many clients, all to the leader.
func (s *Subject) dialLeader(ctx context.Context, clients int) ([]system.Conn, error) {
	leader, err := s.Cluster.Leader(ctx)
	if err != nil {
		return nil, err
	}
	return s.dial(ctx, clients, leader)
}

// dialFollower opens the connections for so many clients, all to one follower.
func (s *Subject) dialFollower(ctx context.Context, clients int) ([]system.Conn, error) {
	leader, err := s.Cluster.Leader(ctx)
	if err != nil {
		return nil, err
	}
	return s.dial(ctx, clients, s.others(leader)[0])
}

// dialEverywhere opens the connections for so many clients, as many as dial does:
// each client of the system's own has one to every member.
func (s *Subject) dialEverywhere(ctx context.Context, clients int) ([]system.Conn, error) {
	n := (connections(clients) + system.Members - 1) / system.Members
	conns := make([]system.Conn, 0, n)
	for range n {
		conn, err := s.Cluster.Dial(ctx, s.others(-1)...)
		if err != nil {
			return nil, errors.Join(err, closeAll(conns))
		}
		conns = append(conns, conn)
	}
	return conns, nil
}

func connections(clients int) int { return (clients + clientsPerConnection - 1) / clientsPerConnection }

// dial opens the connections for so many clients, each to one member, members in
// turn; client i uses connection i modulo their number.
func (s *Subject) dial(ctx context.Context, clients int, members ...int) ([]system.Conn, error) {
	n := max(connections(clients), len(members))
	conns := make([]system.Conn, 0, n)
	for i := range n {
		conn, err := s.Cluster.Dial(ctx, members[i%len(members)])
		if err != nil {
			return nil, errors.Join(err, closeAll(conns))
		}
		conns = append(conns, conn)
	}
	return conns, nil
}

// run warms the operations up, records one window, and stops them. The span
// covers exactly the window.
func (s *Subject) run(ctx context.Context, operations []load.Operation) (load.Result, meter.Span, error) {
	running := load.Start(ctx, operations)
	var span meter.Span
	result, err := func() (load.Result, error) {
		if err := running.Wait(ctx, s.Plan.Warm); err != nil {
			return load.Result{}, err
		}
		return running.Measure(func() error {
			before, err := s.Meter.Look()
			if err != nil {
				return err
			}
			if err := running.Wait(ctx, s.Plan.Window); err != nil {
				return err
			}
			if err := running.AwaitAnswer(ctx, stopGrace); err != nil {
				return err
			}
			after, err := s.Meter.Look()
			span = after.Since(before)
			return err
		})
	}()
	if stopped := running.Stop(stopGrace); err == nil {
		err = stopped
	}
	return result, span, err
}

// settle waits until the members use little CPU, at most the plan's Settle: a
// cluster that never rests is measured as it is.
func (s *Subject) settle(ctx context.Context) error {
	deadline := time.Now().Add(s.Plan.Settle)
	for time.Now().Before(deadline) {
		before, err := s.Meter.Look()
		if err != nil {
			return err
		}
		if err := pause(ctx, quietSpan); err != nil {
			return err
		}
		after, err := s.Meter.Look()
		if err != nil {
			return err
		}
		if span := after.Since(before); span.Subject.Seconds() < quietShare*span.Elapsed.Seconds() {
			return nil
		}
	}
	return nil
}

// memory is the mean over the members.
func (s *Subject) memory() (process.Memory, error) {
	group := s.Cluster.Processes()
	var mean process.Memory
	for i := range group.Size() {
		m, err := group.Member(i).Memory()
		if err != nil {
			return process.Memory{}, fmt.Errorf("member %d: %w", i, err)
		}
		mean.Resident += m.Resident / int64(group.Size())
		mean.Anonymous += m.Anonymous / int64(group.Size())
	}
	return mean, nil
}

// others are all members but one.
func (s *Subject) others(member int) []int {
	rest := make([]int, 0, system.Members)
	for i := range s.Cluster.Processes().Size() {
		if i != member {
			rest = append(rest, i)
		}
	}
	return rest
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func closeAll(conns []system.Conn) error {
	var failures []error
	for _, conn := range conns {
		failures = append(failures, conn.Close())
	}
	return errors.Join(failures...)
}
