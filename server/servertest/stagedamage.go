package servertest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/drill/stage/disk"
	"github.com/candor-plane/candor/server"
)

func (st *Stage) folder(name string) string { return filepath.Join(st.c.options.data, name) }

// damages kills each target, damages a file of it and starts it. One that refuses to
// start is replaced by a new member on an empty directory, as docs/recovery.md has it.
func (st *Stage) damages(ctx context.Context, f *scenario.Fault, targets []string) (injection, error) {
	const what = "servers that found the damage"
	ctx, cancel := undisturbed(ctx)
	defer cancel()
	return st.members(ctx, func(k *client.Client, again func(func() error) error) (int, error) {
		seen := 0
		for _, name := range targets {
			if err := st.turn(name, st.down); err != nil {
				return seen, err
			}
			noticed, damaged := disk.Do(st.folder(name), f.What)
			refused, err := st.judges(ctx, k, name)
			if err = errors.Join(err, damaged); err != nil {
				return seen, err
			}
			found := refused
			if refused {
				err = st.reborn(ctx, k, name, again)
			} else {
				found, err = noticed()
			}
			if err != nil {
				return seen, err
			}
			if found {
				seen++
			}
		}
		return seen, nil
	}, what)
}

// undisturbed outlives the drill's faults: a server that lost its disk has to be a
// member again at the end, and may be one once the other faults are over.
func undisturbed(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 5*time.Minute)
}

// judges starts a server and waits until it serves what the others do, or has refused
// to: that is an end by itself.
func (st *Stage) judges(ctx context.Context, k *client.Client, name string) (refused bool, err error) {
	before := st.endsOf(name)
	if err := st.turn(name, st.up); err != nil {
		st.note(drill.End{Server: name, At: time.Now(), Reason: candor.ReasonOf(err), Message: err.Error()})
		return true, nil
	}
	// Another fault may have taken it down, and brings it back.
	err = until(ctx, func() bool {
		refused = st.endsOf(name) > before
		return refused || st.isRemoved(name) || caughtUp(ctx, k, name)
	})
	return refused, err
}

// endsOf is how often a server ended by itself.
func (st *Stage) endsOf(name string) (n int) {
	for _, e := range st.Ended() {
		if e.Server == name {
			n++
		}
	}
	return n
}

func (st *Stage) note(end drill.End) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.ended = append(st.ended, end)
}

// wipes kills each target, empties its directory and starts it as before: the cluster
// must not take it for who it was. Then it is removed, and joins as who it is.
func (st *Stage) wipes(ctx context.Context, _ *scenario.Fault, targets []string) (injection, error) {
	ctx, cancel := undisturbed(ctx)
	defer cancel()
	return st.members(ctx, func(k *client.Client, again func(func() error) error) (int, error) {
		for i, name := range targets {
			was, err := k.Cluster().Status(ctx, client.OnEndpoint(name), client.WithoutSession())
			if err != nil {
				return i, err
			}
			if err := st.turn(name, st.down); err != nil {
				return i, err
			}
			if err := os.RemoveAll(st.folder(name)); err != nil {
				return i, err
			}
			if err := st.foreign(ctx, k, name, was.NodeID); err != nil {
				return i, err
			}
			if err := st.reborn(ctx, k, name, again); err != nil {
				return i, err
			}
		}
		return len(targets), nil
	}, "servers that came back as nobody")
}

// foreign starts a server whose directory is empty, and waits until it has ended or
// answers as somebody else.
func (st *Stage) foreign(ctx context.Context, k *client.Client, name, was string) error {
	before := st.endsOf(name)
	if err := st.turn(name, st.up); err != nil {
		st.note(drill.End{Server: name, At: time.Now(), Reason: candor.ReasonOf(err), Message: err.Error()})
		return nil
	}
	return until(ctx, func() bool {
		if st.endsOf(name) > before || st.isRemoved(name) {
			return true
		}
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		is, err := k.Cluster().Status(ctx, client.OnEndpoint(name), client.WithoutSession())
		return err == nil && is.NodeID != was
	})
}

// reborn makes a server that lost what it had a new member of its old name.
func (st *Stage) reborn(ctx context.Context, k *client.Client, name string, again func(func() error) error) error {
	if err := st.turn(name, st.down); err != nil || st.isRemoved(name) {
		return err
	}
	if err := again(func() error {
		_, err := k.Cluster().Remove(ctx, name, client.RemoveOptions{})
		if candor.ReasonOf(err) == candor.ReasonNotFound {
			return nil
		}
		return err
	}); err != nil {
		return err
	}
	if err := os.RemoveAll(st.folder(name)); err != nil {
		return err
	}
	var others []string
	for _, other := range st.Servers() {
		if other != name {
			others = append(others, other)
		}
	}
	if err := st.turn(name, func(m *member) error {
		m.config = server.Config{Join: others}
		return st.up(m)
	}); err != nil {
		return err
	}
	if err := until(ctx, func() bool { return st.isRemoved(name) || caughtUp(ctx, k, name) }); err != nil || st.isRemoved(name) {
		return err
	}
	return again(func() error {
		if st.isRemoved(name) {
			return nil
		}
		_, err := k.Cluster().Promote(ctx, name, 0)
		return err
	})
}
