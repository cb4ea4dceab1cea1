package servertest

import (
	"context"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/server"
)

func (st *Stage) transfers(ctx context.Context, f *scenario.Fault, _ []string) (injection, error) {
	k, err := st.Client()
	if err != nil {
		return injection{}, err
	}
	defer func() { _ = k.Close() }()
	_, err = k.Cluster().TransferLeader(ctx, f.To)
	return done("leaders handed over", 1), err
}

func (st *Stage) moves(ctx context.Context, f *scenario.Fault, _ []string) (injection, error) {
	k, err := st.Client()
	if err != nil {
		return injection{}, err
	}
	defer func() { _ = k.Close() }()
	to := f.To
	if to == "" {
		tenures, err := k.Tenures(ctx)
		if err != nil {
			return injection{}, err
		}
		to = otherHolder(tenures, f.Duty, st.Servers())
	}
	_, err = k.TransferTenure(ctx, f.Duty, to)
	return done("duties moved", 1), err
}

// otherHolder is a server that does not hold a duty.
func otherHolder(t *client.Tenures, duty string, servers []string) string {
	holder := ""
	for i := range t.Tenures {
		if now := t.Tenures[i].Current; t.Tenures[i].Duty == duty && now != nil {
			holder = now.HolderName
		}
	}
	for _, name := range servers {
		if name != holder {
			return name
		}
	}
	return ""
}

// joins starts one more server, which asks to be a member.
func (st *Stage) joins() (string, error) {
	st.mu.Lock()
	if len(st.c.members) == most {
		st.mu.Unlock()
		return "", candor.Errorf(candor.ReasonUnimplemented, "a stage has %d servers at most", most)
	}
	m := &member{name: nameOf(len(st.c.members)), config: server.Config{Join: st.names()}, ended: true}
	st.c.members = append(st.c.members, m)
	// Nobody looks at it before it runs.
	st.removed[m.name] = true
	st.mu.Unlock()
	err := st.turn(m.name, func(m *member) error {
		err := st.c.run(m)
		m.ended = err != nil
		return err
	})
	if err != nil {
		return "", err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	delete(st.removed, m.name)
	return m.name, nil
}

func (st *Stage) adds(ctx context.Context, _ *scenario.Fault, _ []string) (injection, error) {
	return st.members(ctx, func(k *client.Client, again func(func() error) error) (int, error) {
		name, err := st.joins()
		if err != nil {
			return 0, err
		}
		return 1, again(func() error {
			_, err := k.Cluster().Promote(ctx, name, 0)
			return err
		})
	}, changed)
}

func (st *Stage) removes(ctx context.Context, _ *scenario.Fault, targets []string) (injection, error) {
	return st.members(ctx, func(k *client.Client, again func(func() error) error) (int, error) {
		return st.leave(targets, func(name string) error {
			return again(func() error {
				_, err := k.Cluster().Remove(ctx, name, client.RemoveOptions{})
				return err
			})
		})
	}, changed)
}

func (st *Stage) replaces(ctx context.Context, _ *scenario.Fault, targets []string) (injection, error) {
	return st.members(ctx, func(k *client.Client, again func(func() error) error) (int, error) {
		return st.leave(targets, func(name string) error {
			with, err := st.joins()
			if err != nil {
				return err
			}
			return again(func() error {
				_, err := k.Cluster().Replace(ctx, name, with, client.ReplaceOptions{})
				return err
			})
		})
	}, changed)
}

// leave takes servers out, and ends those that are no members any more.
func (st *Stage) leave(targets []string, take func(name string) error) (int, error) {
	for i, name := range targets {
		if err := take(name); err != nil {
			return i, err
		}
		st.mu.Lock()
		st.removed[name] = true
		st.mu.Unlock()
		if err := st.turn(name, st.stop); err != nil {
			return i, err
		}
	}
	return len(targets), nil
}

// changed is what changes of members are counted as.
const changed = "members changed"

// members changes them, and asks again as long as ctx lasts: a change that another
// one, or a fault, stands in the way of is refused.
func (st *Stage) members(ctx context.Context, change func(k *client.Client, again func(func() error) error) (int, error), what string) (injection, error) {
	k, err := st.Client()
	if err != nil {
		return injection{}, err
	}
	defer func() { _ = k.Close() }()
	n, err := change(k, func(ask func() error) (err error) {
		for {
			err = ask()
			if err == nil || candor.ReasonOf(err) == candor.ReasonAlreadyExists {
				return nil
			}
			select {
			case <-time.After(200 * time.Millisecond):
			case <-ctx.Done():
				return err
			}
		}
	})
	return done(what, n), err
}
