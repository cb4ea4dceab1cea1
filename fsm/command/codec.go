package command

import (
	"encoding/json"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/policy"
	"github.com/candor-plane/candor/internal/wire"
)

// Field numbers of an encoded command.
const (
	fieldType       = 1
	fieldActor      = 2
	fieldRequestID  = 3
	fieldNotAfter   = 4
	fieldDigest     = 5
	fieldDuty       = 6
	fieldEra        = 7
	fieldReadToken  = 8
	fieldReason     = 9
	fieldMessage    = 10
	fieldBecause    = 11
	fieldCompare    = 12
	fieldThen       = 13
	fieldElse       = 14
	fieldTerm       = 15
	fieldServerID   = 16
	fieldServerName = 17
	fieldLevel      = 18
	fieldRevision   = 19
	fieldCascadeID  = 20
	fieldAPIAddress = 21
	fieldVerified   = 22
	fieldAccessor   = 23
	fieldAsk        = 24
	fieldEpoch      = 25
	fieldHolder     = 26
	fieldTenure     = 27
	fieldTransition = 28
	fieldPlacement  = 29
	fieldBeat       = 30
)

// AppendCommand appends the encoding of c.
func AppendCommand(b []byte, c *Command) []byte {
	b = wire.AppendUint(b, fieldType, uint64(c.Type))
	b = wire.AppendString(b, fieldActor, c.Actor)
	b = wire.AppendString(b, fieldRequestID, c.RequestID)
	b = wire.AppendInt(b, fieldNotAfter, c.NotAfter)
	b = wire.AppendUint(b, fieldDigest, c.Digest)
	b = wire.AppendString(b, fieldDuty, c.Duty)
	b = wire.AppendUint(b, fieldEra, c.Era)
	if !c.ReadToken.IsZero() {
		b = wire.AppendToken(b, fieldReadToken, c.ReadToken)
	}
	b = wire.AppendString(b, fieldReason, c.Reason)
	b = wire.AppendString(b, fieldMessage, c.Message)
	if c.Because != nil {
		b = wire.AppendNested(b, fieldBecause, func(b []byte) []byte { return wire.AppendVersionRef(b, c.Because) })
	}
	for i := range c.Compares {
		b = wire.AppendNested(b, fieldCompare, func(b []byte) []byte { return appendCompare(b, &c.Compares[i]) })
	}
	for i := range c.Then {
		b = wire.AppendNested(b, fieldThen, func(b []byte) []byte { return appendOperation(b, &c.Then[i]) })
	}
	for i := range c.Else {
		b = wire.AppendNested(b, fieldElse, func(b []byte) []byte { return appendOperation(b, &c.Else[i]) })
	}
	b = wire.AppendUint(b, fieldTerm, c.Term)
	b = wire.AppendString(b, fieldServerID, c.ServerID)
	b = wire.AppendString(b, fieldServerName, c.ServerName)
	b = wire.AppendUint(b, fieldLevel, uint64(c.Level))
	b = wire.AppendUint(b, fieldRevision, c.Revision)
	b = wire.AppendUint(b, fieldCascadeID, c.CascadeID)
	b = wire.AppendString(b, fieldAPIAddress, c.APIAddress)
	b = wire.AppendBool(b, fieldVerified, c.Verified)
	b = wire.AppendString(b, fieldAccessor, c.Accessor)
	for i := range c.Asks {
		b = wire.AppendNested(b, fieldAsk, func(b []byte) []byte { return appendAsk(b, &c.Asks[i]) })
	}
	b = wire.AppendUint(b, fieldEpoch, c.Epoch)
	b = wire.AppendString(b, fieldHolder, c.Holder)
	if c.Type == TypeTenure {
		b = wire.AppendNested(b, fieldTenure, func(b []byte) []byte { return appendTenure(b, &c.Tenure) })
	}
	if c.Type == TypeTransition {
		b = wire.AppendNested(b, fieldTransition, func(b []byte) []byte { return appendTransition(b, &c.Transition) })
	}
	for i := range c.Placements {
		b = wire.AppendNested(b, fieldPlacement, func(b []byte) []byte { return appendPlacement(b, &c.Placements[i]) })
	}
	for i := range c.Beats {
		b = wire.AppendNested(b, fieldBeat, func(b []byte) []byte { return appendBeat(b, &c.Beats[i]) })
	}
	return b
}

