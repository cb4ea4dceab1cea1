package candor

import "encoding/json"

// APIVersion is that of the built-in kinds.
const APIVersion = "candor/v1"

// KindSpec is the spec of a Kind object, which declares a kind. The Kind
// object is named "plural.group".
type KindSpec struct {
	Group   string    `json:"group"`
	Version string    `json:"version"`
	Scope   Scope     `json:"scope"`
	Names   KindNames `json:"names"`
	// Schema validates spec and status (JSON Schema 2020-12).
	Schema         KindSchema      `json:"schema,omitzero"`
	PrinterColumns []PrinterColumn `json:"printerColumns,omitempty"`
}

// Scope says whether objects of a kind live in a namespace.
type Scope string

// The scopes.
const (
	ScopeNamespaced Scope = "Namespaced"
	ScopeCluster    Scope = "Cluster"
)

// KindNames are the names a kind goes by.
type KindNames struct {
	Kind       string   `json:"kind"`
	Plural     string   `json:"plural"`
	Singular   string   `json:"singular,omitempty"`
	ShortNames []string `json:"shortNames,omitempty"`
}

// KindSchema holds one JSON Schema per part; an absent one accepts any object.
type KindSchema struct {
	Spec   json.RawMessage `json:"spec,omitempty"`
	Status json.RawMessage `json:"status,omitempty"`
}

// PrinterColumn is one more column of `get`: Path is a JSONPath into the
// object, for example ".spec.replicas".
type PrinterColumn struct {
	Name string `json:"name"`
	Path string `json:"path"`
	// Wide columns show with -o wide only.
	Wide bool `json:"wide,omitempty"`
}

// Name is the KindName that the Kind object must have.
func (s KindSpec) Name() KindName { return KindName(s.Names.Plural + "." + s.Group) }

// APIVersion is what objects of the kind carry: "group/version".
func (s KindSpec) APIVersion() string { return s.Group + "/" + s.Version }
