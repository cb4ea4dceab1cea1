package server

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator"
	"github.com/candor-plane/candor/coordinator/allocator"
	"github.com/candor-plane/candor/coordinator/janitor"
	members "github.com/candor-plane/candor/coordinator/topology"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/internal/failpoint"
)

// startCoordination begins to hold the duties that this server may hold.
func (s *Server) startCoordination() error {
	if failpoint.Enabled {
		s.logger.Warn("this build has failpoints: it is for tests alone")
	}
	s.executor = members.NewExecutor(&membershipRoot{s}, &raftMembers{s}, s.logger.Named("topology"))
	all := []coordinator.Duty{&janitorDuty{s}, &idsDuty{s}, &tsoDuty{s}, s.executor, &controllersDuty{s}, &scheduleDuty{s}, &verifyDuty{s}}
	duties := all
	if chosen := s.config.Duties; chosen != nil {
		duties = nil
		for _, name := range chosen {
			at := slices.IndexFunc(all, func(d coordinator.Duty) bool { return d.Name() == name })
			if at < 0 {
				return candor.Errorf(candor.ReasonUsage, "--duties: there is no duty %q for a server; there are %v", name, DutyNames())
			}
			duties = append(duties, all[at])
		}
		// Whoever may hold anything changes the members while it leads: nobody else can.
		if len(duties) > 0 && !slices.Contains(duties, coordinator.Duty(s.executor)) {
			duties = append(duties, s.executor)
		}
	}
	var err error
	s.coordinator, err = coordinator.New(coordinator.Config{Root: &tenureRoot{s}, Node: &candidate{s}, Duties: duties, Settings: s.tenureSettings(), Logger: s.logger.Named("tenure")})
	return candor.Wrap("tenures", err)
}

func (s *Server) tenureSettings() coordinator.Settings {
	if s.config.Tenures == (coordinator.Settings{}) {
		return coordinator.Defaults()
	}
	return s.config.Tenures
}

// DutyNames are the duties that servers hold.
func DutyNames() []string {
	return []string{tenure.DutyControllers, tenure.DutyIDs, tenure.DutyJanitor, tenure.DutySchedule, tenure.DutyTopology, tenure.DutyTSO, tenure.DutyVerify}
}

// DefaultTenures are how a server goes about tenures unless it is told otherwise.
func DefaultTenures() coordinator.Settings { return coordinator.Defaults() }

// holder is this server in tenures.
func (s *Server) holder() string { return string(candor.PartyServer) + "/" + s.serverID }

// tenureRoot is what the coordinator sees of the replicated root.
type tenureRoot struct{ s *Server }

func (r *tenureRoot) Tenure(duty tenure.Duty) (tenure.Lineage, <-chan struct{}) {
	view, changed := r.s.feed.Changed(candor.KindTenures)
	return view.Tenure(duty), changed
}

func (r *tenureRoot) Propose(ctx context.Context, duty tenure.Duty, event tenure.Event) error {
	c := command.Tenure(duty.Name, r.s.holder(), event)
	c.Reason, c.Message = "TENURE_"+c.Tenure.Verb.Word(), told(r.s.config.Name, event)
	_, err := r.s.settled(ctx, c)
	return err
}

// told is an event for people, who know servers by their names.
func told(name string, event tenure.Event) string {
	switch e := event.(type) {
	case tenure.Campaign:
		return fmt.Sprintf("%s takes era %d", name, e.Expect+1)
	case tenure.Reattach:
		return fmt.Sprintf("%s comes back for era %d", name, e.Era+1)
	case tenure.Seal:
		return fmt.Sprintf("%s hands era %d over", name, e.Era)
	case tenure.Confirm:
		return fmt.Sprintf("%s covers all that era %d used", name, e.Predecessor)
	case tenure.Close:
		return fmt.Sprintf("era %d is over", e.Predecessor)
	default:
		return ""
	}
}

// candidate is what the coordinator sees of this node.
type candidate struct{ s *Server }

func (c *candidate) Holder() string { return c.s.holder() }

func (c *candidate) Leadership() (string, <-chan struct{}) {
	changed := c.s.replica.Turned()
	if c.s.replica.Leading() {
		return c.s.holder(), changed
	}
	id, _ := c.s.replica.LeaderID()
	if id == "" || id == c.s.serverID {
		return "", changed // its own LeaderStart is still to be applied
	}
	return string(candor.PartyServer) + "/" + id, changed
}

func (c *candidate) Now() tenure.Now {
	view := c.s.machine.View()
	now := tenure.Now{ClusterTime: view.ClusterTime(), Term: view.LeaderTerm()}
	if at, leads := c.s.replica.ClusterTime(); leads {
		now.ClusterTime, now.Leader = at, c.s.holder()
	} else {
		now.ClusterTime = c.s.reckoning.at(now.ClusterTime, c.Elapsed())
	}
	return now
}

// reckoning is what cluster time may be on a server that does not lead: what its view
// says, and what has passed on its own clock since it was first asked about that. No
// date comes into it.
type reckoning struct {
	mu    sync.Mutex
	told  int64
	since time.Duration
}

