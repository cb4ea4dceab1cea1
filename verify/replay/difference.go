package replay

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
)

// Difference is the first entry after which two sources tell of other states.
type Difference struct {
	// First and Last are the entries that both know the state after.
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
	// Compared counts states that were compared.
	Compared int  `json:"compared"`
	Same     bool `json:"same"`
	// Index is the first entry after which they differ.
	Index uint64 `json:"index,omitempty"`
	// SameEntry says that both have the same entry there: then one state is not what the
	// log makes of it, or was another before.
	SameEntry bool  `json:"sameEntry,omitempty"`
	A         *Side `json:"a,omitempty"`
	B         *Side `json:"b,omitempty"`
	// Objects are those that the replayed states at Index do not have alike.
	Objects []ObjectDifference `json:"objects,omitempty"`
	// Total is how many there are.
	Total int      `json:"total,omitempty"`
	Notes []string `json:"notes,omitempty"`
}

// Side is what one source says of the entry.
type Side struct {
	Source string `json:"source"`
	Term   uint64 `json:"term"`
	// Digest is what the source's node published, where it did: By names it. Otherwise
	// it is the replay's.
	Digest   Digest `json:"digest"`
	By       string `json:"by,omitempty"`
	Replayed Digest `json:"replayed"`
	Turns    []Turn `json:"turns,omitempty"`
}

// mostObjects bounds how many objects a difference names.
const mostObjects = 20

// word is what a source says of the state after one entry.
type word struct {
	index     uint64
	replayed  Digest
	published Digest
	by        string
}

func (w *word) digest() Digest {
	if w.by != "" {
		return w.published
	}
	return w.replayed
}

// Compare finds the first entry after which two sources tell of other states, up to an
// index, 0 for all that both have. What a node published counts before what its log
// comes to.
func Compare(ctx context.Context, a, b Source, to uint64) (*Difference, error) {
	mine, err := words(ctx, a, to)
	if err != nil {
		return nil, err
	}
	others, err := words(ctx, b, to)
	if err != nil {
		return nil, err
	}
	d := &Difference{Same: true}
	for i, j := 0, 0; i < len(mine) && j < len(others); {
		x, y := &mine[i], &others[j]
		if x.index != y.index {
			if x.index < y.index {
				i++
			} else {
				j++
			}
			continue
		}
		if d.Compared++; d.First == 0 {
			d.First = x.index
		}
		d.Last = x.index
		if x.digest() != y.digest() {
			return d, d.describe(ctx, a, b, x, y)
		}
		i, j = i+1, j+1
	}
	if d.Compared == 0 {
		return nil, candor.Errorf(candor.ReasonReplayUnavailable, "%s and %s know no state after the same entry", a.Origin().Name, b.Origin().Name)
	}
	return d, nil
}

// words replays a source from its oldest base.
func words(ctx context.Context, source Source, to uint64) ([]word, error) {
	origin := source.Origin()
	base, err := origin.Base("")
	if err != nil {
		return nil, err
	}
	last := max(origin.Last, base.Index)
	if origin.Committed != 0 {
		last = max(min(last, origin.Committed), base.Index)
	}
	if to != 0 {
		last = min(last, to)
	}
	published := map[uint64]Point{}
	for _, p := range origin.Points {
		published[p.Index] = p
	}
	var out []word
	p, err := begin(ctx, source, base, func(index uint64, d Digest) error {
		w := word{index: index, replayed: d}
		if point, ok := published[index]; ok {
			w.published, w.by = point.Digest, point.By
		}
		out = append(out, w)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, p.play(ctx, last, nil)
}

// describe looks closer at the first difference.
func (d *Difference) describe(ctx context.Context, a, b Source, x, y *word) error {
	d.Same, d.Index = false, x.index
	mine, entry, err := sideOf(ctx, a, x)
	if err != nil {
		return err
	}
	others, another, err := sideOf(ctx, b, y)
	if err != nil {
		return err
	}
	d.A, d.B = mine.side, others.side
	d.Objects, d.Total = objectsApart(mine.view, others.view, mostObjects)
	d.SameEntry = entry != nil && another != nil && sameEntry(entry, another)
	switch {
	case entry == nil || another == nil:
		d.Notes = append(d.Notes, "this is the oldest state that one of them has: the difference may be older")
	case entry.Term != another.Term:
		d.Notes = append(d.Notes, fmt.Sprintf("the entries are of different terms, %d and %d: at most one of them was committed", entry.Term, another.Term))
	case d.Index == d.First:
		d.Notes = append(d.Notes, "this is the oldest state that both have: the difference may be older")
	}
	if x.replayed == y.replayed {
		d.Notes = append(d.Notes, "the replays of both logs agree: a node's state is not what its log makes of it")
	}
	return nil
}

type closer struct {
	side *Side
	view *fsm.View
}

// sideOf replays a source up to an entry and tells of it; the entry is nil where the
// state is the base's.
func sideOf(ctx context.Context, source Source, w *word) (closer, *Entry, error) {
	side := &Side{Source: source.Origin().Name, Digest: w.digest(), By: w.by, Replayed: w.replayed}
	base, err := source.Origin().Base("")
	if err != nil {
		return closer{}, nil, err
	}
	p, err := begin(ctx, source, base, nil)
	if err != nil {
		return closer{}, nil, err
	}
	if w.index <= p.at {
		side.Term = p.machine.View().Token().Term
		return closer{side, p.machine.View()}, nil, nil
	}
	if err := p.play(ctx, w.index-1, nil); err != nil {
		return closer{}, nil, err
	}
	var found *Entry
	err = p.play(ctx, w.index, func(e *Entry, result fsm.EntryResult) error {
		own := *e
		found, side.Term = &own, e.Term
		side.Turns = turnsOf(e, result, p.machine.View())
		return nil
	})
	return closer{side, p.machine.View()}, found, err
}

func sameEntry(a, b *Entry) bool {
	return a.Term == b.Term && a.Type == b.Type && bytes.Equal(a.Data, b.Data) && slices.Equal(a.Members, b.Members)
}
