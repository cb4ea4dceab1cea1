package evidence

import (
	"io"

	"github.com/candor-plane/candor/verify/determinism"
	"github.com/candor-plane/candor/verify/durability"
	"github.com/candor-plane/candor/verify/history"
	"github.com/candor-plane/candor/verify/lineage"
	"github.com/candor-plane/candor/verify/placements"
	"github.com/candor-plane/candor/verify/watches"
)

// The kinds of records, as lines name them in their first field.
const (
	recordWatch    = "watch"
	recordBatch    = "batch"
	recordEnd      = "watch-end"
	recordFloor    = "floor"
	recordNumber   = "number"
	recordBelief   = "belief"
	recordAct      = "act"
	recordVersions = "versions"
	recordFinal    = "final"
	recordRepeat   = "repeat"
	recordClaim    = "claim"
	recordDecision = "decision"
	recordDigest   = "digest"
	recordReplay   = "replay"
	recordTurns    = "turns"
)

// The lines: the kind first, then the record's own fields.
type (
	watchLine struct {
		Record string `json:"record"`
		watches.Start
	}
	batchLine struct {
		Record string `json:"record"`
		watches.Batch
	}
	endLine struct {
		Record string `json:"record"`
		watches.End
	}
	floorLine struct {
		Record string `json:"record"`
		watches.Floor
	}
	numberLine struct {
		Record string `json:"record"`
		Number
	}
	beliefLine struct {
		Record string `json:"record"`
		lineage.Belief
	}
	actLine struct {
		Record string `json:"record"`
		lineage.Act
	}
	versionsLine struct {
		Record string `json:"record"`
		history.Versions
	}
	finalLine struct {
		Record string `json:"record"`
		durability.Final
	}
	repeatLine struct {
		Record string `json:"record"`
		durability.Repeat
	}
	claimLine struct {
		Record string `json:"record"`
		placements.Claim
	}
	decisionLine struct {
		Record string `json:"record"`
		placements.Decision
	}
	digestLine struct {
		Record string `json:"record"`
		determinism.Digest
	}
	replayLine struct {
		Record string `json:"record"`
		determinism.Replay
	}
	turnsLine struct {
		Record string `json:"record"`
		determinism.Turns
	}
)

// Write writes the evidence as one file (DESIGN.md): operations first, in the order of
// their invocation.
func Write(w io.Writer, e *Evidence) error {
	return history.WriteWith(w, e.History, e.Source, e.lines)
}

func (e *Evidence) lines(yield func(any) bool) {
	_ = e.watchLines(yield) &&
		each(e.Floors, yield, func(x watches.Floor) any { return floorLine{recordFloor, x} }) &&
		each(e.Numbers, yield, func(x Number) any { return numberLine{recordNumber, x} }) &&
		each(e.Beliefs, yield, func(x lineage.Belief) any { return beliefLine{recordBelief, x} }) &&
		each(e.Acts, yield, func(x lineage.Act) any { return actLine{recordAct, x} }) &&
		each(e.Versions, yield, func(x history.Versions) any { return versionsLine{recordVersions, x} }) &&
		each(e.Finals, yield, func(x durability.Final) any { return finalLine{recordFinal, x} }) &&
		each(e.Repeats, yield, func(x durability.Repeat) any { return repeatLine{recordRepeat, x} }) &&
		each(e.Claims, yield, func(x placements.Claim) any { return claimLine{recordClaim, x} }) &&
		each(e.Decisions, yield, func(x placements.Decision) any { return decisionLine{recordDecision, x} }) &&
		each(e.Digests, yield, func(x determinism.Digest) any { return digestLine{recordDigest, x} }) &&
		each(e.Replays, yield, func(x determinism.Replay) any { return replayLine{recordReplay, x} }) &&
		each(e.Turns, yield, func(x determinism.Turns) any { return turnsLine{recordTurns, x} })
}

// watchLines are those of each watch together: its start, what it delivered, its end.
func (e *Evidence) watchLines(yield func(any) bool) bool {
	for i := range e.Watches {
		w := &e.Watches[i]
		if !yield(watchLine{recordWatch, w.Start}) ||
			!each(w.Batches, yield, func(x watches.Batch) any { return batchLine{recordBatch, x} }) ||
			w.End != nil && !yield(endLine{recordEnd, *w.End}) {
			return false
		}
	}
	return true
}

func each[T any](records []T, yield func(any) bool, line func(T) any) bool {
	for _, x := range records {
		if !yield(line(x)) {
			return false
		}
	}
	return true
}
