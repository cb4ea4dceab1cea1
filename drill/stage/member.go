package stage

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill/network"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/drill/stage/calls"
	"github.com/candor-plane/candor/drill/stage/disk"
	"github.com/candor-plane/candor/drill/stage/process"
)

// member is one server, whatever it runs as just now.
type member struct {
	server process.Server
	place  *network.Placement
	// Each is nil unless the scenario has a fault that needs it.
	syncs *disk.Syncs
	room  *disk.Room
	pipe  *pipe
	clock *clock
	// begins are the flags that say how it becomes part of the cluster.
	begins []string
	// settings are all other flags.
	settings []string

	mu  sync.Mutex
	run *process.Run
}

func (m *member) name() string { return m.server.Name }

// running is the run that lasts; nil where there is none.
func (m *member) running() *process.Run {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.run == nil || m.run.Gone() {
		return nil
	}
	return m.run
}

// latest is the run that lasts, or the last one; nil before the first.
func (m *member) latest() *process.Run {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.run
}

// alive is the run that lasts, or NOT_FOUND.
func (m *member) alive() (*process.Run, error) {
	if run := m.running(); run != nil {
		return run, nil
	}
	return nil, candor.Errorf(candor.ReasonNotFound, "%s does not run", m.name())
}

// kill ends its run, if there is one, and waits for that.
func (m *member) kill() {
	if run := m.running(); run != nil {
		run.Kill()
	}
}

// stop ends its run as an operator does.
func (m *member) stop(ctx context.Context) error {
	run, err := m.alive()
	if err != nil {
		return err
	}
	code, err := run.Stop(ctx)
	if err != nil || code == candor.ExitDone {
		return err
	}
	said, err := run.Said()
	_, why := process.Told(said)
	return candor.Errorf(candor.ReasonInternal, "%s stopped with exit code %d: %s: %w", m.name(), code, why, err)
}

// recruit makes one more server, which has not begun.
func (s *Stage) recruit(binary string) (*member, error) {
	s.mu.Lock()
	s.count++
	name := "n" + strconv.Itoa(s.count)
	s.mu.Unlock()
	m := &member{server: process.Server{
		Name: name, Binary: binary, Child: s.options.Child,
		Data: filepath.Join(s.data.Path, name), Log: filepath.Join(s.logs, name+".log"),
		Env: []string{s.data.Mark.Environment()},
	}}
	api, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	raft, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	if m.place, err = s.links.Place(name, api, raft); err != nil {
		return nil, err
	}
	// What an earlier drill's server wrote is not this one's.
	if err := os.Remove(m.server.Log); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, candor.Wrap("stage", err)
	}
	m.server.API, m.server.Raft = m.place.API, m.place.Raft
	m.server.Start = starting(m.place)
	if lead := m.place.Lead; lead != nil {
		m.server.Watches = append(m.server.Watches, leads(lead))
	}
	if err := s.equip(m); err != nil {
		return nil, err
	}
	m.settings = s.settings(m)
	return m, nil
}

// equip gives a server what the scenario's faults need from its beginning on.
func (s *Stage) equip(m *member) (err error) {
	if s.prepared(diskKinds...) && s.refused[scenario.HangDisk] == nil {
		m.syncs = disk.NewSyncs()
		m.server.Watches = append(m.server.Watches, process.Watch{Numbers: disk.SyncCalls(), Decide: m.syncs.Decide, Gone: m.syncs.Forget})
	}
	if s.prepared(scenario.FullDisk) && s.refused[scenario.FullDisk] == nil {
		at := filepath.Join(s.data.Path, m.name()+"-disk")
		if err := os.Mkdir(at, 0o700); err != nil {
			return candor.Wrap("stage", err)
		}
		if m.room, err = disk.NewRoom(s.options.Child, at, roomBytes); err != nil {
			return err
		}
		m.server.Data = filepath.Join(m.room.Path, m.name())
	}
	if s.prepared(scenario.SilentLog) && s.refused[scenario.SilentLog] == nil {
		if m.pipe, err = newPipe(m.server.Log); err != nil {
			return err
		}
		m.server.Output = m.pipe.writer
	}
	if s.prepared(scenario.Clock) && s.refused[scenario.Clock] == nil {
		m.clock = newClock(filepath.Join(s.data.Path, m.name()+".clock"))
		m.server.Env = append(m.server.Env, clockVariable()+"=@"+m.clock.path)
	}
	return nil
}

// settings are a server's flags: the scenario's, and what a machine that has other
// things to do needs.
func (s *Stage) settings(m *member) []string {
	given := map[string]string{"gossip": "", "debug": "", "disk-watermark": "1"}
	if m.room != nil {
		given["disk-watermark"] = strconv.Itoa(roomWatermark)
	}
	maps.Copy(given, s.options.Scenario.Cluster.Flags)
	var out []string
	for _, name := range slices.Sorted(maps.Keys(given)) {
		out = append(out, "--"+name+"="+given[name])
	}
	if !m.place.Loopback {
		out = append(out, "--insecure")
	}
	return out
}

