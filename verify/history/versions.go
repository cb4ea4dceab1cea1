package history

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// Versions is what a cluster keeps of one object, as it was read at one revision:
// not an operation of the run, but evidence of what became of it.
type Versions struct {
	Key string `json:"key"`
	// Floor: versions below it may be gone.
	Floor uint64 `json:"floor,omitempty"`
	// Revision is what they were read at, Node who answered.
	Revision uint64 `json:"revision"`
	Node     string `json:"node,omitempty"`
	// Versions are oldest first; none where the object is not there.
	Versions []Version `json:"versions,omitempty"`
}

// Version is one version of an object; of a deleted one, the last.
type Version struct {
	Revision uint64 `json:"revision"`
	Deleted  bool   `json:"deleted,omitempty"`
	// Create is the revision of the turn that created the object.
	Create uint64            `json:"create,omitempty"`
	Value  string            `json:"value,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
	// Object is the version whole, where checks look into it; Cause is who made it.
	Object *candor.Object `json:"object,omitempty"`
	Cause  *candor.Cause  `json:"cause,omitempty"`
}

// VersionsOf takes what a cluster answered. With a value, objects are kept by their
// value, labels and cause; without one they are kept whole.
func VersionsOf(ref candor.Ref, h *client.History, value Value) Versions {
	v := Versions{Key: Key(ref), Floor: h.Floor, Revision: h.Witness.ServedToken.Revision, Node: h.Witness.NodeID}
	for i := len(h.Versions) - 1; i >= 0; i-- {
		from := &h.Versions[i]
		one := Version{Revision: from.Revision, Deleted: from.Deleted}
		if o := from.Object; o != nil {
			one.Create, one.Cause, one.Labels = o.Metadata.CreateRevision, o.Cause, o.Metadata.Labels
			if value != nil {
				one.Value = value(o)
			} else {
				one.Object, one.Labels = o, nil
			}
		}
		v.Versions = append(v.Versions, one)
	}
	return v
}

// Validate refuses versions that are recorded wrongly, with reason INVALID: without
// a key, or not in the order of their revisions.
func (v *Versions) Validate() error {
	if v.Key == "" {
		return invalid("versions without a key")
	}
	for i := range v.Versions {
		switch at := v.Versions[i].Revision; {
		case at == 0:
			return invalid("a version of %s without a revision", v.Key)
		case at > v.Revision:
			return invalid("a version of %s of revision %d, read at revision %d", v.Key, at, v.Revision)
		case i > 0 && v.Versions[i-1].Revision >= at:
			return invalid("versions of %s at revisions %d and %d: want them oldest first, each once", v.Key, v.Versions[i-1].Revision, at)
		}
	}
	return nil
}

// LabelsAt are the labels of a version, whichever way it was kept.
func (v *Version) LabelsAt() map[string]string {
	if v.Object != nil {
		return v.Object.Metadata.Labels
	}
	return v.Labels
}
