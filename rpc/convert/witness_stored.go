package convert

import (
	"bytes"
	"time"
	"unicode/utf8"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/internal/wire"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// EncodedGet is the answer to Get with an object in its stored form, in a form
// that costs little to send: the message holds its encoding as fields that are not
// decoded. Its getters are of no use; WitnessOfGet reads it. A nil witness is left
// out.
func EncodedGet(object []byte, w *candor.Witness) *candorv1.GetResponse {
	const heads = 16
	size := heads + len(object)
	if w != nil {
		size += witnessSize(w)
	}
	b := wire.AppendMessage(make([]byte, 0, size), 1, object)
	if w != nil {
		b = wire.AppendNested(b, 2, func(b []byte) []byte { return appendWitness(b, w) })
	}
	p := new(candorv1.GetResponse)
	p.ProtoReflect().SetUnknown(b)
	return p
}

// GetEncoding is the encoding that a message holds in the place of fields; false
// for one that has fields.
func GetEncoding(p *candorv1.GetResponse) ([]byte, bool) {
	if p.GetObject() != nil || p.GetWitness() != nil {
		return nil, false
	}
	data := p.ProtoReflect().GetUnknown()
	return data, data != nil
}

// mostHeld is the largest message that a witness may hold by its strings: whoever
// keeps a witness keeps little else.
const mostHeld = 2048

// WitnessOfGet is the message's witness, encoded or not; nil for none and for one
// that is damaged.
func WitnessOfGet(p *candorv1.GetResponse) *candor.Witness {
	data, encoded := GetEncoding(p)
	if !encoded {
		return WitnessFromProto(p.GetWitness())
	}
	part, found := partOfGet(data, 2)
	if !found {
		return nil
	}
	if len(data) > mostHeld {
		part = bytes.Clone(part)
	}
	return decodedWitness(part)
}

// ObjectOfGet is the message's object, encoded or not; nil for none and for one
// that is damaged. It takes over the message's bytes.
func ObjectOfGet(p *candorv1.GetResponse) *candor.Object {
	data, encoded := GetEncoding(p)
	if !encoded {
		return ObjectFromProto(p.GetObject())
	}
	part, found := partOfGet(data, 1)
	if !found {
		return nil
	}
	o, err := wire.DecodeObject(part)
	if err != nil {
		return nil
	}
	return o
}

func partOfGet(data []byte, field int) ([]byte, bool) {
	for r := wire.NewReader(data); r.Next(); {
		if r.Field() == field {
			return r.Bytes(), true
		}
	}
	return nil, false
}

// decodedWitness is nil for damage.
func decodedWitness(data []byte) *candor.Witness {
	whole := new(struct {
		candor.Witness
		parts
	})
	if !decodeWitness(&whole.Witness, &whole.parts, data) {
		return nil
	}
	return &whole.Witness
}

// witnessSize bounds the encoding of all usual witnesses.
func witnessSize(w *candor.Witness) int {
	const numbers = 128
	size := numbers + len(w.NodeID) + len(w.NodeName) + len(w.BootID) + len(w.ClusterID) + len(w.HistoryID) + len(w.DegradedReason) + len(w.SyncHealth)
	if l := w.Leader; l != nil {
		size += len(l.ServerID) + len(l.Name) + len(l.Address)
	}
	return size
}

// appendWitness appends candor.v1.Witness.
func appendWitness(b []byte, w *candor.Witness) []byte {
	b = wire.AppendString(b, 1, w.NodeID)
	b = wire.AppendString(b, 2, w.BootID)
	b = wire.AppendToken(b, 3, w.ServedToken)
	if w.CurrentToken != nil {
		b = wire.AppendToken(b, 4, *w.CurrentToken)
	}
	if w.RootLag != nil {
		b = wire.AppendOptional(b, 5, *w.RootLag)
	}
	if w.StalenessBound != nil {
		b = wire.AppendDuration(b, 6, *w.StalenessBound)
	}
	b = wire.AppendInt(b, 7, int64(FreshnessToProto(w.Requested)))
	b = wire.AppendInt(b, 8, int64(FreshnessToProto(w.Served)))
	b = wire.AppendInt(b, 9, int64(ServingClassToProto(w.Class)))
	b = wire.AppendBool(b, 10, w.ServedByLeader)
	b = wire.AppendInt(b, 11, int64(MechanismToProto(w.Mechanism)))
	b = wire.AppendInt(b, 12, int64(CatchUpStateToProto(w.CatchUp)))
	b = wire.AppendInt(b, 13, int64(CatchUpActionToProto(w.CatchUpAction)))
	b = wire.AppendInt(b, 14, int64(DegradedModeToProto(w.Mode)))
	b = wire.AppendString(b, 15, w.DegradedReason)
	b = wire.AppendString(b, 16, w.SyncHealth)
	if l := w.Leader; l != nil {
		b = wire.AppendNested(b, 17, func(b []byte) []byte {
			b = wire.AppendString(b, 1, l.ServerID)
			b = wire.AppendString(b, 2, l.Name)
			b = wire.AppendString(b, 3, l.Address)
			return wire.AppendUint(b, 4, l.Term)
		})
	}
	b = wire.AppendInt(b, 18, w.ClusterTime)
	b = wire.AppendTime(b, 19, w.ViewUpdatedAt)
	b = wire.AppendUint(b, 20, w.Era)
	b = wire.AppendString(b, 21, w.NodeName)
	b = wire.AppendString(b, 22, w.ClusterID)
	b = wire.AppendString(b, 23, w.HistoryID)
	return wire.AppendUint(b, 24, w.PolicyRevision)
}

// parts are what a witness points to.
type parts struct {
	current candor.Token
	lag     uint64
	bound   time.Duration
	leader  candor.LeaderHint
}

// decodeWitness reads candor.v1.Witness into an empty w, whose strings alias
// data. It is false for damage.
func decodeWitness(w *candor.Witness, room *parts, data []byte) bool {
	r := wire.NewReader(data)
	for r.Next() {
		switch r.Field() {
		case 1:
			w.NodeID = readText(&r)
		case 2:
			w.BootID = readText(&r)
		case 3:
			w.ServedToken = wire.ReadToken(&r)
		case 4:
			room.current, w.CurrentToken = wire.ReadToken(&r), &room.current
		case 5:
			room.lag, w.RootLag = r.Uint(), &room.lag
		case 6:
			room.bound, w.StalenessBound = wire.ReadDuration(&r), &room.bound
		case 7:
			w.Requested = FreshnessFromProto(candorv1.Freshness(r.Int()))
		case 8:
			w.Served = FreshnessFromProto(candorv1.Freshness(r.Int()))
		case 9:
			w.Class = ServingClassFromProto(candorv1.ServingClass(r.Int()))
		case 10:
			w.ServedByLeader = r.Bool()
		case 11:
			w.Mechanism = MechanismFromProto(candorv1.Mechanism(r.Int()))
		case 12:
			w.CatchUp = CatchUpStateFromProto(candorv1.CatchUpState(r.Int()))
		case 13:
			w.CatchUpAction = CatchUpActionFromProto(candorv1.CatchUpAction(r.Int()))
		case 14:
			w.Mode = DegradedModeFromProto(candorv1.DegradedMode(r.Int()))
		case 15:
			w.DegradedReason = readText(&r)
		case 16:
			w.SyncHealth = readText(&r)
		case 17:
			readLeader(&room.leader, &r)
			w.Leader = &room.leader
		case 18:
			w.ClusterTime = r.Int()
		case 19:
			w.ViewUpdatedAt = wire.ReadTime(&r)
		case 20:
			w.Era = r.Uint()
		case 21:
			w.NodeName = readText(&r)
		case 22:
			w.ClusterID = readText(&r)
		case 23:
			w.HistoryID = readText(&r)
		case 24:
			w.PolicyRevision = r.Uint()
		}
	}
	return r.Err() == nil
}

func readLeader(l *candor.LeaderHint, outer *wire.Reader) {
	r := wire.NewReader(outer.Bytes())
	for r.Next() {
		switch r.Field() {
		case 1:
			l.ServerID = readText(&r)
		case 2:
			l.Name = readText(&r)
		case 3:
			l.Address = readText(&r)
		case 4:
			l.Term = r.Uint()
		}
	}
	if r.Err() != nil {
		outer.Fail()
	}
}

func readText(r *wire.Reader) string {
	s := r.String()
	if !utf8.ValidString(s) {
		r.Fail()
	}
	return s
}
