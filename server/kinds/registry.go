package kinds

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/candor-plane/candor"
)

// Source is where the Kind objects are: a view of the root.
type Source interface {
	// KindsRevision is the revision of the last change to any Kind object.
	KindsRevision() uint64
	// Kinds are all live Kind objects, as of that revision or later. They are
	// not modified.
	Kinds() []*candor.Object
}

// Registry finds kinds. It may be used by many goroutines at once, and follows
// its source: an answer reflects every change that was made before it was
// asked.
type Registry struct {
	source Source
	index  atomic.Pointer[index]
	// rebuilding lets one goroutine make the next index.
	rebuilding sync.Mutex
}

// index is what the Kind objects of one moment declare. It is immutable.
type index struct {
	revision uint64
	byName   map[candor.KindName]*Kind
	byType   map[typeName]*Kind
}

type typeName struct{ apiVersion, kind string }

// New makes a registry of the kinds of source, which must not be nil.
func New(source Source) *Registry {
	if source == nil {
		panic("kinds: New needs a source")
	}
	return &Registry{source: source}
}

// ByName finds a kind by the name of its Kind object. The Error is of reason
// UNKNOWN_KIND and names those that come close.
func (r *Registry) ByName(name candor.KindName) (*Kind, error) {
	x := r.current()
	k, ok := x.byName[name]
	if !ok {
		return nil, x.unknownName(name)
	}
	return k.readable()
}

// ByType finds a kind by what its objects say they are. The Error is of reason
// UNKNOWN_KIND and tells an unknown group, version and kind apart.
func (r *Registry) ByType(apiVersion, kind string) (*Kind, error) {
	x := r.current()
	k, ok := x.byType[typeName{apiVersion, kind}]
	if !ok {
		return nil, x.unknownType(apiVersion, kind)
	}
	return k.readable()
}

// current is the index of a revision that is not older than this call.
func (r *Registry) current() *index {
	if x := r.index.Load(); x != nil && x.revision == r.source.KindsRevision() {
		return x
	}
	r.rebuilding.Lock()
	defer r.rebuilding.Unlock()
	// The revision is read before the objects: if they are newer, the index
	// only looks older than it is, and the next call makes another.
	revision := r.source.KindsRevision()
	last := r.index.Load()
	if last != nil && last.revision == revision {
		return last
	}
	x := r.rebuild(revision, last)
	r.index.Store(x)
	return x
}

// rebuild makes the index, with the kinds that have not changed as they are.
func (r *Registry) rebuild(revision uint64, last *index) *index {
	x := &index{revision: revision, byName: map[candor.KindName]*Kind{}, byType: map[typeName]*Kind{}}
	objects := slices.Clone(r.source.Kinds())
	// Two Kind objects may declare one type in data of an earlier build:
	// the older keeps it.
	slices.SortFunc(objects, func(a, b *candor.Object) int {
		return cmp.Or(cmp.Compare(a.Metadata.CreateRevision, b.Metadata.CreateRevision), cmp.Compare(a.Metadata.Name, b.Metadata.Name))
	})
	for _, o := range objects {
		name := candor.KindName(o.Metadata.Name)
		var k *Kind
		if last != nil {
			k = last.byName[name]
		}
		if k == nil || k.uid != o.Metadata.UID || k.revision != o.Metadata.ResourceVersion {
			k = newKind(r, o)
		}
		x.byName[name] = k
		if k.broken != nil {
			continue
		}
		of := typeName{k.apiVersion, k.spec.Names.Kind}
		if _, taken := x.byType[of]; !taken {
			x.byType[of] = k
		}
	}
	return x
}

func (x *index) unknownName(name candor.KindName) error {
	names := make([]string, 0, len(x.byName))
	for _, known := range slices.Sorted(maps.Keys(x.byName)) {
		k := x.byName[known]
		names = append(names, string(known))
		// One who writes a short name, or the name alone, means the kind.
		for _, other := range append([]string{k.spec.Names.Plural, k.spec.Names.Singular, k.spec.Names.Kind}, k.spec.Names.ShortNames...) {
			if strings.EqualFold(other, string(name)) {
				return unknown(string(name), "kind %s is not known: a kind is named PLURAL.GROUP; did you mean %q?", quoted(name), known)
			}
		}
	}
	return unknown(string(name), "kind %s is not known%s", quoted(name), orMeant(string(name), names))
}

func (x *index) unknownType(apiVersion, kind string) error {
	group, version, ok := strings.Cut(apiVersion, "/")
	if !ok || group == "" || version == "" || kind == "" {
		return unknown(kind, "apiVersion %s and kind %s name no kind: want GROUP/VERSION and a kind, for example %s and Namespace",
			quoted(apiVersion), quoted(kind), candor.APIVersion)
	}
	groups, inGroup := map[string]bool{}, map[string]*Kind{}
	for _, k := range x.byType {
		groups[k.spec.Group] = true
		if k.spec.Group == group {
			inGroup[k.spec.Names.Kind] = k
		}
	}
	if len(inGroup) == 0 {
		return unknown(kind, "no kind is of group %s (asked for %s of %s)%s",
			quoted(group), quoted(kind), quoted(apiVersion), orMeant(group, slices.Collect(maps.Keys(groups))))
	}
	if k := inGroup[kind]; k != nil {
		return unknown(kind, "%s of group %s is not served in version %s; the served version is %s",
			kind, group, quoted(version), k.apiVersion)
	}
	return unknown(kind, "group %s has no kind %s%s", group, quoted(kind), orMeant(kind, slices.Collect(maps.Keys(inGroup))))
}

func unknown(subject, format string, args ...any) error {
	e := candor.Errorf(candor.ReasonUnknownKind, format, args...)
	e.Subject = clip(subject)
	return e
}

// orMeant lists up to three names that come close.
func orMeant(written string, names []string) string {
	near := closest(written, names, 3)
	if len(near) == 0 {
		return ""
	}
	for i, name := range near {
		near[i] = fmt.Sprintf("%q", name)
	}
	return "; did you mean " + strings.Join(near, " or ") + "?"
}
