package candor

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sync/errgroup"

	"github.com/candor-plane/candor/client"

	"github.com/candor-plane/candor/bench/system"
)

type conn struct {
	client *client.Client
	// pin binds reads to the one server that was dialled.
	pin, local, strong, bounded, strongHere []client.ReadOption
}

func (c *conn) Create(ctx context.Context, o system.Object) (system.Reading, error) {
	return written(c.client.Create(ctx, object(o), lean))
}

func (c *conn) Update(ctx context.Context, o system.Object) (system.Reading, error) {
	return written(c.client.Update(ctx, object(o), lean))
}

func (c *conn) Swap(ctx context.Context, o system.Object, version uint64) (system.Reading, error) {
	next := object(o)
	next.Metadata.ResourceVersion = version
	return written(c.client.Update(ctx, next, lean))
}

func (c *conn) Read(ctx context.Context, o system.Object, how system.Consistency) (system.Reading, error) {
	got, w, err := c.client.Get(ctx, ref(o), c.terms(how)...)
	if err != nil {
		return system.Reading{}, err
	}
	if len(got.Spec) < system.SpecBytes {
		return system.Reading{}, fmt.Errorf("read %s: a spec of %d bytes, wanted at least %d", o.Name, len(got.Spec), system.SpecBytes)
	}
	return system.Reading{Version: got.Metadata.ResourceVersion, Revision: w.ServedToken.Revision, Bound: w.StalenessBound}, nil
}

func (c *conn) terms(how system.Consistency) []client.ReadOption {
	switch how {
	case system.Local:
		return c.local
	case system.Bounded:
		return c.bounded
	case system.StrongHere:
		return c.strongHere
	default:
		return c.strong
	}
}

func (c *conn) Close() error { return c.client.Close() }

// lean: the peer answers a write without the value, too.
var lean = client.WithoutObject()

// written: an update that finds the spec as it is changes nothing and makes no
// version.
func written(r client.Result, err error) (system.Reading, error) {
	if err != nil || !r.Changed {
		return system.Reading{}, err
	}
	return system.Reading{Version: r.Token.Revision, Revision: r.Token.Revision}, nil
}

const (
	batch   = 100
	loaders = 16
)

func (c *conn) Load(ctx context.Context, corpus system.Corpus, count int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(loaders)
	for from := 0; from < count && ctx.Err() == nil; from += batch {
		group.Go(func() error {
			operations := make([]client.Op, 0, batch)
			for i := from; i < min(from+batch, count); i++ {
				operations = append(operations, client.OpCreate(object(corpus.At(i))))
			}
			if _, err := c.client.Txn().Then(operations...).Commit(ctx); err != nil {
				return fmt.Errorf("load objects from %d: %w", from, err)
			}
			return nil
		})
	}
	return group.Wait()
}

func (c *conn) List(ctx context.Context, _ system.Corpus) (int, error) {
	seen := 0
	for _, err := range c.client.All(ctx, kindName, client.ListOptions{Namespace: system.Namespace}, c.strong...) {
		if err != nil {
			return seen, fmt.Errorf("list after %d objects: %w", seen, err)
		}
		seen++
	}
	return seen, nil
}

func (c *conn) Watch(ctx context.Context, o system.Object, ready func(), deliver func(version uint64)) error {
	w, err := c.client.Watch(ctx, client.WatchOptions{Kind: kindName, Namespace: system.Namespace, Name: o.Name, Read: c.local})
	if err != nil {
		return fmt.Errorf("watch %s: %w", o.Name, err)
	}
	defer func() { _ = w.Close() }()
	ready()
	for {
		got, err := w.Next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("watch %s: %w", o.Name, err)
		}
		for _, event := range got.Events {
			deliver(event.Revision)
		}
	}
}

func (c *conn) Snapshot(ctx context.Context, dir string) (err error) {
	file, err := os.CreateTemp(dir, "snapshot-*.candor")
	if err != nil {
		return fmt.Errorf("take snapshot: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := c.client.Cluster().Snapshot(ctx, file, nil, c.pin...); err != nil {
		return fmt.Errorf("take snapshot: %w", err)
	}
	return nil
}
