package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/network"
	"github.com/candor-plane/candor/drill/stage/process"
)

// worker is a worker process that runs the drill's own instances, on a node of its name.
// It ends with the stage, and so do the shims that it began, which do not end with it.
type worker struct {
	run  *process.Run
	name string
}

const (
	// workersFolder has a folder for each worker, marksFolder the marks of instances whose
	// probes are to fail; both are in the stage's directory.
	workersFolder = "workers"
	marksFolder   = "marks"
)

// employ begins the scenario's workers, and the drill's own workload on them, and waits
// until it is whole.
func (s *Stage) employ(ctx context.Context) error {
	cluster := &s.options.Scenario.Cluster
	if cluster.Workers == 0 {
		return nil
	}
	if err := os.MkdirAll(s.marks(), 0o700); err != nil {
		return candor.Wrap("stage", err)
	}
	if given := cluster.Policy; given != nil && given.Kind == candor.KindWorkloads {
		if err := s.govern(ctx, "drill-workloads", governing(given)); err != nil {
			return err
		}
	}
	place, err := s.place("workers")
	if err != nil {
		return err
	}
	for i := range cluster.Workers {
		if err := s.hire(place, fmt.Sprintf("w%d", i+1)); err != nil {
			return err
		}
	}
	if err := s.create(ctx, &candor.Object{
		APIVersion: candor.APIVersion, Kind: "Namespace", Metadata: candor.Metadata{Name: drill.ResidentsNamespace}, Spec: []byte("{}"),
	}); err != nil {
		return err
	}
	workload, err := s.residents()
	if err != nil {
		return err
	}
	if err := s.create(ctx, workload); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	return await(ctx, "the drill's own instances to be ready", func(ctx context.Context) (bool, error) {
		well, err := s.settled(ctx)
		return len(well) >= cluster.Residents(), errors.Join(err, s.idle())
	})
}

// settling is how long workers and what they run may take to begin.
const settling = time.Minute

// hire begins a worker. Nothing but the drill's own instances is placed on its node.
func (s *Stage) hire(place *network.Placement, name string) error {
	data := filepath.Join(s.data.Path, workersFolder, name)
	if err := os.MkdirAll(data, 0o700); err != nil {
		return candor.Wrap("stage", err)
	}
	child := exec.Command(s.options.Binary, "worker", "--name", name, "--data-dir", data,
		"--labels", fleetLabel+"=true", "--taints", fleetLabel+"=true:"+string(candor.NoSchedule), "--server", strings.Join(s.addresses(), ","))
	child.Env = append(os.Environ(), s.data.Mark.Environment())
	child.SysProcAttr = process.Lifeline()
	w := &worker{name: name}
	if err := place.Start(func() (err error) {
		w.run, err = process.Begin(child, filepath.Join(s.logs, name+".log"))
		return err
	}); err != nil {
		return err
	}
	s.mu.Lock()
	s.workers = append(s.workers, w)
	s.mu.Unlock()
	s.watching.Go(func() {
		<-w.run.Ended()
		if w.run.Wanted() {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ends = append(s.ends, drill.End{Server: w.name, At: time.Now(), Message: "worker: " + w.run.Child.ProcessState.String(), Broken: true})
	})
	return nil
}

// idle says which worker ended.
func (s *Stage) idle() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.workers {
		if w.run.Gone() {
			return candor.Errorf(candor.ReasonUnavailable, "worker %s ended: %s", w.name, w.run.Child.ProcessState)
		}
	}
	return nil
}

// resident is one of the drill's own instances that is well.
type resident struct {
	name, uid string
	pid       int
}

// settled are the drill's own instances that run and are ready, and whose process, as they
// are told of, is there.
func (s *Stage) settled(ctx context.Context) ([]resident, error) {
	var well []resident
	for o, err := range s.own.All(ctx, candor.KindInstances, client.ListOptions{Namespace: drill.ResidentsNamespace}, client.WithFreshness(candor.FreshnessStrong)) {
		if err != nil {
			return nil, err
		}
		if r, is := residentOf(o); is && isOf(r) {
			well = append(well, r)
		}
	}
	return well, nil
}
