package stage

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/doctor"
	"github.com/candor-plane/candor/drill/network"
	"github.com/candor-plane/candor/drill/scenario"
)

// Options of New. Binary, Scenario, Child and Logger are required.
type Options struct {
	// Binary is the servers' program; Previous is that of the release before, which they
	// begin with where the scenario says so.
	Binary, Previous string
	// Scenario says how many servers there are, with which flags, and which faults they
	// are prepared for.
	Scenario *scenario.Scenario
	// Dir is where the servers' logs go, and stay; it is made. Empty: into the directory
	// for everything else, which Close removes.
	Dir string
	// Child is how this program is run so that it hands its arguments to Child.
	Child []string
	// Layer of the links; empty for the best that this machine has.
	Layer network.Layer
	Seed  uint64

	Logger hclog.Logger
}

const (
	// actor is in whose name the stage itself acts.
	actor = "drill-stage"
)

// Stage is a cluster of processes that this one began.
type Stage struct {
	options Options
	// data is gone when the stage is; logs is where the servers' logs are.
	data    *doctor.Directory
	logs    string
	logger  hclog.Logger
	links   *network.Links
	own     *client.Client
	sweeper *sweeper
	// refused are the kinds that cannot be made here, and why.
	refused map[scenario.Kind]error

	ctx    context.Context //nolint:containedctx // ends with the stage, for what lasts as long
	cancel context.CancelFunc
	// watching are those who await the ends of runs.
	watching sync.WaitGroup

	// reshaping lets one change of the members be made at a time.
	reshaping sync.Mutex

	mu      sync.Mutex
	count   int
	members []*member // of the cluster
	left    []*member // of it no more
	ends    []drill.End
	fleets  []*fleet
	workers []*worker
	// befell counts the faults that befell instances.
	befell  int
	lasting []*injection

	once   sync.Once
	closed error
}

var _ drill.Stage = (*Stage)(nil)

// New begins the scenario's cluster and returns once each server knows a leader. The
// caller closes it.
func New(ctx context.Context, o Options) (*Stage, error) {
	if o.Binary == "" || o.Scenario == nil || len(o.Child) == 0 || o.Logger == nil {
		panic("stage: binary, scenario, child and logger are required")
	}
	if o.Scenario.Cluster.Previous && o.Previous == "" {
		return nil, candor.Errorf(candor.ReasonUsage, "scenario %s begins with another release's servers: say which binary that is (--previous)", o.Scenario.Name)
	}
	s := &Stage{options: o, logger: o.Logger, refused: map[scenario.Kind]error{}}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(candor.Wrap("begin a stage", err), s.Close())
	}
	return s, nil
}

func (s *Stage) open(ctx context.Context) (err error) {
	if err := s.settle(); err != nil {
		return err
	}
	if s.links, err = network.New(ctx, network.Options{Layer: s.options.Layer, Seed: s.options.Seed}); err != nil {
		return err
	}
	s.probe()
	binary := s.options.Binary
	if s.options.Scenario.Cluster.Previous {
		binary = s.options.Previous
	}
	var initial []string
	for range s.options.Scenario.Cluster.Servers {
		m, err := s.recruit(binary)
		if err != nil {
			return err
		}
		s.members = append(s.members, m)
		initial = append(initial, m.name()+"="+m.server.API+"/"+m.server.Raft)
	}
	for _, m := range s.members {
		m.begins = []string{"--initial-cluster=" + strings.Join(initial, ",")}
		if err := s.begin(m); err != nil {
			return err
		}
	}
	if s.own, err = s.connect(actor, s.addresses()...); err != nil {
		return err
	}
	for _, m := range s.members {
		if err := s.first(ctx, m); err != nil {
			return err
		}
	}
	if err := s.populate(ctx); err != nil {
		return err
	}
	return s.employ(ctx)
}

// settle makes the directories, and has the one for data removed should this process
// be killed.
func (s *Stage) settle() (err error) {
	if s.data, err = doctor.NewDirectory(""); err != nil {
		return err
	}
	s.logs = s.data.Path
	if s.options.Dir != "" {
		s.logs = s.options.Dir
		if err := os.MkdirAll(s.logs, 0o700); err != nil {
			return candor.Wrap("stage", err)
		}
	}
	s.sweeper, err = newSweeper(s.options.Child, s.data.Path)
	return err
}

// Layer is what the links between the servers are made of.
func (s *Stage) Layer() string { return string(s.links.Layer()) }

// Links are those between the servers.
func (s *Stage) Links() *network.Links { return s.links }

// Servers are the members of the cluster, running or not.
func (s *Stage) Servers() []string {
	var out []string
	for _, m := range s.current() {
		out = append(out, m.name())
	}
	return out
}