// begin begins a run of a server that does not run.
func (s *Stage) begin(m *member) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	// Under the lock, which Close takes to end a run: none begins after that.
	if s.ctx.Err() != nil {
		return candor.Errorf(candor.ReasonShuttingDown, "the stage ends")
	}
	if m.run != nil && !m.run.Gone() {
		return candor.Errorf(candor.ReasonAlreadyExists, "%s runs already", m.name())
	}
	m.server.Flags = slices.Concat(m.settings, m.begins)
	run, err := m.server.Begin()
	if err != nil {
		return err
	}
	m.run = run
	s.watching.Go(func() {
		<-run.Ended()
		s.note(m, run)
	})
	return nil
}

// answers waits until a server answers for itself.
func (s *Stage) answers(ctx context.Context, m *member) error {
	return await(ctx, m.name()+" to answer", func(ctx context.Context) (bool, error) {
		_, err := s.status(ctx, m)
		if err != nil && m.running() == nil {
			return false, s.whyGone(m)
		}
		return err == nil, err
	})
}

// well waits until a server knows who leads and has applied what is committed now.
func (s *Stage) well(ctx context.Context, m *member) error {
	var target uint64
	return await(ctx, m.name()+" to catch up", func(ctx context.Context) (bool, error) {
		if m.running() == nil {
			return false, s.whyGone(m)
		}
		if target == 0 {
			leader, err := s.leader(ctx)
			if err != nil {
				return false, err
			}
			status, err := s.status(ctx, leader)
			if err != nil {
				return false, err
			}
			target = status.CommitIndex
		}
		mine, err := s.status(ctx, m)
		return err == nil && mine.Leader != nil && mine.Applied.Index >= target, err
	})
}

// first waits until a server is well for the first time, which one that ended by itself
// never is.
func (s *Stage) first(ctx context.Context, m *member) error {
	ctx, cancel := context.WithTimeout(ctx, beginning)
	defer cancel()
	var gone error
	err := await(ctx, m.name()+" to know a leader", func(ctx context.Context) (bool, error) {
		for _, each := range s.current() {
			if each.running() == nil {
				gone = s.whyGone(each)
				return true, nil
			}
		}
		mine, err := s.status(ctx, m)
		return err == nil && mine.Leader != nil, err
	})
	if gone != nil {
		return gone
	}
	return err
}

// beginning is how long a cluster may take to have a leader for the first time.
const beginning = 90 * time.Second

// returns begins a server, where it does not run, and waits until it answers.
func (s *Stage) returns(ctx context.Context, members ...*member) error {
	for _, m := range members {
		if m.running() != nil {
			continue
		}
		if err := s.begin(m); err != nil {
			return err
		}
	}
	for _, m := range members {
		if err := s.answers(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stage) whyGone(m *member) error {
	run := m.latest()
	if run == nil {
		return candor.Errorf(candor.ReasonUnavailable, "%s did not begin", m.name())
	}
	said, err := run.Said()
	if err != nil {
		return err
	}
	reason, why := process.Told(said)
	if reason == "" {
		return candor.Errorf(candor.ReasonUnavailable, "%s does not run: %s: see %s", m.name(), run.Child.ProcessState, m.server.Log)
	}
	return candor.Errorf(candor.ReasonUnavailable, "%s does not run; it said: %s: %s", m.name(), reason, why)
}

func (s *Stage) status(ctx context.Context, m *member) (*client.ClusterStatus, error) {
	return s.own.Cluster().Status(ctx, client.OnEndpoint(m.server.API), client.WithoutSession())
}

// leader is the server that those of the newest term say leads.
func (s *Stage) leader(ctx context.Context) (*member, error) {
	var leader *member
	var newest uint64
	for _, m := range s.current() {
		if m.running() == nil {
			continue
		}
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		status, err := s.status(short, m)
		cancel()
		if err != nil || status.Leader == nil || status.Term <= newest {
			continue
		}
		if led := s.named(status.Leader.Name); led != nil {
			leader, newest = led, status.Term
		}
	}
	if leader == nil {
		return nil, candor.Errorf(candor.ReasonUnavailable, "no server knows who leads")
	}
	return leader, nil
}

// leads has a server's connects led as its place wants it.
func leads(lead func(thread uint32, sockaddr uint64)) process.Watch {
	return process.Watch{Numbers: connectCalls(), Decide: func(from *calls.Calls, call *calls.Call) {
		lead(call.Thread, call.Arguments[1])
		from.Pass(call)
	}}
}
