package controller

import (
	"context"
	"encoding/json"

	"github.com/candor-plane/candor"
)

// Writer carries out what a controller decided. It answers with the revision that the
// write made, and with 0 where it changed nothing.
//
// ERA_STALE and FORBIDDEN say that the right to write has ended. CONFLICT says that a
// compare or a precondition did not hold: nothing was written. OUTCOME_UNKNOWN says that
// it may have been; a reconciler that looks again finds out.
type Writer interface {
	Write(ctx context.Context, w Write) (revision uint64, err error)
}

// Write is one transaction: all or nothing, under the tenure.
type Write struct {
	// Compares must all hold, or nothing is written: CONFLICT.
	Compares []Compare
	// Ops are carried out in order.
	Ops []Op
	// Reason is an UPPER_SNAKE word, Message one sentence: the cause of each version that
	// the write makes.
	Reason, Message string
	// Because is the version of another object that led to the write.
	Because *candor.VersionRef
	// Read is what had been read when the write was decided. A Runtime fills in the token
	// of its store at the start of the reconcile where it is zero.
	Read candor.Token
}

// Compare is a condition on one object. Absent: there is none at Ref. Otherwise the one
// there has this UID and is at this ResourceVersion; an empty UID and a ResourceVersion
// of 0 ask for nothing.
type Compare struct {
	Ref             candor.Ref
	Absent          bool
	UID             string
	ResourceVersion uint64
}

// Op is one of Create, Update, UpdateStatus and Delete.
type Op interface {
	// Target names the object that it writes.
	Target() candor.Ref
	op()
}

type (
	// Create makes an object. Its Kind is the one that Object's apiVersion and kind stand
	// for.
	Create struct {
		Kind   candor.KindName
		Object *candor.Object
	}

	// Update writes an object's spec and metadata. The object's uid and resource version
	// are preconditions where they are set.
	Update struct {
		Kind   candor.KindName
		Object *candor.Object
	}

	// UpdateStatus writes an object's status, apart from status.observed, which stays. UID
	// and ResourceVersion are preconditions where they are set.
	UpdateStatus struct {
		Ref             candor.Ref
		UID             string
		ResourceVersion uint64
		Status          json.RawMessage
	}

	// Delete deletes an object, or has it wait for its finalizers. UID and ResourceVersion
	// are preconditions where they are set. Without a Propagation it is background.
	Delete struct {
		Ref             candor.Ref
		UID             string
		ResourceVersion uint64
		Propagation     candor.Propagation
	}
)

// Target names the object to be made.
func (o Create) Target() candor.Ref { return refOf(o.Kind, o.Object) }

// Target names the object to be updated.
func (o Update) Target() candor.Ref { return refOf(o.Kind, o.Object) }

// Target names the object whose status is written.
func (o UpdateStatus) Target() candor.Ref { return o.Ref }

// Target names the object to be deleted.
func (o Delete) Target() candor.Ref { return o.Ref }

func (Create) op()       {}
func (Update) op()       {}
func (UpdateStatus) op() {}
func (Delete) op()       {}

func refOf(kind candor.KindName, o *candor.Object) candor.Ref {
	if o == nil {
		return candor.Ref{Kind: kind}
	}
	return candor.Ref{Kind: kind, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name}
}
