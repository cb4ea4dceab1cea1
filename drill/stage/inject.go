package stage

import (
	"context"
	"os"
	"os/exec"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/drill/stage/calls"
	"github.com/candor-plane/candor/drill/stage/disk"
	"github.com/candor-plane/candor/drill/stage/process"
)

// making begins a fault of a kind.
type making func(s *Stage, ctx context.Context, f *scenario.Fault, targets []*member) (drill.Injection, error)

// makings has every kind of fault.
var makings = map[scenario.Kind]making{
	scenario.Kill:      (*Stage).kill,
	scenario.Stop:      (*Stage).stop,
	scenario.Restart:   (*Stage).restart,
	scenario.Pause:     (*Stage).pause,
	scenario.Transfer:  (*Stage).transfer,
	scenario.Partition: (*Stage).partition,
	scenario.Link:      (*Stage).link,
	scenario.SlowDisk:  (*Stage).slowDisk,
	scenario.HangDisk:  (*Stage).hangDisk,
	scenario.FullDisk:  (*Stage).fullDisk,
	scenario.FailDisk:  (*Stage).failDisk,
	scenario.Damage:    (*Stage).damage,
	scenario.Wipe:      (*Stage).wipe,
	scenario.Clock:     (*Stage).shift,
	scenario.Add:       (*Stage).add,
	scenario.Remove:    (*Stage).remove,
	scenario.Replace:   (*Stage).replace,
	scenario.Starve:    (*Stage).starve,
	scenario.Storm:     (*Stage).storm,
	scenario.Sleeper:   (*Stage).sleeper,
	scenario.Malformed: (*Stage).malformed,
	scenario.SilentLog: (*Stage).silence,
	scenario.Upgrade:   (*Stage).upgrade,
	scenario.Move:      (*Stage).move,
	scenario.LoseNodes: (*Stage).loseNodes,

	scenario.EndInstances: (*Stage).endInstances,
	scenario.FailProbes:   (*Stage).failProbes,
}

// diskKinds need the syncs of the log to be asked about.
var diskKinds = []scenario.Kind{scenario.SlowDisk, scenario.HangDisk, scenario.FailDisk}

// preparedKinds are those that a server must have been begun for.
var preparedKinds = slices.Concat(diskKinds, []scenario.Kind{scenario.FullDisk, scenario.SilentLog, scenario.Clock, scenario.LoseNodes})

// Able says whether a fault can be made here: UNIMPLEMENTED, with what it takes, where
// it cannot.
func (s *Stage) Able(f *scenario.Fault) error {
	if makings[f.Kind] == nil {
		return unable("no stage of processes makes a fault of kind %s", f.Kind)
	}
	if err := s.refused[f.Kind]; err != nil {
		return err
	}
	if slices.Contains(preparedKinds, f.Kind) && !s.prepared(f.Kind) {
		return unable("%s: servers must be begun for it: name it in the scenario that the stage is made for", f.Kind)
	}
	switch {
	case f.Kind == scenario.Link && f.Duplicate > 0 && s.Layer() == "proxies":
		return unable("LINK with duplicates: nothing arrives twice on a TCP connection, which is what proxies carry: it takes network namespaces (root, iproute2)")
	case f.Kind == scenario.Upgrade && !s.options.Scenario.Cluster.Previous:
		return unable("UPGRADE: the servers run this binary already: the scenario's cluster must begin with the previous one")
	case f.Kind == scenario.EndInstances || f.Kind == scenario.FailProbes:
		return s.befalls(f)
	case f.Kind == scenario.LoseNodes && f.Count > s.options.Scenario.Cluster.Nodes:
		return candor.Errorf(candor.ReasonInvalid, "LOSE_NODES: %d of %d nodes", f.Count, s.options.Scenario.Cluster.Nodes)
	}
	return nil
}

func unable(format string, args ...any) error {
	return candor.Errorf(candor.ReasonUnimplemented, format, args...)
}

// Inject begins a fault and returns once it is there. What is done in a moment is done
// then: that may take as long as a server takes to catch up, for each target in turn.
// f.To, where a fault has it, names servers, separated by commas.
func (s *Stage) Inject(ctx context.Context, f *scenario.Fault, targets []string) (drill.Injection, error) {
	if err := s.Able(f); err != nil {
		return nil, err
	}
	members, err := s.targets(targets)
	if err != nil {
		return nil, err
	}
	i, err := makings[f.Kind](s, ctx, f, members)
	return i, candor.Wrap(string(f.Kind), err)
}

// lasts is a fault that Close ends, should nobody else.
func (s *Stage) lasts(bite func() drill.Bite, heal func(context.Context) error) *injection {
	i := lasting(bite, heal)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lasting = append(s.lasting, i)
	return i
}

// prepared says whether the scenario has a fault of one of these kinds.
func (s *Stage) prepared(kinds ...scenario.Kind) bool {
	return slices.ContainsFunc(s.options.Scenario.Faults, func(f scenario.Fault) bool { return slices.Contains(kinds, f.Kind) })
}

// probe finds out which of the scenario's faults cannot be made here.
func (s *Stage) probe() {
	if s.prepared(diskKinds...) {
		if err := s.tryCalls(); err != nil {
			for _, kind := range diskKinds {
				s.refused[kind] = unable("%s: syncs cannot be held: %v: it takes Linux 5.5 and seccomp's user notification, which some containers forbid; PAUSE is the nearest fault without", kind, err)
			}
		}
	}
	if s.prepared(scenario.FullDisk) {
		if err := s.tryRoom(); err != nil {
			s.refused[scenario.FullDisk] = unable("FULL_DISK: %v: it takes Linux and user namespaces that may mount (or root); HANG_DISK is the nearest fault without", err)
		}
	}
	if s.prepared(scenario.Clock) && !hasFailpoints(s.options.Binary) {
		s.refused[scenario.Clock] = unable("CLOCK: %s was built without failpoints, and has the machine's clock: build it with -tags failpoints", s.options.Binary)
	}
	if _, err := os.Stat("/proc/self/fd"); err != nil && s.prepared(scenario.SilentLog) {
		s.refused[scenario.SilentLog] = unable("SILENT_LOG: pipes cannot be filled: %v: it takes Linux", err)
	}
}

// tryCalls has a child's syncs asked about.
func (s *Stage) tryCalls() error {
	child := calls.Command(s.options.Child, disk.SyncCalls(), s.options.Binary, "version")
	child.SysProcAttr = process.Lifeline()
	receive, err := calls.Start(child, (*exec.Cmd).Start)
	if err != nil {
		return err
	}
	from, err := receive()
	if err != nil {
		_ = child.Wait()
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		from.Serve(from.Pass)
	}()
	err = child.Wait()
	<-done
	from.Close()
	return candor.Wrap("stage", err)
}

func (s *Stage) tryRoom() error {
	room, err := disk.NewRoom(s.options.Child, s.data.Path, 1<<20)
	if err != nil {
		return err
	}
	room.Close()
	return nil
}
