package stage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/drill/scenario"
)

// befalls says whether there are instances for a fault.
func (s *Stage) befalls(f *scenario.Fault) error {
	cluster := &s.options.Scenario.Cluster
	switch {
	case cluster.Workers == 0:
		return unable("%s befalls the drill's own instances, which real workers run: give the scenario cluster.workers", f.Kind)
	case f.Count > cluster.Residents():
		return candor.Errorf(candor.ReasonInvalid, "%s: %d of %d instances", f.Kind, f.Count, cluster.Residents())
	}
	return nil
}

// choosing is how long a fault waits for as many instances as it is to befall to be well.
const choosing = 10 * time.Second

// choose are count of the drill's own instances that are well, as the seed says, for the
// n-th choice of this stage.
func (s *Stage) choose(ctx context.Context, count, n int) (chosen []resident, err error) {
	ctx, cancel := context.WithTimeout(ctx, choosing)
	defer cancel()
	err = await(ctx, fmt.Sprintf("%d of the drill's own instances to be well", count), func(ctx context.Context) (bool, error) {
		well, err := s.settled(ctx)
		if err != nil || len(well) < count {
			return false, err
		}
		slices.SortFunc(well, func(a, b resident) int { return strings.Compare(a.name, b.name) })
		chosen = nil
		for _, i := range rand.New(rand.NewPCG(s.options.Seed, uint64(n))).Perm(len(well))[:count] {
			chosen = append(chosen, well[i])
		}
		return true, nil
	})
	return chosen, err
}

// next numbers the faults that befall instances.
func (s *Stage) next() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.befell++
	return s.befell
}

func befallen(all []resident) []report.Befallen {
	out := make([]report.Befallen, 0, len(all))
	for _, r := range all {
		out = append(out, report.Befallen{Instance: drill.ResidentsNamespace + "/" + r.name, UID: r.uid})
	}
	return out
}

// endInstances kills the processes of f.Count instances, and counts those that are gone.
func (s *Stage) endInstances(ctx context.Context, f *scenario.Fault, _ []*member) (drill.Injection, error) {
	chosen, err := s.choose(ctx, f.Count, s.next())
	if err != nil {
		return nil, err
	}
	var ended []resident
	for _, r := range chosen {
		was, err := endProcess(ctx, r)
		if err != nil {
			return nil, err
		}
		if was {
			ended = append(ended, r)
		}
	}
	i := over(len(ended), "processes of instances killed")
	i.befell = befallen(ended)
	return i, nil
}

// endProcess kills the process of an instance and returns once it is gone; false where it
// was gone before.
func endProcess(ctx context.Context, r resident) (bool, error) {
	// It is held from before it is looked at, so that its number is nobody else's.
	held, err := os.FindProcess(r.pid)
	if err != nil {
		return false, nil // nobody has that number
	}
	defer func() { _ = held.Release() }()
	if !isOf(r) {
		return false, nil
	}
	if err := held.Kill(); errors.Is(err, os.ErrProcessDone) {
		return false, nil
	} else if err != nil {
		return false, candor.Wrap("end "+r.name, err)
	}
	return true, await(ctx, "the process of "+r.name+" to be gone", func(context.Context) (bool, error) {
		return held.Signal(syscall.Signal(0)) != nil, nil
	})
}

// isOf says whether the process of that number is the instance's.
func isOf(r resident) bool {
	environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", r.pid))
	return err == nil && slices.ContainsFunc(bytes.Split(environment, []byte{0}), func(variable []byte) bool {
		return string(variable) == "CANDOR_INSTANCE_UID="+r.uid
	})
}

// failProbes has the probes of f.Count instances fail, and counts those that did.
func (s *Stage) failProbes(ctx context.Context, f *scenario.Fault, _ []*member) (drill.Injection, error) {
	n := s.next()
	chosen, err := s.choose(ctx, f.Count, n)
	if err != nil {
		return nil, err
	}
	heal := func(context.Context) error {
		var failed []error
		for _, r := range chosen {
			if err := os.Remove(filepath.Join(s.marks(), r.uid)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				failed = append(failed, candor.Wrap("stage", err))
			}
		}
		return errors.Join(failed...)
	}
	for _, r := range chosen {
		if err := os.WriteFile(filepath.Join(s.marks(), r.uid), fmt.Appendln(nil, n), 0o600); err != nil {
			return nil, errors.Join(candor.Wrap("stage", err), heal(ctx))
		}
	}
	i := s.lasts(func() drill.Bite {
		seen := 0
		for _, r := range chosen {
			if _, err := os.Stat(filepath.Join(s.marks(), fmt.Sprintf("%s.%d", r.uid, n))); err == nil {
				seen++
			}
		}
		return drill.Bite{Seen: seen, What: "instances whose probe failed"}
	}, heal)
	i.befell = befallen(chosen)
	return i, nil
}
