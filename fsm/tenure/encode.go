package tenure

import (
	"slices"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/internal/wire"
)

// formVersion is of the stored form; another is refused.
const formVersion = 1

// Append appends the stored form of a lineage, for a snapshot, and for the digest
// of the side table: equal lineages have equal bytes and others do not. Whoever
// stores it adds a checksum.
func (l Lineage) Append(b []byte) []byte {
	b = wire.AppendUint(b, 1, formVersion)
	b = wire.AppendUint(b, 2, uint64(l.count()))
	b = wire.AppendString(b, 3, l.Duty.Name)
	era := func(field int, x *Era) {
		b = wire.AppendNested(b, field, func(b []byte) []byte { return appendEra(b, x) })
	}
	if l.Finished.Number != 0 {
		era(4, &l.Finished)
	}
	for i := range l.Unfinished {
		era(5, &l.Unfinished[i])
	}
	if l.Current.Number != 0 {
		era(6, &l.Current)
	}
	return b
}

// Decode reads the stored form, and that alone: what it accepts, Append writes the
// same, and the guarantees hold in it. It keeps no part of data. The error has
// reason DATA_CORRUPT.
func Decode(data []byte) (Lineage, *candor.Error) {
	l, ok := decodeLineage(data)
	if !ok || string(l.Append(nil)) != string(data) {
		return Lineage{}, damaged("is not in its stored form, version %d", formVersion)
	}
	v := Check(l, l)
	if v == nil {
		v = Audit([]Lineage{l})
	}
	if v != nil {
		return Lineage{}, damaged("breaks %s", v)
	}
	return l, nil
}

func damaged(format string, args ...any) *candor.Error {
	return candor.Errorf(candor.ReasonDataCorrupt, "stored lineage of a duty "+format, args...)
}

func decodeLineage(data []byte) (Lineage, bool) {
	var l Lineage
	version := uint64(0)
	ok := true
	r := wire.NewReader(data)
	for r.Next() {
		var x Era
		switch r.Field() {
		case 1:
			version = r.Uint()
		case 3:
			duty, err := DutyOf(strings.Clone(r.String()))
			l.Duty, ok = duty, ok && err == nil
		case 4:
			ok = decodeEra(r.Bytes(), &l.Finished) && ok
		case 5:
			ok = decodeEra(r.Bytes(), &x) && ok
			l.Unfinished = append(l.Unfinished, x)
		case 6:
			ok = decodeEra(r.Bytes(), &l.Current) && ok
		}
	}
	return l, ok && r.Err() == nil && version == formVersion && len(l.Unfinished) <= MaxUnfinished && l.wellFormed()
}

// wellFormed says that every era is one that an event could have made, as far as
// the era alone shows it.
func (l Lineage) wellFormed() bool {
	if l.Current.Number == 0 {
		return len(l.Unfinished) == 0 && l.Finished.Number == 0 && l.Duty.Name != ""
	}
	for _, x := range l.Eras() {
		sealed := x.State != StateActive
		switch {
		case x.Number == 0 || x.Predecessor != x.Number-1 || x.State.order() == 0,
			x.Mandate != l.Duty.Mandate,
			l.Duty.MayHold(x.Holder) != nil || checkCandidacy(x.Candidacy) != nil,
			x.Duration < MinDuration || x.Duration > MaxDuration,
			sealed == x.Seal.IsZero(),
			sealed && x.Sealing != SealingBound && x.Sealing != SealingExact,
			!sealed && (x.Sealing != "" || x.SealedBy != "" || x.SealedAt != 0 || x.Usage != Frontiers{}),
			(x.Successor == "") != (x.SuccessorUntil == 0),
			x.Successor != "" && (x.Sealing != SealingExact || l.Duty.MayHold(x.Successor) != nil):
			return false
		}
	}
	return slices.Contains([]State{StateActive, StateSealed, StateClosed}, l.Current.State)
}

