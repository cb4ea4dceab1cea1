package candor

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"time"
)

// Object is one version of one object in its three states: Spec (desired,
// written by clients), Observed (written by workers and other observers) and
// Status (reconciled, written by controllers). The three are raw JSON; a nil
// part is absent. As JSON an object follows the Kubernetes conventions and
// Observed appears as status.observed.
//
// An Object that was read belongs to its reader; parts that are raw JSON may
// be shared with the store and must not be modified in place.
type Object struct {
	APIVersion string
	Kind       string
	Metadata   Metadata
	Spec       json.RawMessage
	Status     json.RawMessage
	Observed   json.RawMessage
	Cause      *Cause
}

// Metadata is what every object has.
type Metadata struct {
	Name      string
	Namespace string
	UID       string
	// Generation counts changes of Spec, from 1.
	Generation uint64
	// ResourceVersion is the revision of the turn that made this version,
	// CreateRevision that of the turn that created the object.
	ResourceVersion uint64
	CreateRevision  uint64
	// CreationTime and DeletionTime are the leader's wall clock, for people;
	// nothing is ordered or expired by them.
	CreationTime time.Time
	DeletionTime time.Time
	Labels       map[string]string
	Annotations  map[string]string
	Owners       []OwnerReference
	Finalizers   []string
}

// Terminating says whether the object waits for its finalizers.
func (o *Object) Terminating() bool { return !o.Metadata.DeletionTime.IsZero() }

type objectJSON struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Metadata   metadataJSON    `json:"metadata"`
	Spec       json.RawMessage `json:"spec,omitempty"`
	Status     json.RawMessage `json:"status,omitempty"`
}

type metadataJSON struct {
	Name              string            `json:"name,omitempty"`
	Namespace         string            `json:"namespace,omitempty"`
	UID               string            `json:"uid,omitempty"`
	Generation        uint64            `json:"generation,omitempty"`
	ResourceVersion   string            `json:"resourceVersion,omitempty"`
	CreationTimestamp *time.Time        `json:"creationTimestamp,omitempty"`
	DeletionTimestamp *time.Time        `json:"deletionTimestamp,omitempty"`
	Labels            map[string]string `json:"labels,omitempty"`
	Annotations       map[string]string `json:"annotations,omitempty"`
	OwnerReferences   []OwnerReference  `json:"ownerReferences,omitempty"`
	Finalizers        []string          `json:"finalizers,omitempty"`
}

// MarshalJSON writes the Kubernetes form.
func (o Object) MarshalJSON() ([]byte, error) {
	status, err := JoinStatus(o.Status, o.Observed)
	if err != nil {
		return nil, err
	}
	m := o.Metadata
	return json.Marshal(objectJSON{
		APIVersion: o.APIVersion, Kind: o.Kind, Spec: o.Spec, Status: status,
		Metadata: metadataJSON{
			Name: m.Name, Namespace: m.Namespace, UID: m.UID, Generation: m.Generation,
			ResourceVersion:   formatRevision(m.ResourceVersion),
			CreationTimestamp: second(m.CreationTime), DeletionTimestamp: second(m.DeletionTime),
			Labels: m.Labels, Annotations: m.Annotations, OwnerReferences: m.Owners, Finalizers: m.Finalizers,
		},
	})
}

// UnmarshalJSON reads the Kubernetes form, strictly: a field that is unknown,
// spelt in another case or given twice is an Error of reason INVALID. A part
// that is null is absent. metadata.createRevision and the cause have no JSON
// form and stay zero.
func (o *Object) UnmarshalJSON(data []byte) error {
	if err := checkFields("", data, objectFields); err != nil {
		return err
	}
	var in objectJSON
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		if e, ok := errors.AsType[*Error](err); ok {
			return e
		}
		return Errorf(ReasonInvalid, "object: %v", err)
	}
	revision, err := ParseRevision(in.Metadata.ResourceVersion)
	if err != nil {
		return err
	}
	status, observed, err := SplitStatus(in.Status)
	if err != nil {
		return err
	}
	m := in.Metadata
	*o = Object{
		APIVersion: in.APIVersion, Kind: in.Kind, Spec: notNull(in.Spec), Status: status, Observed: observed,
		Metadata: Metadata{
			Name: m.Name, Namespace: m.Namespace, UID: m.UID, Generation: m.Generation, ResourceVersion: revision,
			CreationTime: timeOf(m.CreationTimestamp), DeletionTime: timeOf(m.DeletionTimestamp),
			Labels: m.Labels, Annotations: m.Annotations, Owners: m.OwnerReferences, Finalizers: m.Finalizers,
		},
	}
	return nil
}

// JoinStatus merges the two stored parts of status into the one that JSON
// shows: observed becomes the member "observed".
func JoinStatus(status, observed json.RawMessage) (json.RawMessage, error) {
	if len(observed) == 0 {
		return status, nil
	}
	parts := map[string]json.RawMessage{}
	if status = notNull(status); len(status) > 0 {
		if err := json.Unmarshal(status, &parts); err != nil {
			return nil, Errorf(ReasonInvalid, "status: want a JSON object: %v", err)
		}
	}
	parts["observed"] = observed
	return json.Marshal(parts)
}

// SplitStatus undoes JoinStatus.
func SplitStatus(joined json.RawMessage) (status, observed json.RawMessage, err error) {
	if joined = notNull(joined); len(joined) == 0 {
		return nil, nil, nil
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(joined, &parts); err != nil {
		return nil, nil, Errorf(ReasonInvalid, "status: want a JSON object: %v", err)
	}
	observed, ok := parts["observed"]
	if !ok {
		return joined, nil, nil
	}
	delete(parts, "observed")
	observed = notNull(observed)
	if len(parts) == 0 {
		return nil, observed, nil
	}
	status, err = json.Marshal(parts)
	return status, observed, err
}

// ParseRevision reads a resourceVersion; the empty string is 0.
func ParseRevision(s string) (uint64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, Errorf(ReasonInvalid, "resourceVersion %q: want a decimal revision", s)
	}
	return n, nil
}

func formatRevision(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

func second(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}

func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
