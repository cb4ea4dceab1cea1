package fsm

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/internal/wire"
)

// Result is what one turn did.
type Result struct {
	// Reason is empty when the command was accepted.
	Reason  candor.Reason
	Message string
	Subject string
	Fields  []candor.FieldViolation
	// Revision is the one the refusal was decided at: for a CONFLICT the
	// object's own.
	Revision uint64

	// Token is the root's position after the turn.
	Token candor.Token
	// Changed says that the turn made a revision. Replayed says that this is
	// the remembered outcome of an earlier turn.
	Changed, Replayed bool
	// Succeeded says that every compare of the transaction held.
	Succeeded bool
	// Ops has one result per operation of the branch that ran. A replayed
	// result has one per version that the turn made.
	Ops []OpResult
	// Items has one result per placement or beat of the command, in order.
	Items []ItemResult
	// Verdict is what became of a transition's event, refused or not, and what would of
	// one that was assessed; nil for other commands. The result's own transition is
	// Verdict.Standing, and an assessment is of Revision.
	Verdict *transition.Verdict
}

// OpResult is what one operation did.
type OpResult struct {
	// Version is the object's after the operation; nil for a get that found
	// none and for versions compacted before a replay.
	Version *mvcc.Version
	Changed bool
}

// ItemResult is what became of one item of a command that judges each by itself.
type ItemResult struct {
	// Reason is empty when the item was accepted; otherwise Message says it for people.
	Reason  candor.Reason
	Message string
	// Revision is the one that the item was judged by: of a refusal for a version that
	// is not the expected one, the version that there is.
	Revision uint64
}

// Err is nil for an accepted result, otherwise its *Error.
func (r *Result) Err() error {
	if r.Reason == "" {
		return nil
	}
	return &candor.Error{Reason: r.Reason, Message: r.Message, Subject: r.Subject, Fields: r.Fields, Revision: r.Revision}
}

// AppendResult appends the form in which a leader answers a forwarding
// follower: versions go as (kind, key, revision) and are found there in the
// follower's own view.
func AppendResult(b []byte, r *Result, v *View) []byte {
	b = wire.AppendString(b, 1, string(r.Reason))
	b = wire.AppendString(b, 2, r.Message)
	b = wire.AppendString(b, 3, r.Subject)
	b = wire.AppendUint(b, 4, r.Revision)
	b = wire.AppendToken(b, 5, r.Token)
	b = wire.AppendBool(b, 6, r.Changed)
	b = wire.AppendBool(b, 7, r.Replayed)
	b = wire.AppendBool(b, 8, r.Succeeded)
	for i := range r.Ops {
		op := &r.Ops[i]
		b = wire.AppendNested(b, 9, func(b []byte) []byte {
			b = wire.AppendBool(b, 1, op.Changed)
			if op.Version == nil {
				return b
			}
			b = wire.AppendString(b, 2, string(v.KindName(op.Version.Kind)))
			b = wire.AppendString(b, 3, op.Version.Key)
			return wire.AppendUint(b, 4, op.Version.Revision)
		})
	}
	if v := r.Verdict; v != nil {
		b = wire.AppendNested(b, 11, func(b []byte) []byte { return appendVerdict(b, v) })
	}
	for i := range r.Items {
		b = wire.AppendNested(b, 12, func(b []byte) []byte { return appendItem(b, &r.Items[i]) })
	}
	for _, f := range r.Fields {
		b = wire.AppendNested(b, 10, func(b []byte) []byte {
			return wire.AppendString(wire.AppendString(b, 1, f.Path), 2, f.Message)
		})
	}
	return b
}

// DecodeResult reads what AppendResult wrote, on a view that has applied the
// result's token.
func DecodeResult(data []byte, v *View) (Result, error) {
	var out Result
	r := wire.NewReader(data)
	for r.Next() {
		switch r.Field() {
		case 1:
			out.Reason = candor.Reason(r.String())
		case 2:
			out.Message = r.String()
		case 3:
			out.Subject = r.String()
		case 4:
			out.Revision = r.Uint()
		case 5:
			out.Token = wire.ReadToken(&r)
		case 6:
			out.Changed = r.Bool()
		case 7:
			out.Replayed = r.Bool()
		case 8:
			out.Succeeded = r.Bool()
		case 9:
			out.Ops = append(out.Ops, decodeOp(&r, v))
		case 10:
			out.Fields = append(out.Fields, decodeField(&r))
		case 11:
			out.Verdict = decodeVerdict(&r)
		case 12:
			out.Items = append(out.Items, decodeItem(&r))
		}
	}
	return out, r.Err()
}

func decodeOp(outer *wire.Reader, v *View) OpResult {
	var op OpResult
	var kind candor.KindName
	var key string
	var revision uint64
	r := wire.NewReader(outer.Bytes())
	for r.Next() {
		switch r.Field() {
		case 1:
			op.Changed = r.Bool()
		case 2:
			kind = candor.KindName(r.String())
		case 3:
			key = r.String()
		case 4:
			revision = r.Uint()
		}
	}
	if r.Err() != nil {
		outer.Fail()
	}
	if key != "" {
		op.Version = v.version(kind, key, revision)
	}
	return op
}

func appendVerdict(b []byte, v *transition.Verdict) []byte {
	b = wire.AppendString(b, 1, string(v.Action))
	b = wire.AppendString(b, 2, string(v.Phase))
	b = wire.AppendString(b, 3, string(v.Situation))
	b = wire.AppendString(b, 4, v.Standing)
	return wire.AppendString(b, 5, v.Why)
}

func decodeVerdict(outer *wire.Reader) *transition.Verdict {
	v := new(transition.Verdict)
	r := wire.NewReader(outer.Bytes())
	for r.Next() {
		switch r.Field() {
		case 1:
			v.Action = transition.Action(r.String())
		case 2:
			v.Phase = transition.Phase(r.String())
		case 3:
			v.Situation = transition.Situation(r.String())
		case 4:
			v.Standing = r.String()
		case 5:
			v.Why = r.String()
		}
	}
	if r.Err() != nil {
		outer.Fail()
	}
	return v
}

func appendItem(b []byte, i *ItemResult) []byte {
	b = wire.AppendString(b, 1, string(i.Reason))
	b = wire.AppendString(b, 2, i.Message)
	return wire.AppendUint(b, 3, i.Revision)
}

func decodeItem(outer *wire.Reader) ItemResult {
	var i ItemResult
	r := wire.NewReader(outer.Bytes())
	for r.Next() {
		switch r.Field() {
		case 1:
			i.Reason = candor.Reason(r.String())
		case 2:
			i.Message = r.String()
		case 3:
			i.Revision = r.Uint()
		}
	}
	if r.Err() != nil {
		outer.Fail()
	}
	return i
}

func decodeField(outer *wire.Reader) candor.FieldViolation {
	var f candor.FieldViolation
	r := wire.NewReader(outer.Bytes())
	for r.Next() {
		switch r.Field() {
		case 1:
			f.Path = r.String()
		case 2:
			f.Message = r.String()
		}
	}
	return f
}

// ResultToken reads the token of an encoded result alone: what a follower must
// have applied before it decodes the rest.
func ResultToken(data []byte) (candor.Token, error) {
	var t candor.Token
	r := wire.NewReader(data)
	for r.Next() {
		if r.Field() == 5 {
			t = wire.ReadToken(&r)
		}
	}
	return t, r.Err()
}