func (r *reckoning) at(told int64, elapsed time.Duration) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if told > r.told {
		r.told, r.since = told, elapsed
	}
	return r.told + int64(elapsed-r.since)
}

func (c *candidate) Elapsed() time.Duration { return c.s.replica.Elapsed(0) }

// janitorDuty pages cascades and compacts.
type janitorDuty struct{ s *Server }

func (d *janitorDuty) Name() string { return tenure.DutyJanitor }

func (d *janitorDuty) Run(ctx context.Context, g *coordinator.Grant) error {
	janitor.Run(ctx, &janitorStore{d.s, g}, &shelf{d.s, g}, janitor.Policy{RetainRevisions: d.s.config.RetainRevisions}, d.s.logger.Named("janitor"))
	return nil
}

// fenced puts the grant on a command.
func fenced(g *coordinator.Grant, c *command.Command) *command.Command {
	c.Duty, c.Era, c.Holder = g.Duty.Name, g.Era, g.Holder
	return c
}

// janitorStore is what the janitor sees of the root.
type janitorStore struct {
	s     *Server
	grant *coordinator.Grant
}

func (j *janitorStore) Position() (index, floor, newest uint64) {
	v := j.s.machine.View()
	return v.Token().Index, v.Floor(), v.Token().Revision
}

func (j *janitorStore) Changed(ctx context.Context, index uint64) error {
	return j.s.replica.WaitApplied(ctx, index+1)
}

func (j *janitorStore) Pending(limit int) []uint64 {
	var out []uint64
	for _, c := range j.s.machine.View().Cascades(limit) {
		out = append(out, c.ID)
	}
	return out
}

func (j *janitorStore) Page(ctx context.Context, cascade uint64) (bool, error) {
	failpoint.Hit("janitor/page", "")
	result, err := j.propose(ctx, command.CascadePage(cascade))
	failpoint.Hit("janitor/paged", "")
	return result.Changed, err
}

func (j *janitorStore) Compact(ctx context.Context, floor uint64) error {
	_, err := j.propose(ctx, command.Compact(floor))
	return err
}

// propose puts a step through the root under the grant.
func (j *janitorStore) propose(ctx context.Context, c *command.Command) (fsm.Result, error) {
	return j.s.settled(ctx, fenced(j.grant, c))
}

// idsDuty hands out IDs.
type idsDuty struct{ s *Server }

func (d *idsDuty) Name() string { return tenure.DutyIDs }

func (d *idsDuty) Run(ctx context.Context, g *coordinator.Grant) error {
	a, err := allocator.NewIDs(allocator.Settings{Era: g.Era, Start: g.Start.ID, Bound: g.Bound.ID, Logger: d.s.logger.Named("ids")}, &reserve{g, func(f *tenure.Frontiers, bound uint64) { f.ID = bound }})
	if err != nil {
		return err
	}
	d.s.idsGiven.begin(a.Stats)
	defer d.s.idsGiven.end()
	d.s.ids.Store(a)
	defer d.s.ids.Store(nil)
	err = serving(ctx, a)
	g.Used(tenure.Frontiers{ID: a.Close()})
	return err
}

// tsoDuty hands out timestamps.
type tsoDuty struct{ s *Server }

func (d *tsoDuty) Name() string { return tenure.DutyTSO }

func (d *tsoDuty) Run(ctx context.Context, g *coordinator.Grant) error {
	a, err := allocator.NewTSO(allocator.Settings{Era: g.Era, Start: g.Start.Timestamp, Bound: g.Bound.Timestamp, Logger: d.s.logger.Named("tso")},
		&reserve{g, func(f *tenure.Frontiers, bound uint64) { f.Timestamp = bound }}, clusterClock{d.s}, g)
	if err != nil {
		return err
	}
	d.s.tsoGiven.begin(a.Stats)
	defer d.s.tsoGiven.end()
	d.s.tso.Store(a)
	defer d.s.tso.Store(nil)
	err = serving(ctx, a)
	g.Used(tenure.Frontiers{Timestamp: a.Close()})
	return err
}

// serving waits for the end of a grant, or of an allocator whose era is over.
func serving(ctx context.Context, a interface {
	Ended() <-chan struct{}
	Err() error
}) error {
	select {
	case <-ctx.Done():
		return nil
	case <-a.Ended():
		return a.Err()
	}
}

// reserve makes a bound of one frontier durable.
type reserve struct {
	grant *coordinator.Grant
	set   func(f *tenure.Frontiers, bound uint64)
}

func (r *reserve) Reserve(ctx context.Context, bound uint64) error {
	var f tenure.Frontiers
	r.set(&f, bound)
	return r.grant.Reserve(ctx, f)
}

// clusterClock is about cluster time.
type clusterClock struct{ s *Server }

func (c clusterClock) ClusterTime() (int64, bool) { return (&candidate{c.s}).Now().ClusterTime, true }
