package servertest

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/replica"
)

// Stage is a cluster of this process for drills, in virtual time where the test runs
// in a bubble. Its methods may be called concurrently; the test's cleanup closes it.
type Stage struct {
	c *Cluster
	// ctx ends with the stage, and lets what hangs go.
	ctx    context.Context //nolint:containedctx // it is the stage's whole life
	cancel context.CancelFunc
	disks  map[string]*faultyDisk
	clocks map[string]*faultyClock
	// crews are its worker nodes, policy what those are under; both stay as they are.
	crews  []crew
	policy candor.FailurePolicySpec
	// falls are servers that end because they cannot go on.
	falls sync.WaitGroup

	// mu is over the cluster's list of members and what is here; it is never held for
	// longer than a moment: in a bubble, time stands still while somebody waits for it.
	mu      sync.Mutex
	ended   []drill.End
	removed map[string]bool
	// lives are what each server's beginnings and ends take turns by.
	lives map[string]chan struct{}
}

var _ drill.Stage = (*Stage)(nil)

// most is how many servers a stage can have, with those that faults add.
const most = 12

// StartStage starts the cluster of a scenario, with its data in a folder, and its worker
// nodes, and waits until it leads and those are ready. Of the flags those that a cluster in memory has are known.
func StartStage(t testing.TB, data string, s *scenario.Scenario, opts ...Option) *Stage {
	t.Helper()
	st := &Stage{
		disks: map[string]*faultyDisk{}, clocks: map[string]*faultyClock{},
		removed: map[string]bool{}, lives: map[string]chan struct{}{}, policy: fleetSpec(&s.Cluster),
	}
	st.ctx, st.cancel = context.WithCancel(context.WithoutCancel(t.Context()))
	t.Cleanup(func() {
		st.cancel()
		st.falls.Wait()
	})
	all := []Option{WithServers(s.Cluster.Servers), WithData(data)}
	for name, value := range s.Cluster.Flags {
		option, err := flag(name, value)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, option)
	}
	for i := range most {
		st.lives[nameOf(i)] = make(chan struct{}, 1)
		all = append(all, WithServer(nameOf(i), st.faults(nameOf(i))))
	}
	st.c = Start(t, append(all, opts...)...)
	st.populate(t, s)
	return st
}

// flag is a flag of `candor server`, for every server.
func flag(name, value string) (Option, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 {
		return nil, fmt.Errorf("flag %s: %q is no number", name, value)
	}
	switch name {
	case "snapshot-bytes":
		return WithSettings(func(s *replica.Settings) { s.SnapshotBytes, s.SnapshotInterval = n, time.Second }), nil
	case "trailing-bytes":
		return WithSettings(func(s *replica.Settings) { s.TrailingBytes = n }), nil
	case "trailing-entries":
		return WithSettings(func(s *replica.Settings) { s.TrailingEntries = uint64(n) }), nil
	case "retain-revisions":
		return WithRetainRevisions(uint64(n)), nil
	default:
		return nil, fmt.Errorf("flag %s: not known to a cluster in memory", name)
	}
}

// faults puts a server's own faults in.
func (st *Stage) faults(name string) func(*server.Config) {
	disk, clock := new(faultyDisk), &faultyClock{Clock: replica.RuntimeClock()}
	st.disks[name], st.clocks[name] = disk, clock
	return func(config *server.Config) {
		config.Seams.Clock = clock
		config.Seams.WrapLogStore = func(s raft.LogStore) raft.LogStore { return &faultyStore{s, st.ctx, disk} }
		config.Seams.OnFatal = func(err error) { st.fall(name, err) }
	}
}

// fall ends a server that cannot go on, as its process would.
func (st *Stage) fall(name string, err error) {
	end := drill.End{Server: name, At: time.Now(), Reason: candor.ReasonOf(err), Message: err.Error()}
	st.falls.Go(func() {
		if st.ctx.Err() != nil {
			return
		}
		st.note(end)
		// It has ended already where another fault ended it meanwhile.
		_ = st.turn(name, st.down)
	})
}

// Layer implements [drill.Stage].
func (*Stage) Layer() string { return "virtual time" }

// Servers implements [drill.Stage].
func (st *Stage) Servers() []string {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.names()
}

func (st *Stage) names() []string {
	var names []string
	for _, m := range st.c.members {
		if !st.removed[m.name] {
			names = append(names, m.name)
		}
	}
	return names
}

// Endpoint implements [drill.Stage].
func (*Stage) Endpoint(server string) string { return server }

// Client implements [drill.Stage].
func (st *Stage) Client(servers ...string) (*client.Client, error) {
	if len(servers) == 0 {
		return st.ClientAs("drill")
	}
	dial := st.c.Dialer()
	return client.New(client.Config{Endpoints: servers, Actor: "drill", Dialer: func(ctx context.Context, to string) (net.Conn, error) {
		if !slices.Contains(servers, to) {
			return nil, candor.Errorf(candor.ReasonUnavailable, "this client is for %v alone", servers)
		}
		return dial(ctx, to)
	}})
}

// ClientAs implements [drill.Stage].
func (st *Stage) ClientAs(actor string) (*client.Client, error) {
	return client.New(client.Config{Endpoints: st.Servers(), Actor: actor, Dialer: st.c.Dialer()})
}

// Ended implements [drill.Stage].
func (st *Stage) Ended() []drill.End {
	st.mu.Lock()
	defer st.mu.Unlock()
	return append([]drill.End(nil), st.ended...)
}

// Close implements [drill.Stage]. The servers end with the test.
func (*Stage) Close() error { return nil }

// Cluster is what the stage is made of: for checks that need more than clients see,
// once the drill is over.
func (st *Stage) Cluster() *Cluster { return st.c }

// member is one that runs, or not.
func (st *Stage) member(name string) (*member, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, m := range st.c.members {
		if m.name == name {
			return m, nil
		}
	}
	return nil, candor.Errorf(candor.ReasonNotFound, "no server is named %s", name)
}

// turn changes whether a server runs, while nothing else does that.
func (st *Stage) turn(name string, change func(*member) error) error {
	m, err := st.member(name)
	if err != nil {
		return err
	}
	st.lives[name] <- struct{}{}
	defer func() { <-st.lives[name] }()
	return change(m)
}

// down ends a server as a crash would.
func (st *Stage) down(m *member) error {
	if m.ended {
		return nil
	}
	m.ended = true
	st.disks[m.name].ends()
	st.c.network.lose(m.name)
	// What a killed server says of its own end is of no interest.
	_ = m.server.Replica().Kill()
	_ = m.server.Close()
	return nil
}

// stop ends one gracefully.
func (st *Stage) stop(m *member) error {
	if m.ended {
		return nil
	}
	m.ended = true
	err := m.server.Close()
	st.disks[m.name].ends()
	st.c.network.lose(m.name)
	return err
}

// up starts one again, unless it was taken out of the cluster.
func (st *Stage) up(m *member) error {
	if !m.ended || st.isRemoved(m.name) {
		return nil
	}
	st.c.network.revive(m.name)
	st.disks[m.name].begins()
	if err := st.c.run(m); err != nil {
		return err
	}
	m.ended = false
	return nil
}

func (st *Stage) isRemoved(name string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.removed[name]
}
