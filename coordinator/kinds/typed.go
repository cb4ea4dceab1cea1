package kinds

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/informer"
)

// Typed is an object with its spec and status decoded. It may be shared: whoever has it
// reads it only.
type Typed[Spec, Status any] struct {
	// Ref names the object.
	Ref    candor.Ref
	Object *candor.Object
	Spec   *Spec
	Status *Status
}

// Read decodes an item, whose parts it shares.
func Read[Spec, Status any](item *informer.Item) (Typed[Spec, Status], error) {
	t := Typed[Spec, Status]{Ref: item.Ref(), Object: item.Object}
	var err error
	if t.Spec, err = informer.Spec[Spec](item); err != nil {
		return t, err
	}
	t.Status, err = informer.Status[Status](item)
	return t, err
}

// Observed decodes what a worker said of an item; nil where none did.
func Observed[T any](item *informer.Item) (*T, error) {
	if len(item.Observed) == 0 {
		return nil, nil
	}
	return informer.Observed[T](item)
}

// Meta is the object's metadata.
func (t *Typed[Spec, Status]) Meta() *candor.Metadata { return &t.Object.Metadata }

// Version names the version that was read.
func (t *Typed[Spec, Status]) Version() *candor.VersionRef {
	return &candor.VersionRef{Ref: t.Ref, Revision: t.Object.Metadata.ResourceVersion}
}

// Terminating says whether the object waits for its finalizers.
func (t *Typed[Spec, Status]) Terminating() bool { return t.Object.Terminating() }

// Write is the operation that makes the status next, on the condition that the object is
// still as it was read; false where it is so already.
func (t *Typed[Spec, Status]) Write(next *Status) (op controller.UpdateStatus, changed bool) {
	status := Encode(next)
	if len(t.Object.Status) > 0 && bytes.Equal(Encode(t.Status), status) {
		return controller.UpdateStatus{}, false
	}
	m := t.Meta()
	return controller.UpdateStatus{Ref: t.Ref, UID: m.UID, ResourceVersion: m.ResourceVersion, Status: status}, true
}

// Delete is the operation that deletes the object as it was read.
func (t *Typed[Spec, Status]) Delete() controller.Delete {
	m := t.Meta()
	return controller.Delete{Ref: t.Ref, UID: m.UID, ResourceVersion: m.ResourceVersion}
}

// Compare is the condition that the object is still as it was read.
func (t *Typed[Spec, Status]) Compare() controller.Compare {
	m := t.Meta()
	return controller.Compare{Ref: t.Ref, UID: m.UID, ResourceVersion: m.ResourceVersion}
}

// Encode is the JSON of a part. It panics where there is none, which the types of the
// root package exclude.
func Encode(part any) json.RawMessage {
	data, err := json.Marshal(part)
	if err != nil {
		panic("kinds: " + err.Error())
	}
	return data
}

// Time is cluster time as conditions show it.
func Time(cluster int64) time.Time { return time.Unix(0, cluster).UTC() }
