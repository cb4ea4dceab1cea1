package fsm

import (
	_ "embed"
	"encoding/hex"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/invariant"
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
	{candor.KindNamespaces, "Namespace", defaultNamespace, []byte(`{}`)},
	{candor.KindRoles, "Role", "admin", []byte(`{"rules":[{"verbs":["*"],"kinds":["*","system/*","roles.candor","rolebindings.candor","tokens.candor"],"sections":["*"]}]}`)},
	{candor.KindRoles, "Role", "operator", []byte(`{"rules":[{"verbs":["*"],"kinds":["*","system/*"]},{"verbs":["get","list","watch"],"kinds":["roles.candor","rolebindings.candor"]}]}`)},
	{candor.KindRoles, "Role", "viewer", []byte(`{"rules":[{"verbs":["get","list","watch"],"kinds":["*","roles.candor","rolebindings.candor","system/diagnostics","system/tenures","system/transitions"]}]}`)},
	{candor.KindRoles, "Role", "worker", []byte(`{"rules":[{"verbs":["get","list","watch"],"kinds":["*"]},{"verbs":["update"],"kinds":["*"],"sections":["observed"]}]}`)},
	{candor.KindRoleBindings, "RoleBinding", "workers", []byte(`{"role":"worker","subjects":["worker/*"]}`)},
}

// isBuiltin says whether the object is of every cluster.
func isBuiltin(ref candor.Ref) bool {
	return ref.Namespace == "" && slices.ContainsFunc(builtins, func(b builtin) bool { return b.kind == ref.Kind && b.name == ref.Name })
}

// genesis is the state before the first log entry: the built-in objects, at
// revision 1.
func genesis(clusterID string) *state {
	s := newState(clusterID)
	h := xxh3.HashString128("history:" + clusterID)
	b := h.Bytes()
	s.historyID = hex.EncodeToString(b[:])
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
	return s
}

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
