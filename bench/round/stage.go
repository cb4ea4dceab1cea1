package round

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sync/errgroup"

	"github.com/candor-plane/candor/bench/experiment"
	"github.com/candor-plane/candor/bench/meter"
	"github.com/candor-plane/candor/bench/process"
	"github.com/candor-plane/candor/bench/system"
)

// stage is the clusters that are alive now, at most one per side.
type stage struct {
	want     experiment.Stage
	subjects map[string]*experiment.Subject
	clusters []system.Cluster
	dirs     []string
}

// open starts a cluster for each of the sides and loads what the stage asks for.
func (r *Runner) open(ctx context.Context, want experiment.Stage, sides []Side) (_ *stage, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	s := &stage{want: want, subjects: map[string]*experiment.Subject{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	settings := system.Settings{
		Spawner: r.spawner, Election: want.Election, Heartbeat: want.Heartbeat, FsyncDelay: r.config.FsyncDelay,
	}
	if want.EqualSize {
		settings.ValueBytes = r.equalSize()
	}
	if err := s.start(ctx, r.config.Dir, settings, sides); err != nil {
		return nil, err
	}
	for i, side := range sides {
		subject := experiment.NewSubject(s.clusters[i], s.meter(i), r.config.Plan, s.dirs[i])
		if err := subject.Prepare(ctx, want.Items); err != nil {
			return nil, fmt.Errorf("%s: %w", side.Name, err)
		}
		s.subjects[side.Name] = subject
	}
	return s, nil
}

// start starts all clusters at once. What did start is the stage's to close.
func (s *stage) start(ctx context.Context, parent string, settings system.Settings, sides []Side) error {
	s.clusters = make([]system.Cluster, len(sides))
	for _, side := range sides {
		dir, err := os.MkdirTemp(parent, side.Name+"-*")
		if err != nil {
			return fmt.Errorf("make a data directory: %w", err)
		}
		s.dirs = append(s.dirs, dir)
	}
	group, ctx := errgroup.WithContext(ctx)
	for i, side := range sides {
		group.Go(func() error {
			mine := settings
			mine.Dir, mine.Security = s.dirs[i], side.Security
			cluster, err := side.System.Start(ctx, mine)
			if err != nil {
				return fmt.Errorf("%s: %w", side.Name, err)
			}
			s.clusters[i] = cluster
			return nil
		})
	}
	return group.Wait()
}

// meter takes cluster i for the measured one and the others for bystanders.
func (s *stage) meter(i int) *meter.Meter {
	var others []*process.Group
	for k, cluster := range s.clusters {
		if k != i {
			others = append(others, cluster.Processes())
		}
	}
	return meter.New(s.clusters[i].Processes(), others...)
}

// serves tells whether an experiment may use the stage as it is.
func (s *stage) serves(want experiment.Stage, share bool) bool {
	if s == nil || want.Alone || s.want.Alone {
		return false
	}
	have := s.want
	if share {
		have.Name = want.Name
	}
	return have == want
}

// close ends every cluster and removes its data. A nil stage is closed already.
func (s *stage) close() error {
	if s == nil {
		return nil
	}
	var failures []error
	for _, cluster := range s.clusters {
		if cluster != nil {
			failures = append(failures, cluster.Close())
		}
	}
	for _, dir := range s.dirs {
		failures = append(failures, os.RemoveAll(dir))
	}
	s.clusters, s.dirs = nil, nil
	return errors.Join(failures...)
}
