package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// ownersShown has every object that commands see name its owners as Kubernetes
// does, by apiVersion and kind. What is stored is PLURAL.GROUP; an owner whose
// kind is not known stays so.
func ownersShown(r *Remote, kinds func() (*Kinds, error)) *Remote {
	show := &ownerShower{kinds}
	shown := *r
	shown.Reader, shown.Writer = &shownReader{r.Reader, show}, &shownWriter{r.Writer, show}
	shown.Watch = func(ctx context.Context, o client.WatchOptions) (Events, error) {
		events, err := r.Watch(ctx, o)
		if err != nil {
			return events, err
		}
		return &shownEvents{events, show}, nil
	}
	return &shown
}

type ownerShower struct{ kinds func() (*Kinds, error) }

// object is o, or a copy of it where an owner is shown otherwise.
func (s *ownerShower) object(ctx context.Context, o *candor.Object) *candor.Object {
	if o == nil || len(o.Metadata.Owners) == 0 {
		return o
	}
	kinds, err := s.kinds()
	if err != nil {
		return o
	}
	shown := *o
	shown.Metadata.Owners = slices.Clone(o.Metadata.Owners)
	for i := range shown.Metadata.Owners {
		owner := &shown.Metadata.Owners[i]
		if _, _, ok := owner.Type(); ok {
			continue
		}
		if kind, err := kinds.Resolve(ctx, string(owner.Kind)); err == nil && kind.Name() == owner.Kind {
			owner.Kind = candor.OwnerType(kind.APIVersion(), kind.Names.Kind)
		}
	}
	return &shown
}

// ownerText names an owner in one word.
func ownerText(o candor.OwnerReference) string {
	if _, kind, ok := o.Type(); ok {
		return strings.ToLower(kind) + "/" + o.Name
	}
	return o.Kind.Plural() + "/" + o.Name
}

type shownReader struct {
	Reader
	show *ownerShower
}

func (r *shownReader) Get(ctx context.Context, ref candor.Ref, options ...client.ReadOption) (*candor.Object, candor.Witness, error) {
	o, w, err := r.Reader.Get(ctx, ref, options...)
	return r.show.object(ctx, o), w, err
}

func (r *shownReader) List(ctx context.Context, kind candor.KindName, o client.ListOptions, options ...client.ReadOption) (*client.Page, error) {
	page, err := r.Reader.List(ctx, kind, o, options...)
	if page != nil {
		for i := range page.Objects {
			page.Objects[i] = r.show.object(ctx, page.Objects[i])
		}
	}
	return page, err
}

func (r *shownReader) History(ctx context.Context, ref candor.Ref, options ...client.ReadOption) (*client.History, error) {
	history, err := r.Reader.History(ctx, ref, options...)
	if history != nil {
		for i := range history.Versions {
			history.Versions[i].Object = r.show.object(ctx, history.Versions[i].Object)
		}
	}
	return history, err
}

type shownWriter struct {
	Writer
	show *ownerShower
}

func (w *shownWriter) Create(ctx context.Context, o *candor.Object, options ...client.WriteOption) (client.Result, error) {
	result, err := w.Writer.Create(ctx, o, options...)
	result.Object = w.show.object(ctx, result.Object)
	return result, err
}

func (w *shownWriter) Update(ctx context.Context, o *candor.Object, options ...client.WriteOption) (client.Result, error) {
	result, err := w.Writer.Update(ctx, o, options...)
	result.Object = w.show.object(ctx, result.Object)
	return result, err
}

func (w *shownWriter) Delete(ctx context.Context, ref candor.Ref, options ...client.WriteOption) (client.Result, error) {
	result, err := w.Writer.Delete(ctx, ref, options...)
	result.Object = w.show.object(ctx, result.Object)
	return result, err
}

type shownEvents struct {
	Events
	show *ownerShower
}

func (e *shownEvents) Next(ctx context.Context) (client.WatchBatch, error) {
	batch, err := e.Events.Next(ctx)
	for i := range batch.Events {
		batch.Events[i].Object = e.show.object(ctx, batch.Events[i].Object)
		batch.Events[i].Previous = e.show.object(ctx, batch.Events[i].Previous)
	}
	return batch, err
}
