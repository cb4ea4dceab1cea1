package controller

import (
	"bytes"
	"context"
	"slices"
	"sync"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/informer"
)

// outlet is a controller's way to the Writer: what was not declared does not pass.
type outlet struct {
	worker *worker
	writer Writer
}

// run is one reconcile, for the writes that it makes.
type run struct {
	worker *worker
	ref    candor.Ref
	read   candor.Token
	view   *informer.Reader

	mu       sync.Mutex
	writes   int
	revision uint64
}

type runKey struct{}

// Write passes on what was declared.
func (o *outlet) Write(ctx context.Context, write Write) (uint64, error) {
	mine, _ := ctx.Value(runKey{}).(*run)
	if mine == nil || mine.worker != o.worker {
		return 0, candor.Errorf(candor.ReasonInvalid, "controller %s wrote outside of a reconcile: use its context", o.worker.Name)
	}
	if err := o.declared(mine.view, &write); err != nil {
		return 0, err
	}
	if write.Read.IsZero() {
		write.Read = mine.read
	}
	revision, err := o.writer.Write(ctx, write)
	switch candor.ReasonOf(err) {
	case "":
	case candor.ReasonEraStale, candor.ReasonForbidden:
		o.worker.runtime.over(err)
		return 0, err
	default:
		return 0, err
	}
	if revision == 0 {
		return 0, nil
	}
	o.worker.require(mine.ref, revision, kindsOf(mine.view, &write))
	mine.mu.Lock()
	defer mine.mu.Unlock()
	mine.writes++
	mine.revision = max(mine.revision, revision)
	return revision, nil
}

func (o *outlet) declared(view *informer.Reader, write *Write) error {
	if len(write.Ops) == 0 {
		return candor.Errorf(candor.ReasonInvalid, "controller %s: a write of no operation", o.worker.Name)
	}
	for _, op := range write.Ops {
		target, section := op.Target(), sectionOf(view, op)
		if !o.worker.allows(target.Kind, section) {
			o.worker.refused()
			return &candor.Error{
				Reason: candor.ReasonSectionForbidden, Subject: target.String(),
				Message: "controller " + o.worker.Name + " would write " + string(section) + " of " + target.String() +
					", which is none of its declared outputs",
			}
		}
	}
	return nil
}

// sectionOf is what an operation writes. An update of the version that was looked at
// which leaves its spec alone is one of metadata.
func sectionOf(view *informer.Reader, op Op) Section {
	switch op := op.(type) {
	case UpdateStatus:
		return SectionStatus
	case Update:
		if op.Object == nil {
			return SectionSpec
		}
		seen := view.Get(op.Target())
		if seen != nil && seen.Metadata.ResourceVersion == op.Object.Metadata.ResourceVersion && bytes.Equal(seen.Spec, op.Object.Spec) {
			return SectionLife
		}
		return SectionSpec
	default:
		return SectionLife
	}
}

func kindsOf(view *informer.Reader, write *Write) []candor.KindName {
	var kinds []candor.KindName
	for _, op := range write.Ops {
		if kind := op.Target().Kind; view.Holds(kind) && !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

func (r *run) written() (writes int, revision uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.writes, r.revision
}
