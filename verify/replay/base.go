package replay

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/candor-plane/candor"
)

// Base is where a replay begins: at a snapshot, or at the log's beginning.
type Base struct {
	// Snapshot is its ID; empty for the beginning.
	Snapshot string `json:"snapshot,omitempty"`
	Index    uint64 `json:"index"`
}

// String is the base for people.
func (b Base) String() string {
	if b.Snapshot == "" {
		return "the log's beginning"
	}
	return "snapshot " + b.Snapshot
}

// Bases are where a replay of the source may begin, oldest first: what the log continues
// without a gap.
func (o Origin) Bases() []Base {
	var out []Base
	if o.First == 1 {
		out = append(out, Base{})
	}
	for _, s := range o.Snapshots {
		if o.Last == 0 || o.First <= s.Index+1 && s.Index <= o.Last {
			out = append(out, Base{Snapshot: s.ID, Index: s.Index})
		}
	}
	slices.SortStableFunc(out, func(a, b Base) int { return cmp.Compare(a.Index, b.Index) })
	return out
}

// Base finds one: by the ID of a snapshot or a prefix of it, by the index of one, the
// beginning by "log" or 0, and for "" the oldest.
func (o Origin) Base(which string) (Base, error) {
	bases := o.Bases()
	if len(bases) == 0 {
		return Base{}, candor.Errorf(candor.ReasonReplayUnavailable, "%s: %s", o.Name, o.unplayable())
	}
	if which == "" {
		return bases[0], nil
	}
	index, err := strconv.ParseUint(which, 10, 64)
	numbered := err == nil
	for _, b := range bases {
		switch {
		case b.Snapshot == "" && (which == "log" || numbered && index == 0),
			b.Snapshot != "" && (b.Snapshot == which || numbered && b.Index == index):
			return b, nil
		}
	}
	for _, b := range bases {
		if b.Snapshot != "" && strings.HasPrefix(b.Snapshot, which) {
			return b, nil
		}
	}
	var there []string
	for _, b := range bases {
		there = append(there, b.String()+" (index "+strconv.FormatUint(b.Index, 10)+")")
	}
	return Base{}, candor.Errorf(candor.ReasonNotFound, "%s: a replay cannot begin at %s; it can at %s", o.Name, which, strings.Join(there, ", "))
}

func (o Origin) unplayable() string {
	switch {
	case o.Last == 0 && len(o.Snapshots) == 0:
		return "it holds neither a log nor a snapshot"
	case len(o.Snapshots) == 0:
		return "its log begins at " + strconv.FormatUint(o.First, 10) + ", and there is no snapshot of what was before"
	default:
		return "its log begins at " + strconv.FormatUint(o.First, 10) + ", and the newest snapshot is of " + strconv.FormatUint(o.Snapshots[0].Index, 10) + ": what is between is not there"
	}
}
