package candor

import "strings"

// KindName names a kind as its Kind object is named: "plural.group".
type KindName string

// The kinds that every cluster has. Of tenures and transitions the
// root alone writes objects.
const (
	KindKinds      KindName = "kinds.candor"
	KindNamespaces KindName = "namespaces.candor"

	KindRoles        KindName = "roles.candor"
	KindRoleBindings KindName = "rolebindings.candor"
	KindTokens       KindName = "tokens.candor"

	KindTenures     KindName = "tenures.candor"
	KindTransitions KindName = "transitions.candor"

	KindNodes             KindName = "nodes.candor"
	KindWorkloads         KindName = "workloads.candor"
	KindInstances         KindName = "instances.candor"
	KindDisruptionBudgets KindName = "disruptionbudgets.candor"
	KindPriorityClasses   KindName = "priorityclasses.candor"
	KindFailurePolicies   KindName = "failurepolicies.candor"
	KindFindings          KindName = "findings.candor"
)

// Plural is the part before the first dot.
func (k KindName) Plural() string {
	plural, _, _ := strings.Cut(string(k), ".")
	return plural
}

// Group is the part after the first dot.
func (k KindName) Group() string {
	_, group, _ := strings.Cut(string(k), ".")
	return group
}

// Ref names an object. Namespace is empty for kinds that have none.
type Ref struct {
	Kind      KindName `json:"kind"`
	Namespace string   `json:"namespace,omitempty"`
	Name      string   `json:"name"`
}

// Key is the object's place within its kind: "namespace/name". Keys order by
// bytes; '/' sorts before every byte a DNS-1123 name may hold but '-' and '.',
// so the order is total and fixed, and a namespace is one contiguous range.
func (r Ref) Key() string { return r.Namespace + "/" + r.Name }

// String prints "plural/name" or "plural/namespace/name", for people.
func (r Ref) String() string {
	if r.Namespace == "" {
		return r.Kind.Plural() + "/" + r.Name
	}
	return r.Kind.Plural() + "/" + r.Namespace + "/" + r.Name
}

// SplitKey undoes Ref.Key.
func SplitKey(key string) (namespace, name string) {
	namespace, name, _ = strings.Cut(key, "/")
	return namespace, name
}