func appendEra(b []byte, x *Era) []byte {
	b = wire.AppendUint(b, 1, x.Number)
	b = wire.AppendString(b, 2, x.Holder)
	b = wire.AppendString(b, 3, x.Candidacy)
	b = wire.AppendString(b, 4, string(x.Mandate))
	b = wire.AppendString(b, 5, string(x.State))
	b = wire.AppendInt(b, 6, x.GrantedAt)
	b = wire.AppendInt(b, 7, x.Duration)
	b = wire.AppendInt(b, 8, x.RenewedUntil)
	b = wire.AppendUint(b, 9, x.RenewedTerm)
	b = appendFrontiers(b, 10, x.Start)
	b = appendFrontiers(b, 11, x.Bound)
	b = appendFrontiers(b, 12, x.Usage)
	b = wire.AppendUint(b, 13, x.Predecessor)
	b = appendDigest(b, 14, x.Lineage)
	b = appendDigest(b, 15, x.Seal)
	b = wire.AppendString(b, 16, x.SealedBy)
	b = wire.AppendString(b, 17, string(x.Sealing))
	b = wire.AppendInt(b, 18, x.SealedAt)
	b = wire.AppendString(b, 19, x.Successor)
	return wire.AppendInt(b, 20, x.SuccessorUntil)
}

func decodeEra(data []byte, x *Era) bool {
	r := wire.NewReader(data)
	for r.Next() {
		switch r.Field() {
		case 1:
			x.Number = r.Uint()
		case 2:
			x.Holder = strings.Clone(r.String())
		case 3:
			x.Candidacy = strings.Clone(r.String())
		case 4:
			x.Mandate = Mandate(strings.Clone(r.String()))
		case 5:
			x.State = State(strings.Clone(r.String()))
		case 6:
			x.GrantedAt = r.Int()
		case 7:
			x.Duration = r.Int()
		case 8:
			x.RenewedUntil = r.Int()
		case 9:
			x.RenewedTerm = r.Uint()
		case 10:
			x.Start = readFrontiers(&r)
		case 11:
			x.Bound = readFrontiers(&r)
		case 12:
			x.Usage = readFrontiers(&r)
		case 13:
			x.Predecessor = r.Uint()
		case 14:
			x.Lineage = readDigest(&r)
		case 15:
			x.Seal = readDigest(&r)
		case 16:
			x.SealedBy = strings.Clone(r.String())
		case 17:
			x.Sealing = Sealing(strings.Clone(r.String()))
		case 18:
			x.SealedAt = r.Int()
		case 19:
			x.Successor = strings.Clone(r.String())
		case 20:
			x.SuccessorUntil = r.Int()
		}
	}
	return r.Err() == nil
}

func appendFrontiers(b []byte, field int, f Frontiers) []byte {
	if f == (Frontiers{}) {
		return b
	}
	return wire.AppendNested(b, field, func(b []byte) []byte {
		b = wire.AppendUint(b, 1, f.ID)
		b = wire.AppendUint(b, 2, f.Timestamp)
		return wire.AppendUint(b, 3, f.Transition)
	})
}

func readFrontiers(outer *wire.Reader) Frontiers {
	var f Frontiers
	r := wire.NewReader(outer.Bytes())
	for r.Next() {
		switch r.Field() {
		case 1:
			f.ID = r.Uint()
		case 2:
			f.Timestamp = r.Uint()
		case 3:
			f.Transition = r.Uint()
		}
	}
	if r.Err() != nil {
		outer.Fail()
	}
	return f
}

func appendDigest(b []byte, field int, d Digest) []byte {
	if d.IsZero() {
		return b
	}
	return wire.AppendBytes(b, field, d[:])
}

func readDigest(outer *wire.Reader) Digest {
	p := outer.Bytes()
	if len(p) != len(Digest{}) {
		outer.Fail()
		return Digest{}
	}
	return Digest(p)
}
