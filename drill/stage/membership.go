package stage

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/scenario"
)

// add begins one more server, which joins and gets a vote.
func (s *Stage) add(ctx context.Context, _ *scenario.Fault, _ []*member) (drill.Injection, error) {
	s.reshaping.Lock()
	defer s.reshaping.Unlock()
	m, err := s.newcomer(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.promote(ctx, m); err != nil {
		return nil, err
	}
	return over(1, "servers added"), nil
}

// remove takes the targets out of the cluster, and then ends them.
func (s *Stage) remove(ctx context.Context, _ *scenario.Fault, targets []*member) (drill.Injection, error) {
	s.reshaping.Lock()
	defer s.reshaping.Unlock()
	for _, m := range targets {
		if err := s.expel(ctx, m); err != nil {
			return nil, err
		}
		s.leave(m)
		m.kill()
	}
	return over(len(targets), "servers removed"), nil
}

// replace has a new server come for each target, which then ends.
func (s *Stage) replace(ctx context.Context, _ *scenario.Fault, targets []*member) (drill.Injection, error) {
	s.reshaping.Lock()
	defer s.reshaping.Unlock()
	for _, m := range targets {
		newcomer, err := s.newcomer(ctx)
		if err != nil {
			return nil, err
		}
		err = s.changes(ctx, m.name()+" to be replaced", func(ctx context.Context) error {
			_, err := s.own.Cluster().Replace(ctx, m.name(), newcomer.name(), client.ReplaceOptions{})
			return err
		}, func(members []client.Member) bool {
			return !holds(members, m.name(), false) && holds(members, newcomer.name(), true)
		})
		if err != nil {
			return nil, err
		}
		s.leave(m)
		m.kill()
	}
	return over(len(targets), "servers replaced"), nil
}

// newcomer begins a server that joins, without a vote yet.
func (s *Stage) newcomer(ctx context.Context) (*member, error) {
	m, err := s.recruit(s.options.Binary)
	if err != nil {
		return nil, err
	}
	m.begins = []string{"--join=" + strings.Join(s.addresses(), ",")}
	s.mu.Lock()
	s.members = append(s.members, m)
	s.mu.Unlock()
	if err := s.begin(m); err != nil {
		return nil, err
	}
	return m, s.well(ctx, m)
}

// leave takes a server from the members.
func (s *Stage) leave(m *member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.members = slices.DeleteFunc(s.members, func(o *member) bool { return o == m })
	s.left = append(s.left, m)
}

// reborn has a server, which is lost with its disk, be removed, and join as a new one
// of the same name and address on an empty directory.
func (s *Stage) reborn(ctx context.Context, m *member) error {
	m.kill()
	if err := s.expel(ctx, m); err != nil {
		return err
	}
	if err := os.RemoveAll(m.server.Data); err != nil {
		return candor.Wrap("stage", err)
	}
	m.begins = []string{"--join=" + strings.Join(s.addresses(m), ",")}
	if err := s.begin(m); err != nil {
		return err
	}
	if err := s.well(ctx, m); err != nil {
		return err
	}
	return s.promote(ctx, m)
}

func (s *Stage) expel(ctx context.Context, m *member) error {
	return s.changes(ctx, m.name()+" to be removed", func(ctx context.Context) error {
		_, err := s.own.Cluster().Remove(ctx, m.name(), client.RemoveOptions{})
		return err
	}, func(members []client.Member) bool { return !holds(members, m.name(), false) })
}

func (s *Stage) promote(ctx context.Context, m *member) error {
	return s.changes(ctx, m.name()+" to have a vote", func(ctx context.Context) error {
		_, err := s.own.Cluster().Promote(ctx, m.name(), 0)
		return err
	}, func(members []client.Member) bool { return holds(members, m.name(), true) })
}

// holds says whether there is a member of that name, with a vote if it is to have one.
func holds(members []client.Member, name string, vote bool) bool {
	return slices.ContainsFunc(members, func(m client.Member) bool { return m.Name == name && (m.Voter || !vote) })
}

// changes asks for a change of the members until the leader's configuration shows that
// it was made. What is in the way for a time, such as another change or a server that
// has not caught up, is waited for; what is not, ends it.
func (s *Stage) changes(ctx context.Context, what string, ask func(context.Context) error, made func([]client.Member) bool) error {
	for {
		short, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := ask(short)
		told, failed := s.own.Cluster().Members(short)
		cancel()
		if failed == nil && made(told.Members) {
			return nil
		}
		if candor.ReasonOf(err).Disposition().Retry == candor.RetryNever && candor.ReasonOf(err) != candor.ReasonOutcomeUnknown {
			return err
		}
		if !sleep(ctx, 5*step) {
			if err == nil {
				err = failed
			}
			return candor.Errorf(candor.ReasonTimedOut, "waited for %s: %w", what, err)
		}
	}
}

// upgrade replaces the binary of each server, the leader's last, and then raises the
// feature level to this build's.
func (s *Stage) upgrade(ctx context.Context, _ *scenario.Fault, _ []*member) (drill.Injection, error) {
	s.reshaping.Lock()
	defer s.reshaping.Unlock()
	leader, err := s.awaitLeader(ctx)
	if err != nil {
		return nil, err
	}
	members := slices.DeleteFunc(s.current(), func(m *member) bool { return m == leader })
	for _, m := range append(members, leader) {
		if err := m.stop(ctx); err != nil {
			return nil, err
		}
		m.server.Binary = s.options.Binary
		if err := s.begin(m); err != nil {
			return nil, err
		}
		if err := s.well(ctx, m); err != nil {
			return nil, err
		}
	}
	err = await(ctx, "the feature level to rise", func(ctx context.Context) (bool, error) {
		status, err := s.own.Cluster().Status(ctx)
		if err != nil || status.FeatureLevel >= candor.FeatureLevel {
			return err == nil, err
		}
		_, err = s.own.Cluster().RaiseFeatureLevel(ctx, candor.FeatureLevel)
		return err == nil, err
	})
	if err != nil {
		return nil, err
	}
	return over(len(members)+1, "servers upgraded"), nil
}

// move gives a duty to a server that f.To names, or to another than holds it.
func (s *Stage) move(ctx context.Context, f *scenario.Fault, _ []*member) (drill.Injection, error) {
	to, _, _ := strings.Cut(f.To, ",")
	var from string
	err := await(ctx, f.Duty+" to be held", func(ctx context.Context) (ok bool, err error) {
		from, err = s.holder(ctx, f.Duty)
		return err == nil && from != "", err
	})
	if err != nil {
		return nil, err
	}
	if to == "" {
		for _, m := range s.current() {
			if m.name() != from && m.running() != nil {
				to = m.name()
				break
			}
		}
	}
	if to == "" || to == from {
		return over(0, "duties moved: "+f.Duty+" is held by "+from+" already"), nil
	}
	if _, err := s.own.TransferTenure(ctx, f.Duty, to); err != nil && candor.ReasonOf(err) != candor.ReasonOutcomeUnknown {
		return nil, err
	}
	err = await(ctx, f.Duty+" to be held by "+to, func(ctx context.Context) (bool, error) {
		is, err := s.holder(ctx, f.Duty)
		return is == to, err
	})
	if err != nil {
		return nil, err
	}
	return over(1, "duties moved"), nil
}

func (s *Stage) holder(ctx context.Context, duty string) (string, error) {
	return holderOf(ctx, s.own, duty)
}

// holderOf is the name of the server that holds a duty; empty for none.
func holderOf(ctx context.Context, k *client.Client, duty string) (string, error) {
	told, err := k.Tenures(ctx)
	if err != nil {
		return "", err
	}
	for _, t := range told.Tenures {
		if t.Duty == duty && t.Current != nil && t.Current.Active() {
			return t.Current.HolderName, nil
		}
	}
	return "", nil
}