// Endpoint is a server's API address, also of one that is no member any more; empty
// where there is none.
func (s *Stage) Endpoint(server string) string {
	if m := s.named(server); m != nil {
		return m.server.API
	}
	return ""
}

// Log is the file that a server writes to; empty where there is none.
func (s *Stage) Log(server string) string {
	if m := s.named(server); m != nil {
		return m.server.Log
	}
	return ""
}

// Client returns a new client, which reaches every server.
func (s *Stage) Client(servers ...string) (*client.Client, error) {
	if len(servers) == 0 {
		return s.ClientAs("drill")
	}
	addresses, err := s.reaching(servers)
	if err != nil {
		return nil, err
	}
	return client.New(client.Config{Endpoints: addresses, Actor: "drill", Dialer: confined(addresses, s.dial)})
}

// ClientAs returns one in the name of an actor.
func (s *Stage) ClientAs(actor string) (*client.Client, error) {
	addresses, err := s.reaching(s.Servers())
	if err != nil {
		return nil, err
	}
	return s.connect(actor, addresses...)
}

func (s *Stage) reaching(servers []string) (found []string, err error) {
	for _, name := range servers {
		m := s.named(name)
		if m == nil {
			return nil, candor.Errorf(candor.ReasonNotFound, "there is no server %q: there are %v", name, s.Servers())
		}
		found = append(found, m.server.API)
	}
	return found, nil
}

func (s *Stage) connect(as string, addresses ...string) (*client.Client, error) {
	return client.New(client.Config{Endpoints: addresses, Actor: as, Dialer: s.dial})
}

type dialer = func(ctx context.Context, address string) (net.Conn, error)

// confined reaches these addresses alone: a client learns of other servers.
func confined(addresses []string, dial dialer) dialer {
	return func(ctx context.Context, address string) (net.Conn, error) {
		if !slices.Contains(addresses, address) {
			return nil, candor.Errorf(candor.ReasonUnavailable, "this client is for %v alone", addresses)
		}
		return dial(ctx, address)
	}
}

// Close ends all faults and all that was begun, and removes it. It may be called
// again.
func (s *Stage) Close() error {
	s.once.Do(func() { s.closed = s.close() })
	return s.closed
}

func (s *Stage) close() error {
	s.cancel()
	var failed []error
	if s.own != nil {
		failed = append(failed, s.own.Close())
	}
	s.mu.Lock()
	fleets, workers, lasting := s.fleets, s.workers, s.lasting
	s.mu.Unlock()
	for _, w := range workers {
		w.run.Kill()
	}
	for _, f := range fleets {
		f.run.Kill()
	}
	everyone := s.everyone()
	for _, m := range everyone {
		m.kill()
	}
	s.watching.Wait()
	// What a fault began of its own, such as connections, ends with its heal; the servers
	// are gone, so that what is to return does not.
	for _, i := range lasting {
		_ = i.Heal(s.ctx)
	}
	s.watching.Wait()
	for _, m := range everyone {
		failed = append(failed, m.close())
	}
	if len(workers) > 0 {
		failed = append(failed, doctor.EndInstances(context.WithoutCancel(s.ctx), s.data.Path))
	}
	if s.links != nil {
		failed = append(failed, s.links.Close())
	}
	if s.sweeper != nil {
		failed = append(failed, s.sweeper.close())
	} else if s.data != nil {
		failed = append(failed, s.data.Remove())
	}
	return errors.Join(failed...)
}

// close lets go of what a server had beside its process, which has ended.
func (m *member) close() error {
	var err error
	if m.pipe != nil {
		err = m.pipe.close()
	}
	if m.room != nil {
		m.room.Close()
	}
	return err
}

func (s *Stage) current() []*member {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.members)
}

// everyone are the members and those that were.
func (s *Stage) everyone() []*member {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.members, s.left)
}

// named is a server of that name, of the cluster or not; nil where there is none.
func (s *Stage) named(name string) *member {
	for _, m := range s.everyone() {
		if m.name() == name {
			return m
		}
	}
	return nil
}

func (s *Stage) addresses(but ...*member) []string {
	var out []string
	for _, m := range s.current() {
		if !slices.Contains(but, m) {
			out = append(out, m.server.API)
		}
	}
	return out
}

// targets are the members of these names.
func (s *Stage) targets(names []string) ([]*member, error) {
	out := make([]*member, 0, len(names))
	for _, name := range names {
		m := s.named(name)
		if m == nil {
			return nil, candor.Errorf(candor.ReasonNotFound, "there is no server %q: there are %v", name, s.Servers())
		}
		out = append(out, m)
	}
	return out, nil
}

// starting starts a process at a place.
func starting(place *network.Placement) func(*exec.Cmd) error {
	return func(child *exec.Cmd) error { return place.Start(child.Start) }
}
