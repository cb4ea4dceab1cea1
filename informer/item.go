package informer

import (
	"bytes"
	"encoding/json"
	"sync"
	"sync/atomic"

	"github.com/candor-plane/candor"
)

// Item is one version of one object. It and what Spec, Status and Observed return are
// shared by all readers and must not be modified. It may be used concurrently.
type Item struct {
	*candor.Object

	kind candor.KindName

	spec             *slot // the same one for items of the same text
	status, observed slot
	// failed is what did not decode: an error names its version.
	failed atomic.Pointer[decoded]
}

// slot is what was decoded of one text.
type slot struct {
	mu      sync.Mutex // held while decoding
	decoded atomic.Pointer[decoded]
}

// decoded is one section as one type; next is the same section as another.
type decoded struct {
	value any // a *T; nil where err is set
	err   error
	of    *slot // where err is set
	next  *decoded
}

// NewItem makes an item of an object, which belongs to it from then on.
func NewItem(kind candor.KindName, object *candor.Object) *Item {
	if object == nil {
		panic("informer: an item is of an object")
	}
	return &Item{Object: object, kind: kind, spec: new(slot)}
}

// KindName is the kind's name, as kinds are named in references.
func (i *Item) KindName() candor.KindName { return i.kind }

// Ref names the object.
func (i *Item) Ref() candor.Ref {
	return candor.Ref{Kind: i.kind, Namespace: i.Metadata.Namespace, Name: i.Metadata.Name}
}

// Version names this version of the object.
func (i *Item) Version() candor.VersionRef {
	return candor.VersionRef{Ref: i.Ref(), Revision: i.Metadata.ResourceVersion}
}

// Spec is the item's spec as a T. A section that is absent is a zero T. The error is
// INVALID, and the same for every call.
func Spec[T any](i *Item) (*T, error) { return section[T](i, i.spec, i.Spec, "spec") }

// Status is the item's status, without status.observed, as a T. See Spec.
func Status[T any](i *Item) (*T, error) {
	return section[T](i, &i.status, i.Status, "status")
}

// Observed is the item's status.observed as a T. See Spec.
func Observed[T any](i *Item) (*T, error) {
	return section[T](i, &i.observed, i.Observed, "status.observed")
}

func section[T any](i *Item, of *slot, raw json.RawMessage, name string) (*T, error) {
	if value, is := known[T](of); is {
		return value, nil
	}
	of.mu.Lock()
	defer of.mu.Unlock()
	if value, is := known[T](of); is {
		return value, nil
	}
	failed := i.failed.Load()
	for d := failed; d != nil; d = d.next {
		if _, is := d.value.(*T); is && d.of == of {
			return nil, d.err
		}
	}
	value, err := decode[T](i, raw, name)
	if err != nil {
		// Another slot of the item may fail at the same time.
		for !i.failed.CompareAndSwap(failed, &decoded{value: (*T)(nil), err: err, of: of, next: failed}) {
			failed = i.failed.Load()
		}
		return nil, err
	}
	of.decoded.Store(&decoded{value: value, next: of.decoded.Load()})
	return value, nil
}

func known[T any](of *slot) (value *T, is bool) {
	for d := of.decoded.Load(); d != nil; d = d.next {
		if value, is = d.value.(*T); is {
			return value, true
		}
	}
	return nil, false
}

func decode[T any](i *Item, raw json.RawMessage, name string) (*T, error) {
	value := new(T)
	if len(raw) == 0 {
		return value, nil
	}
	if err := json.Unmarshal(raw, value); err != nil {
		e := candor.Errorf(candor.ReasonInvalid, "%s of %s does not decode: %w", name, i.Ref(), err)
		e.Subject, e.Revision = i.Ref().String(), i.Metadata.ResourceVersion
		return nil, e
	}
	return value, nil
}

// inherit takes over what is decoded of sections that the version before has as well.
func (i *Item) inherit(before *Item) {
	i.share(before)
	if d := before.status.decoded.Load(); d != nil && bytes.Equal(i.Status, before.Status) {
		i.status.decoded.Store(d)
	}
	if d := before.observed.decoded.Load(); d != nil && bytes.Equal(i.Observed, before.Observed) {
		i.observed.decoded.Store(d)
	}
}

// share has one spec decoded once, of items that are made from one template.
func (i *Item) share(with *Item) {
	if with != nil && bytes.Equal(i.Spec, with.Spec) {
		i.spec = with.spec
	}
}
