package fsm

import (
	_ "embed"
	"encoding/hex"
	"slices"
	"sync"

	"github.com/zeebo/xxh3"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/invariant"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/policy"
)

// The specs of the built-in kinds, compact JSON. They are part of the state:
// changing them takes a feature level.
var (
	//go:embed genesis_kind.json
	genesisKind []byte
	//go:embed genesis_namespace.json
	genesisNamespace []byte
	//go:embed genesis_role.json
	genesisRole []byte
	//go:embed genesis_rolebinding.json
	genesisRoleBinding []byte
	//go:embed genesis_token.json
	genesisToken []byte
	//go:embed genesis_tenure.json
	genesisTenure []byte
	//go:embed genesis_transition.json
	genesisTransition []byte
	//go:embed genesis_node.json
	genesisNode []byte
	//go:embed genesis_workload.json
	genesisWorkload []byte
	//go:embed genesis_instance.json
	genesisInstance []byte
	//go:embed genesis_disruptionbudget.json
	genesisDisruptionBudget []byte
	//go:embed genesis_priorityclass.json
	genesisPriorityClass []byte
	//go:embed genesis_failurepolicy.json
	genesisFailurePolicy []byte
	//go:embed genesis_finding.json
	genesisFinding []byte
)

// builtin is one object of every cluster.
type builtin struct {
	kind candor.KindName
	word string
	name string
	spec []byte
}

// builtins are what every cluster begins with, in the order of their versions.
// Nobody deletes them, and nobody changes the roles.
var builtins = []builtin{
	{candor.KindKinds, "Kind", string(candor.KindKinds), genesisKind},
	{candor.KindKinds, "Kind", string(candor.KindNamespaces), genesisNamespace},
	{candor.KindKinds, "Kind", string(candor.KindRoles), genesisRole},
	{candor.KindKinds, "Kind", string(candor.KindRoleBindings), genesisRoleBinding},
	{candor.KindKinds, "Kind", string(candor.KindTokens), genesisToken},
	{candor.KindKinds, "Kind", string(candor.KindTenures), genesisTenure},
	{candor.KindKinds, "Kind", string(candor.KindTransitions), genesisTransition},
	{candor.KindKinds, "Kind", string(candor.KindNodes), genesisNode},
	{candor.KindKinds, "Kind", string(candor.KindWorkloads), genesisWorkload},
	{candor.KindKinds, "Kind", string(candor.KindInstances), genesisInstance},
	{candor.KindKinds, "Kind", string(candor.KindDisruptionBudgets), genesisDisruptionBudget},
	{candor.KindKinds, "Kind", string(candor.KindPriorityClasses), genesisPriorityClass},
	{candor.KindKinds, "Kind", string(candor.KindFailurePolicies), genesisFailurePolicy},
	{candor.KindKinds, "Kind", string(candor.KindFindings), genesisFinding},
	{candor.KindNamespaces, "Namespace", defaultNamespace, []byte(`{}`)},
	{candor.KindRoles, "Role", "admin", []byte(`{"rules":[{"verbs":["*"],"kinds":["*","system/*","roles.candor","rolebindings.candor","tokens.candor"],"sections":["*"]}]}`)},
	{candor.KindRoles, "Role", "operator", []byte(`{"rules":[{"verbs":["*"],"kinds":["*","system/*"]},{"verbs":["get","list","watch"],"kinds":["roles.candor","rolebindings.candor"]}]}`)},
	{candor.KindRoles, "Role", "viewer", []byte(`{"rules":[{"verbs":["get","list","watch"],"kinds":["*","roles.candor","rolebindings.candor","system/diagnostics","system/tenures","system/transitions"]}]}`)},
	{candor.KindRoles, "Role", "worker", []byte(`{"rules":[{"verbs":["get","list","watch"],"kinds":["*"]},{"verbs":["update"],"kinds":["*"],"sections":["observed"]},{"verbs":["create"],"kinds":["nodes.candor"]}]}`)},
	{candor.KindRoleBindings, "RoleBinding", "workers", []byte(`{"role":"worker","subjects":["worker/*"]}`)},
	{candor.KindFailurePolicies, "FailurePolicy", "default-nodes", []byte(`{"kind":"nodes.candor","modes":[{"failure":"Crash","signal":"Heartbeat","detectWithin":"15s","action":"Evict","actAfter":"30s","recoverWithin":"2m"},{"failure":"Partition","signal":"Heartbeat","detectWithin":"15s","action":"Evict","actAfter":"30s","recoverWithin":"2m"}]}`)},
	{candor.KindFailurePolicies, "FailurePolicy", "default-workloads", []byte(`{"kind":"workloads.candor","modes":[{"failure":"Crash","signal":"Exit","detectWithin":"5s","action":"Restart","recoverWithin":"1m"},{"failure":"Slow","signal":"Probe","detectWithin":"30s","action":"Restart","recoverWithin":"1m"}]}`)},
}

// isBuiltin says whether the object is of every cluster.
func isBuiltin(ref candor.Ref) bool {
	return ref.Namespace == "" && slices.ContainsFunc(builtins, func(b builtin) bool { return b.kind == ref.Kind && b.name == ref.Name })
}

// genesis is the state before the first log entry: the built-in objects, at
// revision 1, and their policy. All machines share the versions and the policy.
func genesis(clusterID string) (*state, *policy.Policy) {
	first := origin()
	s := newState(clusterID)
	h := xxh3.HashString128("history:" + clusterID)
	b := h.Bytes()
	s.historyID = hex.EncodeToString(b[:])
	s.token, s.versions, s.objects, s.retained, s.bytes = first.token, first.versions, first.objects, first.retained, first.bytes
	s.kindIndex, s.kinds = first.kindIndex, make([]*kind, len(first.kinds))
	for i, k := range first.kinds {
		s.kinds[i] = &kind{name: k.name, tree: mvcc.NewTree(), live: k.live, touched: k.touched, stale: true}
	}
	versions := first.history.At(1)
	for v := versions; v != nil; v = v.Sibling() {
		s.kinds[v.Kind].tree.Set(v)
	}
	s.history.Put(1, versions)
	return s, first.policy
}

// founding is what every genesis begins with. Nobody changes it.
type founding struct {
	*state
	policy *policy.Policy
}

var origin = sync.OnceValue(func() founding {
	s := newState("")
	s.token.Revision = 1
	for _, b := range builtins {
		if b.kind == candor.KindKinds {
			s.addKind(candor.KindName(b.name))
		}
	}
	changes := make([]change, 0, len(builtins))
	for _, b := range builtins {
		changes = append(changes, b.change())
	}
	first := s.store(&changes[0])
	last := first
	for i := range changes[1:] {
		v := s.store(&changes[i+1])
		last.LinkSibling(v)
		last = v
	}
	s.history.Put(1, first)
	m := &Machine{state: s}
	return founding{s, m.compiled()}
})

func (b *builtin) change() change {
	h := xxh3.HashString128("genesis:" + string(b.kind) + "/" + b.name)
	sum := h.Bytes()
	id := hex.EncodeToString(sum[:])
	o := &candor.Object{
		APIVersion: candor.APIVersion, Kind: b.word, Spec: b.spec,
		Metadata: candor.Metadata{
			Name: b.name, UID: id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:],
			Generation: 1, ResourceVersion: 1, CreateRevision: 1,
		},
		Cause: &candor.Cause{Actor: candor.ActorSystem, Reason: "GENESIS", Message: "built in"},
	}
	return change{Change: invariant.Change{Ref: candor.Ref{Kind: b.kind, Name: b.name}, After: o}, final: o}
}
