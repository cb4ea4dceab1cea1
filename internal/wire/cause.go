package wire

import "github.com/candor-plane/candor"

// AppendCause appends candor.v1.Cause.
func AppendCause(b []byte, c *candor.Cause) []byte {
	b = AppendString(b, 1, c.Actor)
	b = AppendString(b, 2, c.Duty)
	b = AppendUint(b, 3, c.Era)
	if !c.ReadToken.IsZero() {
		b = AppendToken(b, 4, c.ReadToken)
	}
	b = AppendUint(b, 5, c.PriorRevision)
	b = AppendString(b, 6, c.Reason)
	b = AppendString(b, 7, c.Message)
	if c.Because != nil {
		var start int
		b, start = begin(b, 8)
		b = AppendVersionRef(b, c.Because)
		b = end(b, start)
	}
	return b
}

// DecodeCause reads candor.v1.Cause; the result aliases data.
func DecodeCause(data []byte) (*candor.Cause, error) {
	c := new(candor.Cause)
	if !decodeCause(data, c) {
		return nil, candor.Errorf(candor.ReasonDataCorrupt, "encoded cause is damaged")
	}
	return c, nil
}

func decodeCause(data []byte, c *candor.Cause) bool {
	r := NewReader(data)
	for r.Next() {
		switch r.Field() {
		case 1:
			c.Actor = r.String()
		case 2:
			c.Duty = r.String()
		case 3:
			c.Era = r.Uint()
		case 4:
			c.ReadToken = ReadToken(&r)
		case 5:
			c.PriorRevision = r.Uint()
		case 6:
			c.Reason = r.String()
		case 7:
			c.Message = r.String()
		case 8:
			c.Because = ReadVersionRef(&r)
		}
	}
	return !r.bad
}

// AppendToken appends a candor.v1.RootToken as a message field.
func AppendToken(b []byte, field int, t candor.Token) []byte {
	b, start := begin(b, field)
	b = AppendUint(b, 1, t.Term)
	b = AppendUint(b, 2, t.Index)
	b = AppendUint(b, 3, t.Revision)
	return end(b, start)
}

// ReadToken reads the field that outer stands at as a token.
func ReadToken(outer *Reader) candor.Token {
	var t candor.Token
	r := NewReader(outer.Bytes())
	for r.Next() {
		switch r.Field() {
		case 1:
			t.Term = r.Uint()
		case 2:
			t.Index = r.Uint()
		case 3:
			t.Revision = r.Uint()
		}
	}
	if r.bad {
		outer.Fail()
	}
	return t
}

// AppendVersionRef appends candor.v1.ObjectVersionRef.
func AppendVersionRef(b []byte, v *candor.VersionRef) []byte {
	b = AppendString(b, 1, string(v.Kind))
	b = AppendString(b, 2, v.Namespace)
	b = AppendString(b, 3, v.Name)
	return AppendUint(b, 4, v.Revision)
}

func decodeVersionRef(outer *Reader, v *candor.VersionRef) {
	r := NewReader(outer.Bytes())
	for r.Next() {
		switch r.Field() {
		case 1:
			v.Kind = candor.KindName(r.String())
		case 2:
			v.Namespace = r.String()
		case 3:
			v.Name = r.String()
		case 4:
			v.Revision = r.Uint()
		}
	}
	if r.bad {
		outer.Fail()
	}
}

// ReadVersionRef reads the field that outer stands at as a version reference.
func ReadVersionRef(outer *Reader) *candor.VersionRef {
	v := new(candor.VersionRef)
	decodeVersionRef(outer, v)
	return v
}
