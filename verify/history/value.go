package history

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/candor-plane/candor"
)

// Value is what a history takes for the value of an object. It must be the same
// of an object that is written and of the same object read back, so it leaves
// out what the server sets, and distinguish the writes that are to be told
// apart.
type Value func(*candor.Object) string

// Label takes a label for the value: the sharpest and the most readable, for
// writers that give each write its own.
func Label(name string) Value {
	return func(o *candor.Object) string { return o.Metadata.Labels[name] }
}

// Digest takes labels, annotations and spec. It does not fit kinds whose schema
// fills in defaults, because a spec is then read back as another.
func Digest(o *candor.Object) string {
	content, err := json.Marshal(struct {
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
		Spec        json.RawMessage   `json:"spec"`
	}{some(o.Metadata.Labels), some(o.Metadata.Annotations), o.Spec})
	if err != nil {
		// A spec that is no JSON is refused by every server: no value is read back.
		return "not JSON: " + err.Error()
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:8])
}

// some makes no map and an empty one the same.
func some(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
}

// Key is how a recorded client spells a reference: kind, namespace and name, so
// that what a LIST is complete for is a prefix.
func Key(ref candor.Ref) string { return string(ref.Kind) + "/" + ref.Key() }

// scope is the prefix of the keys of a kind, or of one namespace of it.
func scope(kind candor.KindName, namespace string) string {
	if namespace == "" {
		return string(kind) + "/"
	}
	return string(kind) + "/" + namespace + "/"
}
