package controller

import (
	"slices"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/informer"
)

// Section is a part of an object that one controller may write.
type Section string

// The sections.
const (
	// SectionSpec is written by Update.
	SectionSpec Section = "SPEC"
	// SectionStatus is written by UpdateStatus.
	SectionStatus Section = "STATUS"
	// SectionLife is creation, deletion, and metadata: Create, Delete, and an Update that
	// leaves the spec as it is.
	SectionLife Section = "LIFE"
)

// AnyKind in an Output stands for every kind that the store holds.
const AnyKind candor.KindName = "*"

// maxWorkers bounds what a declaration may ask for.
const maxWorkers = 64

// Declaration is what a controller reads and writes.
type Declaration struct {
	// Name is unique within a runtime.
	Name    string
	Inputs  []Input
	Outputs []Output
	// Workers is how many keys are worked on at once; default 1.
	Workers int
}

// Input has changes of a kind enqueue keys.
type Input struct {
	Kind candor.KindName
	// Map gives the keys that a change is about; nil: the object itself. It is called
	// within the store's step, so it must be quick; it may read the store, which shows
	// the change already.
	Map func(informer.Change) []candor.Ref
	// Priority of what it enqueues.
	Priority Priority
	// Gather is how long a key waits for more of these changes before it is looked at;
	// whatever else enqueues it ends that. 0 does not wait.
	Gather time.Duration
}

// Output is what a controller may write.
type Output struct {
	Kind    candor.KindName
	Section Section
	// Shared: other controllers that say so too may write the same.
	Shared bool
}

// Controller is a declaration, and who does the work.
type Controller struct {
	Declaration
	// Make returns the reconciler. Its writes go through w, within Reconcile and with the
	// context that it was called with.
	Make func(w Writer) Reconciler
}

// check refuses declarations that do not fit the store or each other.
func check(store *informer.Reader, controllers []Controller) error {
	if len(controllers) == 0 {
		return candor.Errorf(candor.ReasonInvalid, "a runtime of no controller: want at least one")
	}
	for i := range controllers {
		if err := controllers[i].check(store); err != nil {
			return err
		}
		for j := range i {
			if err := apart(&controllers[j].Declaration, &controllers[i].Declaration); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Declaration) check(store *informer.Reader) error {
	switch {
	case d.Name == "" || strings.ContainsAny(d.Name, " /"):
		return candor.Errorf(candor.ReasonInvalid, "controller %q: want a name without spaces and slashes", d.Name)
	case len(d.Inputs) == 0:
		return candor.Errorf(candor.ReasonInvalid, "controller %s has no input: nothing would ever enqueue a key", d.Name)
	case d.Workers < 0 || d.Workers > maxWorkers:
		return candor.Errorf(candor.ReasonInvalid, "controller %s: %d workers, want between 1 and %d", d.Name, d.Workers, maxWorkers)
	}
	for _, in := range d.Inputs {
		if !store.Holds(in.Kind) {
			return candor.Errorf(candor.ReasonUnknownKind, "controller %s: input %q is no kind of the store", d.Name, in.Kind)
		}
		if in.Priority < Background || in.Priority > Urgent {
			return candor.Errorf(candor.ReasonInvalid, "controller %s: input %s has priority %d", d.Name, in.Kind, in.Priority)
		}
		if in.Gather < 0 {
			return candor.Errorf(candor.ReasonInvalid, "controller %s: input %s gathers for %v", d.Name, in.Kind, in.Gather)
		}
	}
	for i, out := range d.Outputs {
		if out.Kind != AnyKind && !store.Holds(out.Kind) {
			return candor.Errorf(candor.ReasonUnknownKind,
				"controller %s: output %q is no kind of the store, so that it would never see what it wrote", d.Name, out.Kind)
		}
		if !slices.Contains([]Section{SectionSpec, SectionStatus, SectionLife}, out.Section) {
			return candor.Errorf(candor.ReasonInvalid, "controller %s: output %s has section %q", d.Name, out.Kind, out.Section)
		}
		if slices.ContainsFunc(d.Outputs[:i], out.overlaps) {
			return candor.Errorf(candor.ReasonInvalid, "controller %s: output %s of %s is declared twice", d.Name, out.Section, out.Kind)
		}
	}
	return nil
}

func (o Output) overlaps(other Output) bool {
	return o.Section == other.Section && (o.Kind == other.Kind || o.Kind == AnyKind || other.Kind == AnyKind)
}

// apart refuses two controllers of one name, or that would undo each other's work.
func apart(a, b *Declaration) error {
	if a.Name == b.Name {
		return candor.Errorf(candor.ReasonInvalid, "two controllers are called %s", a.Name)
	}
	for _, mine := range a.Outputs {
		for _, theirs := range b.Outputs {
			if mine.overlaps(theirs) && (!mine.Shared || !theirs.Shared) {
				return candor.Errorf(candor.ReasonInvalid,
					"controllers %s and %s both write %s of %s: leave it to one, or declare it shared in both",
					a.Name, b.Name, mine.Section, theirs.Kind)
			}
		}
	}
	return nil
}

// allows says whether a section of a kind is among the outputs.
func (d *Declaration) allows(kind candor.KindName, section Section) bool {
	return slices.ContainsFunc(d.Outputs, func(o Output) bool {
		return o.Section == section && (o.Kind == kind || o.Kind == AnyKind)
	})
}
