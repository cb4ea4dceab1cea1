package etcd

import (
	"context"
	"errors"
	"fmt"
	"unsafe"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/candor-plane/candor/bench/system"
)

type conn struct {
	client     *clientv3.Client
	valueBytes int
}

var errExists = errors.New("create: the key exists")

func (c *conn) Create(ctx context.Context, o system.Object) (system.Reading, error) {
	answer, err := c.client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(o.Path), "=", 0)).
		Then(clientv3.OpPut(o.Path, c.value(o))).
		Commit()
	if err != nil {
		return system.Reading{}, err
	}
	if !answer.Succeeded {
		return system.Reading{}, fmt.Errorf("%w: %s", errExists, o.Path)
	}
	return written(answer.Header.Revision), nil
}

func (c *conn) Update(ctx context.Context, o system.Object) (system.Reading, error) {
	answer, err := c.client.Put(ctx, o.Path, c.value(o))
	if err != nil {
		return system.Reading{}, err
	}
	return written(answer.Header.Revision), nil
}

func (c *conn) Swap(ctx context.Context, o system.Object, version uint64) (system.Reading, error) {
	answer, err := c.client.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(o.Path), "=", int64(version))).
		Then(clientv3.OpPut(o.Path, c.value(o))).
		Commit()
	if err != nil {
		return system.Reading{}, err
	}
	if !answer.Succeeded {
		return system.Reading{}, fmt.Errorf("swap %s: its version is not %d", o.Path, version)
	}
	return written(answer.Header.Revision), nil
}

func (c *conn) Read(ctx context.Context, o system.Object, how system.Consistency) (system.Reading, error) {
	answer, err := c.get(ctx, o.Path, how)
	if err != nil {
		return system.Reading{}, err
	}
	if len(answer.Kvs) != 1 || len(answer.Kvs[0].Value) < system.SpecBytes {
		return system.Reading{}, fmt.Errorf("read %s: %d values, wanted one of at least %d bytes", o.Path, len(answer.Kvs), system.SpecBytes)
	}
	return system.Reading{
		Version:  uint64(answer.Kvs[0].ModRevision),
		Revision: uint64(answer.Header.Revision),
	}, nil
}

func (c *conn) Close() error {
	if err := c.client.Close(); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("close etcd client: %w", err)
	}
	return nil
}

func (c *conn) get(ctx context.Context, key string, how system.Consistency) (*clientv3.GetResponse, error) {
	if how == system.Local || how == system.Bounded {
		return c.client.Get(ctx, key, clientv3.WithSerializable())
	}
	return c.client.Get(ctx, key)
}

// awaitAnswer waits for any answer to a local read, of a key that need not exist.
func (c *conn) awaitAnswer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if _, err := c.get(ctx, keyRange, system.Local); err != nil {
		return fmt.Errorf("await a first answer of %v: %w", c.client.Endpoints(), err)
	}
	return nil
}

// value is the spec as the string that the client wants, not copied: specs are
// read-only by contract. Where a padding is set, it follows the spec.
func (c *conn) value(o system.Object) string {
	short := c.valueBytes - len(o.Path) - len(o.Spec)
	if short <= 0 {
		return unsafe.String(unsafe.SliceData(o.Spec), len(o.Spec))
	}
	padded := make([]byte, 0, len(o.Spec)+short)
	padded = append(padded, o.Spec...)
	for short > 0 {
		part := o.Spec[:min(short, len(o.Spec))]
		padded = append(padded, part...)
		short -= len(part)
	}
	return unsafe.String(unsafe.SliceData(padded), len(padded))
}

func written(revision int64) system.Reading {
	return system.Reading{Version: uint64(revision), Revision: uint64(revision)}
}
