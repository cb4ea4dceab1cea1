package candor

import (
	"bytes"
	"encoding/json"
	"strings"
)

// OwnerReference names an owner in the same namespace, or an owner without a
// namespace. Kind is the owner's KindName, and that alone is stored. In a request
// it may be an OwnerType instead, as Kubernetes names owners: the server finds
// the kind.
type OwnerReference struct {
	Kind               KindName
	Name               string
	UID                string
	Controller         bool
	BlockOwnerDeletion bool
}

// OwnerType stands in an OwnerReference for the kind whose objects carry this
// apiVersion and kind.
func OwnerType(apiVersion, kind string) KindName { return KindName(apiVersion + "/" + kind) }

// Type undoes OwnerType; false for a KindName, which has no slash.
func (o OwnerReference) Type() (apiVersion, kind string, ok bool) {
	at := strings.LastIndexByte(string(o.Kind), '/')
	if at < 0 {
		return "", "", false
	}
	return string(o.Kind[:at]), string(o.Kind[at+1:]), true
}

type ownerJSON struct {
	APIVersion         string `json:"apiVersion,omitempty"`
	Kind               string `json:"kind"`
	Name               string `json:"name"`
	UID                string `json:"uid"`
	Controller         bool   `json:"controller,omitempty"`
	BlockOwnerDeletion bool   `json:"blockOwnerDeletion,omitempty"`
}

var ownerFields = []string{"apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"}

// MarshalJSON writes apiVersion and kind of an owner that is named by its type,
// and the KindName as the kind of any other.
func (o OwnerReference) MarshalJSON() ([]byte, error) {
	out := ownerJSON{Kind: string(o.Kind), Name: o.Name, UID: o.UID, Controller: o.Controller, BlockOwnerDeletion: o.BlockOwnerDeletion}
	if apiVersion, kind, ok := o.Type(); ok {
		out.APIVersion, out.Kind = apiVersion, kind
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads both, as strictly as an object is read.
func (o *OwnerReference) UnmarshalJSON(data []byte) error {
	if err := checkFields(".metadata.ownerReferences", data, ownerFields); err != nil {
		return err
	}
	var in ownerJSON
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return Errorf(ReasonInvalid, "object: metadata.ownerReferences: %v", err)
	}
	*o = OwnerReference{Kind: KindName(in.Kind), Name: in.Name, UID: in.UID, Controller: in.Controller, BlockOwnerDeletion: in.BlockOwnerDeletion}
	if in.APIVersion != "" {
		o.Kind = OwnerType(in.APIVersion, in.Kind)
	}
	return nil
}
