package informer

import "github.com/candor-plane/candor"

// Version is what a revision made of one object.
type Version struct {
	Kind candor.KindName
	// Object is the version; it belongs to the store. Where Gone is set, it is the
	// object's last one, of which only the name is needed.
	Object *candor.Object
	Gone   bool
	// Revision is the one that made it so; 0 means the object's resource version.
	Revision uint64
}

// Change is what became of one object. Before is nil of one that is new, After of one
// that is gone. Where an object was deleted and made again between two batches, Before
// and After have different UIDs.
type Change struct {
	Ref           candor.Ref
	Before, After *Item
	// Revision is the one that made it so. Of an object that was found gone by a
	// Replace, it is that of the list.
	Revision uint64
}

// Item is After, or Before of an object that is gone.
func (c *Change) Item() *Item {
	if c.After != nil {
		return c.After
	}
	return c.Before
}

// Batch is one step of a store: the changes of one or more whole revisions, in order.
type Batch struct {
	// Reader shows the store after them.
	Reader  *Reader
	Changes []Change
}

// Handler is told of a step. It is called with the store locked, so it must be quick and
// neither apply, replace nor subscribe; reading is fine.
type Handler func(Batch)
