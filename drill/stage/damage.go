package stage

import (
	"context"
	"os"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/drill/stage/disk"
)

// damage kills each target, damages a file of it and begins it. A server that repairs
// what it found, or sets it aside, goes on; one that refuses, which its end tells, is
// replaced by a new member on an empty directory, as docs/recovery.md has it.
func (s *Stage) damage(ctx context.Context, f *scenario.Fault, targets []*member) (drill.Injection, error) {
	s.reshaping.Lock()
	defer s.reshaping.Unlock()
	seen := 0
	for _, m := range targets {
		m.kill()
		noticed, damaged := disk.Do(m.server.Data, f.What)
		if err := s.begin(m); err != nil {
			return nil, err
		}
		if damaged != nil {
			return nil, damaged
		}
		run := m.latest()
		err := await(ctx, m.name()+" to judge what it finds", func(ctx context.Context) (bool, error) {
			_, err := s.status(ctx, m)
			return err == nil || run.Gone(), err
		})
		if err != nil {
			return nil, err
		}
		if run.Gone() {
			if err := s.reborn(ctx, m); err != nil {
				return nil, err
			}
			seen++
			continue
		}
		if err := s.well(ctx, m); err != nil {
			return nil, err
		}
		found, err := noticed()
		if err != nil {
			return nil, err
		}
		if found {
			seen++
		}
	}
	return over(seen, "servers that found the damage"), nil
}

// wipe kills each target, empties its directory and begins it as before: the cluster must
// not take it for who it was. Then it is removed, and joins as who it is.
func (s *Stage) wipe(ctx context.Context, _ *scenario.Fault, targets []*member) (drill.Injection, error) {
	s.reshaping.Lock()
	defer s.reshaping.Unlock()
	seen := 0
	for _, m := range targets {
		was, err := s.status(ctx, m)
		if err != nil {
			return nil, err
		}
		m.kill()
		if err := os.RemoveAll(m.server.Data); err != nil {
			return nil, candor.Wrap("stage", err)
		}
		if err := s.begin(m); err != nil {
			return nil, err
		}
		run := m.latest()
		err = await(ctx, m.name()+" to answer as somebody else", func(ctx context.Context) (bool, error) {
			is, err := s.status(ctx, m)
			return run.Gone() || err == nil && is.NodeID != was.NodeID, err
		})
		if err != nil {
			return nil, err
		}
		seen++
		if err := s.reborn(ctx, m); err != nil {
			return nil, err
		}
	}
	return over(seen, "servers that came back as nobody"), nil
}
