package explain

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/mvcc"
)

// Bounds of the chain: links that are shown, and versions that are looked at.
const (
	MaxLinks = 32
	maxSteps = 1024
)

// story is one explanation on its way.
type story struct {
	view     *fsm.View
	question Question
	world    World
}

// step is one version that the chain comes through.
type step struct {
	ref     candor.Ref
	version *mvcc.Version
	object  *candor.Object
	before  *candor.Object
}

// chain leads from a version to the intent that began it, nearest first. A version
// names its cause, or it is of the same intent as the one before it: then only its
// status or what was observed differs.
func (s *story) chain(v *mvcc.Version, o *candor.Object) []candor.Link {
	var links []candor.Link
	at := s.step(s.question.Subject.Ref, v, o)
	for steps := 0; ; steps++ {
		if steps == maxSteps || len(links) == MaxLinks {
			return append(links, candor.Link{Version: at.name(), Text: "the chain is longer than is shown: candor why " + at.ref.String() + " goes on from here"})
		}
		if s.tells(&at, steps == 0) {
			links = append(links, candor.Link{Version: at.name(), Cause: at.object.Cause, Text: s.text(&at)})
		}
		next, end := s.next(&at)
		if end != nil {
			return append(links, *end)
		}
		if next == nil {
			return links
		}
		at = *next
	}
}

func (s *story) step(ref candor.Ref, v *mvcc.Version, o *candor.Object) step {
	at := step{ref: ref, version: v, object: o}
	if prior := s.view.Before(v); prior != nil {
		at.before, _ = prior.Object() // one that does not decode is shown as none
	}
	return at
}

func (a *step) name() candor.VersionRef {
	return candor.VersionRef{Ref: a.ref, Revision: a.version.Revision}
}

func (a *step) created() bool { return a.object.Metadata.CreateRevision == a.version.Revision }

// willed says that the version is more than news of status: it began, ended, or
// somebody wanted something else.
func (a *step) willed() bool {
	if a.version.Deleted || a.created() {
		return true
	}
	if a.before == nil {
		return false
	}
	is, was := &a.object.Metadata, &a.before.Metadata
	return is.Generation != was.Generation || !bytes.Equal(a.object.Spec, a.before.Spec) || a.object.Terminating() != a.before.Terminating() ||
		!maps.Equal(is.Labels, was.Labels) || !maps.Equal(is.Annotations, was.Annotations) || !slices.Equal(is.Finalizers, was.Finalizers) || !slices.Equal(is.Owners, was.Owners)
}

// tells says whether the version is a link: the first one is only where it is more
// than the status, which the headline tells.
func (s *story) tells(a *step, first bool) bool {
	return a.willed() || !first && len(conditionChanges(a.before, a.object)) > 0
}

// next is the version that led to one, or the link that ends the chain, or neither at
// the beginning.
func (s *story) next(a *step) (*step, *candor.Link) {
	cause := a.object.Cause
	if cause == nil {
		cause = &candor.Cause{}
	}
	if b := cause.Because; b != nil && *b != a.name() {
		if b.Revision >= a.version.Revision {
			return nil, &candor.Link{Version: *b, Text: "it names a version that is no older than itself: whoever wrote it was mistaken"}
		}
		return s.find(*b)
	}
	if a.willed() {
		return nil, nil
	}
	prior := candor.VersionRef{Ref: a.ref, Revision: cause.PriorRevision}
	if prior.Revision == 0 || prior.Revision >= a.version.Revision {
		return nil, nil
	}
	return s.find(prior)
}

// find looks a version up that another names.
func (s *story) find(of candor.VersionRef) (*step, *candor.Link) {
	if of.Ref != s.question.Subject.Ref {
		if err := s.question.MayRead(of.Ref); err != nil {
			return nil, &candor.Link{Version: of, Text: "what led to it is not yours to read: " + said(err)}
		}
	}
	var found *mvcc.Version
	s.view.Chain(of.Ref, func(v *mvcc.Version) bool {
		if v.Revision == of.Revision {
			found = v
		}
		return v.Revision > of.Revision
	})
	if found == nil {
		text := "there is no such version"
		if of.Revision < s.view.Floor() {
			text = "older versions are compacted (the floor is " + number(s.view.Floor()) + ")"
		}
		return nil, &candor.Link{Version: of, Text: s.called(of.Ref) + ": " + text}
	}
	o, err := found.Object()
	if err != nil {
		return nil, &candor.Link{Version: of, Text: said(err)}
	}
	at := s.step(of.Ref, found, o)
	return &at, nil
}

// mostChanges is how many fields a link tells.
const mostChanges = 3

// text is the object, and what the version changed.
func (s *story) text(a *step) string {
	var parts []string
	switch {
	case a.version.Deleted:
		parts = []string{"deleted"}
	case a.created():
		parts = []string{"created"}
	case a.before == nil:
		parts = []string{"what it changed is compacted"}
	default:
		parts = conditionChanges(a.before, a.object)
		for _, c := range candor.FieldChanges(a.before, a.object) {
			// Of the status the conditions are enough, where they changed.
			if !strings.HasPrefix(c.Path, "status") && c.Path != "metadata.deletionTimestamp" && !strings.HasPrefix(c.Path, "metadata.annotations.") {
				parts = append(parts, c.String())
			}
		}
		if a.object.Terminating() && !a.before.Terminating() {
			parts = append([]string{"deletion asked for"}, parts...)
		}
		if len(parts) == 0 {
			parts = []string{"metadata"}
		}
	}
	if len(parts) > mostChanges {
		parts = append(parts[:mostChanges:mostChanges], number(uint64(len(parts)-mostChanges))+" more")
	}
	return s.called(a.ref) + " (" + strings.Join(parts, ", ") + ")"
}
