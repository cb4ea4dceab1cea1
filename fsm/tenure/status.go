package tenure

import (
	"encoding/hex"
	"strconv"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/literal"
)

// AppendStatus appends the status of the duty's object: JSON, the same bytes for
// the same lineage. It leaves out what changes without a version, which are the
// bound and the end of an active era. Frontiers and times are decimal strings: they
// use all 64 bits, and many readers of JSON round such numbers.
func (l Lineage) AppendStatus(b []byte) []byte {
	b = append(b, `{"duty":"`...)
	b = append(b, l.Duty.Name...)
	b = append(b, `","mandate":"`...)
	b = append(b, l.Duty.Mandate...)
	b = append(b, '"')
	if l.Current.Number != 0 {
		b = appendMembers(append(b, ','), &l.Current)
	}
	if len(l.Unfinished) > 0 {
		b = append(b, `,"unfinished":[`...)
		for i := range l.Unfinished {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendMembers(append(b, '{'), &l.Unfinished[i]), '}')
		}
		b = append(b, ']')
	}
	if l.Finished.Number != 0 {
		b = append(b, `,"finished":{`...)
		b = append(appendMembers(b, &l.Finished), '}')
	}
	return append(b, '}')
}

// appendMembers appends the members of an era; none of its texts needs an escape.
func appendMembers(b []byte, x *Era) []byte {
	text := func(name, value string) {
		if value != "" {
			b = append(b, `,"`...)
			b = append(b, name...)
			b = append(b, `":"`...)
			b = append(b, value...)
			b = append(b, '"')
		}
	}
	frontiers := func(name string, f Frontiers) {
		b = append(b, `,"`...)
		b = append(b, name...)
		b = append(b, `":{"id":"`...)
		b = strconv.AppendUint(b, f.ID, 10)
		b = append(b, `","timestamp":"`...)
		b = strconv.AppendUint(b, f.Timestamp, 10)
		b = append(b, `","transition":"`...)
		b = strconv.AppendUint(b, f.Transition, 10)
		b = append(b, `"}`...)
	}
	b = append(b, `"era":`...)
	b = strconv.AppendUint(b, x.Number, 10)
	text("holder", x.Holder)
	text("state", string(x.State))
	text("grantedAt", strconv.FormatInt(x.GrantedAt, 10))
	text("duration", strconv.FormatInt(x.Duration, 10))
	frontiers("start", x.Start)
	if x.Predecessor != 0 {
		b = append(b, `,"predecessor":`...)
		b = strconv.AppendUint(b, x.Predecessor, 10)
		text("lineage", x.Lineage.String())
	}
	if x.State == StateActive {
		return b
	}
	frontiers("usage", x.Usage)
	frontiers("bound", x.Bound)
	text("seal", x.Seal.String())
	text("sealing", string(x.Sealing))
	text("sealedBy", x.SealedBy)
	text("sealedAt", strconv.FormatInt(x.SealedAt, 10))
	if x.Successor != "" {
		text("successor", x.Successor)
		text("successorUntil", strconv.FormatInt(x.SuccessorUntil, 10))
	}
	return b
}

// ReadStatus reads what AppendStatus wrote, for an audit. Of an active era, the
// bound and what a renewal sets are not in it; of none, the candidacy is. The error
// has reason DATA_CORRUPT.
func ReadStatus(status []byte) (Lineage, *candor.Error) {
	r := reading{}
	duty, err := DutyOf(r.text(status, "duty"))
	if err != nil {
		return Lineage{}, damaged("names no duty")
	}
	l := New(duty)
	if literal.Member(status, "era") != nil {
		l.Current = r.era(status, duty)
	}
	if list := literal.Member(status, "unfinished"); list != nil {
		elements, ok := literal.Elements(list)
		r.bad = r.bad || !ok
		for _, element := range elements {
			l.Unfinished = append(l.Unfinished, r.era(element, duty))
		}
	}
	if finished := literal.Member(status, "finished"); finished != nil {
		l.Finished = r.era(finished, duty)
	}
	if r.bad {
		return Lineage{}, damaged("cannot be read: field %q", r.field)
	}
	return l, nil
}

// reading notes the first field that cannot be read.
type reading struct {
	bad   bool
	field string
}

func (r *reading) era(object []byte, duty Duty) Era {
	x := Era{
		Number: r.number(literal.Member(object, "era"), "era"), Holder: r.text(object, "holder"), State: State(r.text(object, "state")),
		Mandate: duty.Mandate, GrantedAt: r.time(object, "grantedAt"), Duration: r.time(object, "duration"), Start: r.frontiers(object, "start"),
	}
	if predecessor := literal.Member(object, "predecessor"); predecessor != nil {
		x.Predecessor, x.Lineage = r.number(predecessor, "predecessor"), r.digest(object, "lineage")
	}
	if x.State == StateActive {
		return x
	}
	x.Usage, x.Bound = r.frontiers(object, "usage"), r.frontiers(object, "bound")
	x.Seal, x.Sealing = r.digest(object, "seal"), Sealing(r.text(object, "sealing"))
	x.SealedBy, x.SealedAt = r.text(object, "sealedBy"), r.time(object, "sealedAt")
	if literal.Member(object, "successor") != nil {
		x.Successor, x.SuccessorUntil = r.text(object, "successor"), r.time(object, "successorUntil")
	}
	return x
}

func (r *reading) fail(field string) {
	if !r.bad {
		r.bad, r.field = true, field
	}
}

func (r *reading) text(object []byte, field string) string {
	s, ok := literal.Text(literal.Member(object, field))
	if !ok {
		r.fail(field)
	}
	return s
}

func (r *reading) number(token []byte, field string) uint64 {
	n, err := strconv.ParseUint(string(token), 10, 64)
	if err != nil {
		r.fail(field)
	}
	return n
}

func (r *reading) time(object []byte, field string) int64 {
	n, err := strconv.ParseInt(r.text(object, field), 10, 64)
	if err != nil {
		r.fail(field)
	}
	return n
}

func (r *reading) frontiers(object []byte, field string) Frontiers {
	member := literal.Member(object, field)
	part := func(name string) uint64 { return r.number([]byte(r.text(member, name)), field+"."+name) }
	return Frontiers{ID: part("id"), Timestamp: part("timestamp"), Transition: part("transition")}
}

func (r *reading) digest(object []byte, field string) Digest {
	p, err := hex.DecodeString(r.text(object, field))
	if err != nil || len(p) != len(Digest{}) {
		r.fail(field)
		return Digest{}
	}
	return Digest(p)
}
