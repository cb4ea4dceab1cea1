package etcd

import (
	"context"
	"fmt"
	"io"
	"os"

	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sync/errgroup"

	"github.com/candor-plane/candor/bench/system"
)

const (
	// batch stays below etcd's default of 128 operations to a transaction.
	batch = 100
	// loaders is how many batches are in flight.
	loaders = 16
)

func (c *conn) Load(ctx context.Context, corpus system.Corpus, count int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(loaders)
	for from := 0; from < count && ctx.Err() == nil; from += batch {
		group.Go(func() error {
			operations := make([]clientv3.Op, 0, batch)
			for i := from; i < min(from+batch, count); i++ {
				o := corpus.At(i)
				operations = append(operations, clientv3.OpPut(o.Path, c.value(o)))
			}
			if _, err := c.client.Txn(ctx).Then(operations...).Commit(); err != nil {
				return fmt.Errorf("load objects from %d: %w", from, err)
			}
			return nil
		})
	}
	return group.Wait()
}

func (c *conn) List(ctx context.Context, corpus system.Corpus) (int, error) {
	chunks, err := c.client.GetStream(ctx, corpus.Prefix(), clientv3.WithPrefix())
	if err != nil {
		return 0, fmt.Errorf("list %s: %w", corpus.Prefix(), err)
	}
	seen := 0
	for chunk := range chunks {
		if err := chunk.Err(); err != nil {
			return seen, fmt.Errorf("list %s after %d objects: %w", corpus.Prefix(), seen, err)
		}
		seen += len(chunk.Kvs)
	}
	return seen, ctx.Err()
}

func (c *conn) Watch(ctx context.Context, o system.Object, ready func(), deliver func(version uint64)) error {
	for answer := range c.client.Watch(ctx, o.Path, clientv3.WithCreatedNotify()) {
		if err := answer.Err(); err != nil {
			if ctx.Err() == nil {
				return fmt.Errorf("watch %s: %w", o.Path, err)
			}
			break
		}
		if answer.Created {
			ready()
		}
		for _, event := range answer.Events {
			deliver(uint64(event.Kv.ModRevision))
		}
	}
	if ctx.Err() == nil {
		return fmt.Errorf("watch %s: the stream ended by itself", o.Path)
	}
	return nil
}

func (c *conn) Snapshot(ctx context.Context, dir string) (err error) {
	snapshot, err := c.client.SnapshotWithVersion(ctx)
	if err != nil {
		return fmt.Errorf("take snapshot: %w", err)
	}
	defer snapshot.Snapshot.Close()
	file, err := os.CreateTemp(dir, "snapshot-*.db")
	if err != nil {
		return fmt.Errorf("take snapshot: %w", err)
	}
	defer file.Close()
	if _, err := io.Copy(file, snapshot.Snapshot); err != nil {
		return fmt.Errorf("take snapshot: %w", err)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("take snapshot: %w", err)
	}
	return nil
}