// DecodeCommand reads what AppendCommand wrote into c, whose slices it reuses.
// The result aliases data.
func DecodeCommand(data []byte, c *Command) error {
	*c = Command{
		Compares: c.Compares[:0], Then: c.Then[:0], Else: c.Else[:0], Asks: c.Asks[:0],
		Placements: c.Placements[:0], Beats: c.Beats[:0],
	}
	r := wire.NewReader(data)
	for r.Next() {
		switch r.Field() {
		case fieldType:
			c.Type = Type(r.Uint())
		case fieldActor:
			c.Actor = r.String()
		case fieldRequestID:
			c.RequestID = r.String()
		case fieldNotAfter:
			c.NotAfter = r.Int()
		case fieldDigest:
			c.Digest = r.Uint()
		case fieldDuty:
			c.Duty = r.String()
		case fieldEra:
			c.Era = r.Uint()
		case fieldReadToken:
			c.ReadToken = wire.ReadToken(&r)
		case fieldReason:
			c.Reason = r.String()
		case fieldMessage:
			c.Message = r.String()
		case fieldBecause:
			c.Because = wire.ReadVersionRef(&r)
		case fieldCompare:
			c.Compares = append(c.Compares, readCompare(&r))
		case fieldThen:
			c.Then = append(c.Then, readOperation(&r))
		case fieldElse:
			c.Else = append(c.Else, readOperation(&r))
		case fieldTerm:
			c.Term = r.Uint()
		case fieldServerID:
			c.ServerID = r.String()
		case fieldServerName:
			c.ServerName = r.String()
		case fieldLevel:
			c.Level = uint32(r.Uint())
		case fieldRevision:
			c.Revision = r.Uint()
		case fieldCascadeID:
			c.CascadeID = r.Uint()
		case fieldAPIAddress:
			c.APIAddress = r.String()
		case fieldVerified:
			c.Verified = r.Bool()
		case fieldAccessor:
			c.Accessor = r.String()
		case fieldAsk:
			c.Asks = append(c.Asks, readAsk(&r))
		case fieldEpoch:
			c.Epoch = r.Uint()
		case fieldHolder:
			c.Holder = r.String()
		case fieldTenure:
			c.Tenure = readTenure(&r)
		case fieldTransition:
			c.Transition = readTransition(&r)
		case fieldPlacement:
			c.Placements = append(c.Placements, readPlacement(&r))
		case fieldBeat:
			c.Beats = append(c.Beats, readBeat(&r))
		}
	}
	return r.Err()
}

func appendAsk(b []byte, a *policy.Ask) []byte {
	b = wire.AppendString(b, 1, string(a.Verb))
	b = wire.AppendString(b, 2, a.Kind)
	b = wire.AppendString(b, 3, a.Namespace)
	b = wire.AppendString(b, 4, a.Name)
	return wire.AppendString(b, 5, string(a.Section))
}

func readAsk(outer *wire.Reader) policy.Ask {
	var a policy.Ask
	r := wire.NewReader(outer.Bytes())
	for r.Next() {
		switch r.Field() {
		case 1:
			a.Verb = policy.Verb(r.String())
		case 2:
			a.Kind = r.String()
		case 3:
			a.Namespace = r.String()
		case 4:
			a.Name = r.String()
		case 5:
			a.Section = policy.Section(r.String())
		}
	}
	if r.Err() != nil {
		outer.Fail()
	}
	return a
}

func appendCompare(b []byte, c *Compare) []byte {
	b = wire.AppendUint(b, 1, uint64(c.Condition))
	b = wire.AppendString(b, 2, string(c.Ref.Kind))
	b = wire.AppendString(b, 3, c.Ref.Namespace)
	b = wire.AppendString(b, 4, c.Ref.Name)
	b = wire.AppendUint(b, 5, c.Number)
	return wire.AppendString(b, 6, c.UID)
}

func readCompare(outer *wire.Reader) Compare {
	var c Compare
	r := wire.NewReader(outer.Bytes())
	for r.Next() {
		switch r.Field() {
		case 1:
			c.Condition = Condition(r.Uint())
		case 2:
			c.Ref.Kind = candor.KindName(r.String())
		case 3:
			c.Ref.Namespace = r.String()
		case 4:
			c.Ref.Name = r.String()
		case 5:
			c.Number = r.Uint()
		case 6:
			c.UID = r.String()
		}
	}
	if r.Err() != nil {
		outer.Fail()
	}
	return c
}

func appendOperation(b []byte, o *Operation) []byte {
	b = wire.AppendUint(b, 1, uint64(o.Verb))
	b = wire.AppendString(b, 2, string(o.Kind))
	b = wire.AppendUint(b, 3, o.KindRevision)
	if o.Object != nil {
		b = wire.AppendNested(b, 4, func(b []byte) []byte { return wire.AppendObject(b, o.Object) })
	}
	b = wire.AppendString(b, 5, o.Namespace)
	b = wire.AppendString(b, 6, o.Name)
	b = wire.AppendUint(b, 7, o.ResourceVersion)
	b = wire.AppendString(b, 8, o.UID)
	b = wire.AppendBytes(b, 9, o.Payload)
	return wire.AppendString(b, 10, string(o.Propagation))
}

func readOperation(outer *wire.Reader) Operation {
	var o Operation
	r := wire.NewReader(outer.Bytes())
	for r.Next() {
		switch r.Field() {
		case 1:
			o.Verb = Verb(r.Uint())
		case 2:
			o.Kind = candor.KindName(r.String())
		case 3:
			o.KindRevision = r.Uint()
		case 4:
			object, err := wire.DecodeObject(r.Bytes())
			if err != nil {
				r.Fail()
			}
			o.Object = object
		case 5:
			o.Namespace = r.String()
		case 6:
			o.Name = r.String()
		case 7:
			o.ResourceVersion = r.Uint()
		case 8:
			o.UID = r.String()
		case 9:
			o.Payload = json.RawMessage(r.Bytes())
		case 10:
			o.Propagation = candor.Propagation(r.String())
		}
	}
	if r.Err() != nil {
		outer.Fail()
	}
	return o
}
