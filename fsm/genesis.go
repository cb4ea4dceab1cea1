package fsm

import (
	_ "embed"
	"encoding/hex"

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
)

// genesis is the state before the first log entry: the built-in kinds and the
// default namespace, at revision 1.
func genesis(clusterID string) *state {
	s := newState(clusterID)
	h := xxh3.HashString128("history:" + clusterID)
	b := h.Bytes()
	s.historyID = hex.EncodeToString(b[:])
	s.token.Revision = 1
	builtin := []candor.KindName{candor.KindKinds, candor.KindNamespaces}
	for _, name := range builtin {
		s.addKind(name)
	}
	changes := []change{
		genesisObject(candor.KindKinds, "Kind", string(builtin[0]), genesisKind),
		genesisObject(candor.KindKinds, "Kind", string(builtin[1]), genesisNamespace),
		genesisObject(candor.KindNamespaces, "Namespace", defaultNamespace, []byte(`{}`)),
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

func genesisObject(kind candor.KindName, word, name string, spec []byte) change {
	h := xxh3.HashString128("genesis:" + string(kind) + "/" + name)
	b := h.Bytes()
	id := hex.EncodeToString(b[:])
	o := &candor.Object{
		APIVersion: candor.APIVersion, Kind: word, Spec: spec,
		Metadata: candor.Metadata{
			Name: name, UID: id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:],
			Generation: 1, ResourceVersion: 1, CreateRevision: 1,
		},
		Cause: &candor.Cause{Actor: "system", Reason: "GENESIS", Message: "built in"},
	}
	return change{Change: invariant.Change{Ref: candor.Ref{Kind: kind, Name: name}, After: o}, final: o}
}
