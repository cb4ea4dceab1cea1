package replay

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/mvcc"
)

// ObjectDifference is an object that two states do not have alike.
type ObjectDifference struct {
	Object candor.Ref `json:"object"`
	// A and B are the revisions of what each state has; 0 for nothing.
	A uint64 `json:"a"`
	B uint64 `json:"b"`
	// Changes lead from A's version to B's. Without any, the versions differ in what is
	// no field: revisions, causes, or history.
	Changes []candor.FieldChange `json:"changes,omitempty"`
}

// objectsApart are the objects that two states do not have alike, at most limit, and how
// many there are.
func objectsApart(a, b *fsm.View, limit int) (out []ObjectDifference, total int) {
	for _, kind := range kindsOf(a, b) {
		mine, others := headsOf(a, kind), headsOf(b, kind)
		keys := map[string]bool{}
		for key := range mine {
			keys[key] = true
		}
		for key := range others {
			keys[key] = true
		}
		var differ []string
		for key := range keys {
			if x, y := mine[key], others[key]; x == nil || y == nil || x.Revision != y.Revision || !bytes.Equal(x.Data, y.Data) {
				differ = append(differ, key)
			}
		}
		slices.Sort(differ)
		total += len(differ)
		for _, key := range differ {
			if len(out) < limit {
				out = append(out, apart(kind, key, mine[key], others[key]))
			}
		}
	}
	return out, total
}

func apart(kind candor.KindName, key string, a, b *mvcc.Version) ObjectDifference {
	namespace, name := candor.SplitKey(key)
	d := ObjectDifference{Object: candor.Ref{Kind: kind, Namespace: namespace, Name: name}}
	if a != nil {
		d.A = a.Revision
	}
	if b != nil {
		d.B = b.Revision
	}
	if a != nil && b != nil {
		d.Changes = candor.FieldChanges(decoded(a), decoded(b))
	}
	return d
}

func kindsOf(views ...*fsm.View) []candor.KindName {
	var out []candor.KindName
	for _, v := range views {
		for i := uint32(0); v.KindName(i) != ""; i++ {
			if kind := v.KindName(i); !slices.Contains(out, kind) {
				out = append(out, kind)
			}
		}
	}
	slices.SortFunc(out, func(a, b candor.KindName) int { return strings.Compare(string(a), string(b)) })
	return out
}

func headsOf(v *fsm.View, kind candor.KindName) map[string]*mvcc.Version {
	out := map[string]*mvcc.Version{}
	// Of the view's own revision a list is always readable.
	_ = v.List(kind, "", "", 0, func(x *mvcc.Version) bool {
		out[x.Key] = x
		return true
	})
	return out
}

// StateDifference is what a snapshot does not have as the replay has it.
type StateDifference struct {
	Snapshot string             `json:"snapshot"`
	Index    uint64             `json:"index"`
	Same     bool               `json:"same"`
	Objects  []ObjectDifference `json:"objects,omitempty"`
	Total    int                `json:"total"`
}

// Against compares the state that the replay comes to (A) with that of a snapshot (B),
// of any source.
func Against(ctx context.Context, source Source, from string, of Source, snapshot string, limit int) (_ *StateDifference, err error) {
	contents, err := of.Snapshot(ctx, snapshot)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, contents.Close()) }()
	other := fsm.New(fsm.Config{})
	if err := other.Restore(contents); err != nil {
		return nil, err
	}
	index := other.View().Token().Index
	base, err := source.Origin().Base(from)
	if err != nil {
		return nil, err
	}
	p, err := begin(ctx, source, base, nil)
	if err != nil {
		return nil, err
	}
	if err := p.play(ctx, index, nil); err != nil {
		return nil, err
	}
	a, b := p.machine.View(), other.View()
	out := &StateDifference{Snapshot: snapshot, Index: index, Same: a.Digest() == b.Digest()}
	out.Objects, out.Total = objectsApart(a, b, limit)
	return out, nil
}
