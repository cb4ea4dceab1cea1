package history

import (
	"context"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// Create makes an object of the given kind, which the object itself only names
// by its singular. Options must not change what is recorded: no dry run, and a
// request ID only for one call.
func (c *Caller) Create(ctx context.Context, kind candor.KindName, object *candor.Object, options ...client.WriteOption) (client.Result, error) {
	call := c.begin(KindCreate, c.written(kind, object))
	result, err := c.store.Create(ctx, object, options...)
	c.ended(call, result, err, nil)
	return result, err
}

// Update replaces an object; see Create.
func (c *Caller) Update(ctx context.Context, kind candor.KindName, object *candor.Object, options ...client.WriteOption) (client.Result, error) {
	call := c.begin(KindUpdate, c.written(kind, object))
	result, err := c.store.Update(ctx, object, options...)
	c.ended(call, result, err, nil)
	return result, err
}

// Delete removes an object, or marks it where finalizers, or what is in it, hold
// it; that is recorded as going.
func (c *Caller) Delete(ctx context.Context, ref candor.Ref, options ...client.WriteOption) (client.Result, error) {
	call := c.begin(KindDelete, Item{Key: Key(ref), Going: true})
	result, err := c.store.Delete(ctx, ref, options...)
	items := []Item{{Key: Key(ref), Going: true}}
	switch {
	case result.Removed:
		items[0] = Item{Key: Key(ref), Absent: true}
	case result.Object != nil:
		items[0].Value = c.value(result.Object)
	}
	c.ended(call, result, err, items)
	return result, err
}

func (c *Caller) begin(kind Kind, item Item) *Call {
	return c.recorder.Begin(Operation{Client: c.name, Kind: kind, Items: []Item{item}})
}

func (c *Caller) written(kind candor.KindName, o *candor.Object) Item {
	return Item{Key: Key(candor.Ref{Kind: kind, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name}), Value: c.value(o)}
}

// ended records an acknowledgement, or an error. A write whose witness the
// client refuses was made: it comes with its token and the error.
func (c *Caller) ended(call *Call, result client.Result, err error, items []Item) {
	if err != nil && result.Token.IsZero() {
		call.Failed(err)
		return
	}
	if result.Object != nil && result.Object.Terminating() && items == nil {
		items = []Item{call.operation.Items[0]}
		items[0].Going = true
	}
	call.Answered(Answer{Items: items, Token: result.Token, Unchanged: !result.Changed, Witness: result.Witness})
}
