package workload

import (
	"context"
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/verify/history"
)

// Kind is of the objects that recorded clients read and write.
const Kind = candor.KindName("entries.drill")

const (
	entryGroup   = "drill"
	entryVersion = "v1"
	entryWord    = "Entry"

	// valueLabel has an entry's value, other than a list's.
	valueLabel = "value"
	// namespacePrefix begins the namespaces, before a workload's name.
	namespacePrefix = "drill-"
	// actorReason is told with what is written about the drill itself.
	actorReason = "DRILL"
)

// labelled is the value of entries that have it in a label.
var labelled = history.Label(valueLabel)

// NamespaceOf is the namespace of a workload's objects.
func NamespaceOf(workload string) string { return namespacePrefix + workload }

// entry is an entry as it is to be written.
func entry(namespace, name, value string) *candor.Object {
	return &candor.Object{
		APIVersion: entryGroup + "/" + entryVersion, Kind: entryWord,
		Metadata: candor.Metadata{Namespace: namespace, Name: name, Labels: map[string]string{valueLabel: value}},
		Spec:     []byte(`{}`),
	}
}

func entryRef(namespace, name string) candor.Ref {
	return candor.Ref{Kind: Kind, Namespace: namespace, Name: name}
}

// at is an entry's version as a precondition of what is written next.
func at(o, read *candor.Object) *candor.Object {
	o.Metadata.ResourceVersion = read.Metadata.ResourceVersion
	return o
}

// declare makes the kind and a namespace, where they are not there yet.
func declare(ctx context.Context, k *client.Client, namespace string) error {
	kind := &candor.Object{
		APIVersion: candor.APIVersion, Kind: "Kind", Metadata: candor.Metadata{Name: string(Kind)},
		Spec: fmt.Appendf(nil, `{"group":%q,"version":%q,"scope":"Namespaced","names":{"kind":%q,"plural":"entries"}}`,
			entryGroup, entryVersion, entryWord),
	}
	if err := made(k.Create(ctx, kind, client.WithReason(actorReason, "the traffic of a drill"))); err != nil {
		return err
	}
	return declareNamespace(ctx, k, namespace)
}

func declareNamespace(ctx context.Context, k *client.Client, namespace string) error {
	o := &candor.Object{APIVersion: candor.APIVersion, Kind: "Namespace", Metadata: candor.Metadata{Name: namespace}, Spec: []byte(`{}`)}
	return made(k.Create(ctx, o, client.WithReason(actorReason, "the traffic of a drill")))
}

// made: what is there already is made.
func made(_ client.Result, err error) error {
	if candor.ReasonOf(err) == candor.ReasonAlreadyExists {
		return nil
	}
	return err
}

// prepare has entries in a namespace, each with a first value; recorded.
func (e *Env) prepare(ctx context.Context, workload string, first func(h *hand) []*candor.Object, value history.Value) error {
	h, err := e.hand("preparing-"+workload, value)
	if err != nil {
		return err
	}
	err = persist(ctx, func(ctx context.Context) error {
		if err := declare(ctx, h.client, NamespaceOf(workload)); err != nil {
			return err
		}
		page, err := h.client.List(ctx, candor.KindNamespaces, client.ListOptions{Limit: 1})
		if err == nil {
			e.epoch = page.Revision
		}
		return err
	})
	if err == nil {
		for _, o := range first(h) {
			if err = persist(ctx, func(ctx context.Context) error { return h.place(ctx, o) }); err != nil {
				break
			}
		}
	}
	if failed := h.client.Close(); err == nil {
		err = failed
	}
	return candor.Wrap("prepare "+workload, err)
}

// place writes an entry, whether or not there is one.
func (h *hand) place(ctx context.Context, o *candor.Object) error {
	_, err := h.caller.Create(ctx, Kind, o)
	switch candor.ReasonOf(err) {
	case candor.ReasonAlreadyExists:
		_, err = h.caller.Update(ctx, Kind, o)
	case candor.ReasonNamespaceTerminating, candor.ReasonNotFound:
		// A namespace that another drill leaves behind is made again.
		if again := declareNamespace(ctx, h.client, o.Metadata.Namespace); again != nil {
			return again
		}
	default: // made, or to be tried again
	}
	return err
}
