package history

import (
	"context"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// Store is what a recorded client is of; *client.Client is one.
type Store interface {
	Get(ctx context.Context, ref candor.Ref, options ...client.ReadOption) (*candor.Object, candor.Witness, error)
	List(ctx context.Context, kind candor.KindName, o client.ListOptions, options ...client.ReadOption) (*client.Page, error)
	Create(ctx context.Context, object *candor.Object, options ...client.WriteOption) (client.Result, error)
	Update(ctx context.Context, object *candor.Object, options ...client.WriteOption) (client.Result, error)
	Delete(ctx context.Context, ref candor.Ref, options ...client.WriteOption) (client.Result, error)
}

// Caller is a client whose operations are recorded. It answers as the client
// does, and may be used concurrently if the client may.
type Caller struct {
	recorder *Recorder
	name     string
	store    Store
	value    Value
}

// Ask is the contract of a recorded read.
type Ask struct {
	Asked
	// AtRevision reads an older state; 0 for the newest.
	AtRevision uint64
	// Sessionless neither requires the session's token nor raises it.
	Sessionless bool
}

// Caller records the operations of one client, which must keep one session of
// its own: name is the session's. The value of what is written and read is
// taken by the given function.
func (r *Recorder) Caller(name string, store Store, value Value) *Caller {
	if name == "" || store == nil || value == nil {
		panic("history: a recorded client needs a name, a client and what to take for the value")
	}
	return &Caller{recorder: r, name: name, store: store, value: value}
}

// Get reads an object. NOT_FOUND is recorded as an answer, and returned as the
// error that it is. Options may say where to read; what to ask for is said by
// ask alone, because options cannot be recorded.
func (c *Caller) Get(ctx context.Context, ref candor.Ref, ask Ask, options ...client.ReadOption) (*candor.Object, candor.Witness, error) {
	call := c.recorder.Begin(Operation{
		Client: c.name, Kind: KindGet, Items: []Item{{Key: Key(ref)}}, Asked: &ask.Asked, Sessionless: ask.Sessionless,
	})
	object, witness, err := c.store.Get(ctx, ref, append(ask.options(), options...)...)
	notFound := candor.ReasonOf(err) == candor.ReasonNotFound && witnessOf(err) != nil
	switch {
	case notFound:
		call.Answered(Answer{Items: []Item{{Key: Key(ref), Absent: true}}, At: ask.at(witness.ServedToken), Witness: witness})
	case err != nil:
		call.Failed(err)
	default:
		call.Answered(Answer{Items: []Item{c.item(Key(ref), object)}, At: ask.at(witness.ServedToken), Witness: witness})
	}
	return object, witness, err
}

// List reads one page; of the options the same holds as for Get.
func (c *Caller) List(ctx context.Context, kind candor.KindName, o client.ListOptions, ask Ask, options ...client.ReadOption) (*client.Page, error) {
	call := c.recorder.Begin(Operation{Client: c.name, Kind: KindList, Asked: &ask.Asked, Sessionless: ask.Sessionless})
	page, err := c.store.List(ctx, kind, o, append(ask.options(), options...)...)
	if err != nil {
		call.Failed(err)
		return page, err
	}
	answer := Answer{Items: []Item{}, Witness: page.Witness}
	if page.Revision != page.Witness.ServedToken.Revision {
		answer.At = page.Revision
	}
	if o.Selector == "" && o.Continue == "" && page.Continue == "" {
		answer.Scope = scope(kind, o.Namespace)
	}
	for _, object := range page.Objects {
		ref := candor.Ref{Kind: kind, Namespace: object.Metadata.Namespace, Name: object.Metadata.Name}
		answer.Items = append(answer.Items, c.item(Key(ref), object))
	}
	call.Answered(answer)
	return page, nil
}

func (c *Caller) item(key string, o *candor.Object) Item {
	return Item{Key: key, Value: c.value(o), Version: o.Metadata.ResourceVersion}
}

// at is the revision of an answer where it is not the served one.
func (a Ask) at(served candor.Token) uint64 {
	if a.AtRevision == served.Revision {
		return 0
	}
	return a.AtRevision
}

func (a Ask) options() []client.ReadOption {
	var options []client.ReadOption
	if a.Freshness != "" {
		options = append(options, client.WithFreshness(a.Freshness))
	}
	if a.MaxStaleness != nil {
		options = append(options, client.WithMaxStaleness(*a.MaxStaleness))
	}
	if a.MaxLag != nil {
		options = append(options, client.WithMaxLag(*a.MaxLag))
	}
	if !a.Required.IsZero() {
		options = append(options, client.WithRequiredToken(a.Required))
	}
	if a.AtRevision != 0 {
		options = append(options, client.AtRevision(a.AtRevision))
	}
	if a.Sessionless {
		options = append(options, client.WithoutSession())
	}
	return options
}
