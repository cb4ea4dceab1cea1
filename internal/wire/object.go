package wire

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/candor-plane/candor"
)

// AppendObject appends the stored form of o: candor.v1.Object.
func AppendObject(b []byte, o *candor.Object) []byte {
	b = AppendString(b, 1, o.APIVersion)
	b = AppendString(b, 2, o.Kind)
	b, start := begin(b, 3)
	b = appendMetadata(b, &o.Metadata)
	b = end(b, start)
	b = AppendBytes(b, 4, o.Spec)
	b = AppendBytes(b, 5, o.Status)
	b = AppendBytes(b, 6, o.Observed)
	if o.Cause != nil {
		b, start = begin(b, 7)
		b = AppendCause(b, o.Cause)
		b = end(b, start)
	}
	return b
}

func appendMetadata(b []byte, m *candor.Metadata) []byte {
	b = AppendString(b, 1, m.Name)
	b = AppendString(b, 2, m.Namespace)
	b = AppendString(b, 3, m.UID)
	b = AppendUint(b, 4, m.Generation)
	b = AppendUint(b, 5, m.ResourceVersion)
	b = AppendUint(b, 6, m.CreateRevision)
	b = AppendTime(b, 7, m.CreationTime)
	b = AppendTime(b, 8, m.DeletionTime)
	b = appendMap(b, 9, m.Labels)
	b = appendMap(b, 10, m.Annotations)
	for i := range m.Owners {
		var start int
		b, start = begin(b, 11)
		b = appendOwner(b, &m.Owners[i])
		b = end(b, start)
	}
	for _, f := range m.Finalizers {
		b = appendHeader(b, 12, len(f))
		b = append(b, f...)
	}
	return b
}

func appendOwner(b []byte, o *candor.OwnerReference) []byte {
	b = AppendString(b, 1, string(o.Kind))
	b = AppendString(b, 2, o.Name)
	b = AppendString(b, 3, o.UID)
	b = AppendBool(b, 4, o.Controller)
	return AppendBool(b, 5, o.BlockOwnerDeletion)
}

// AppendTime appends a google.protobuf.Timestamp, nothing for the zero time.
func AppendTime(b []byte, field int, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	b, start := begin(b, field)
	b = AppendInt(b, 1, t.Unix())
	b = AppendUint(b, 2, uint64(t.Nanosecond()))
	return end(b, start)
}

func appendMap(b []byte, field int, m map[string]string) []byte {
	if len(m) == 0 {
		return b
	}
	var few [16]string
	keys := few[:0]
	//candor:unordered the keys are sorted below
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		var start int
		b, start = begin(b, field)
		b = AppendString(b, 1, k)
		b = AppendString(b, 2, m[k])
		b = end(b, start)
	}
	return b
}

// DecodeObject reads the stored form. Strings and raw JSON of the result alias
// data.
func DecodeObject(data []byte) (*candor.Object, error) {
	o := new(candor.Object)
	r := NewReader(data)
	for r.Next() {
		switch r.Field() {
		case 1:
			o.APIVersion = r.String()
		case 2:
			o.Kind = r.String()
		case 3:
			if !decodeMetadata(r.Bytes(), &o.Metadata) {
				r.Fail()
			}
		case 4:
			o.Spec = json.RawMessage(r.Bytes())
		case 5:
			o.Status = json.RawMessage(r.Bytes())
		case 6:
			o.Observed = json.RawMessage(r.Bytes())
		case 7:
			c := new(candor.Cause)
			if !decodeCause(r.Bytes(), c) {
				r.Fail()
			}
			o.Cause = c
		}
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	return o, nil
}

func decodeMetadata(data []byte, m *candor.Metadata) bool {
	r := NewReader(data)
	for r.Next() {
		switch r.Field() {
		case 1:
			m.Name = r.String()
		case 2:
			m.Namespace = r.String()
		case 3:
			m.UID = r.String()
		case 4:
			m.Generation = r.Uint()
		case 5:
			m.ResourceVersion = r.Uint()
		case 6:
			m.CreateRevision = r.Uint()
		case 7:
			m.CreationTime = ReadTime(&r)
		case 8:
			m.DeletionTime = ReadTime(&r)
		case 9:
			m.Labels = decodeMap(&r, m.Labels)
		case 10:
			m.Annotations = decodeMap(&r, m.Annotations)
		case 11:
			var o candor.OwnerReference
			if !decodeOwner(r.Bytes(), &o) {
				r.Fail()
			}
			m.Owners = append(m.Owners, o)
		case 12:
			m.Finalizers = append(m.Finalizers, r.String())
		}
	}
	return !r.bad
}

func decodeOwner(data []byte, o *candor.OwnerReference) bool {
	r := NewReader(data)
	for r.Next() {
		switch r.Field() {
		case 1:
			o.Kind = candor.KindName(r.String())
		case 2:
			o.Name = r.String()
		case 3:
			o.UID = r.String()
		case 4:
			o.Controller = r.Bool()
		case 5:
			o.BlockOwnerDeletion = r.Bool()
		}
	}
	return !r.bad
}

// ReadTime reads the field that outer stands at as a google.protobuf.Timestamp.
func ReadTime(outer *Reader) time.Time {
	r := NewReader(outer.Bytes())
	var sec int64
	var nsec uint64
	for r.Next() {
		switch r.Field() {
		case 1:
			sec = r.Int()
		case 2:
			nsec = r.Uint()
		}
	}
	if r.bad || nsec >= 1e9 {
		outer.Fail()
		return time.Time{}
	}
	return time.Unix(sec, int64(nsec)).UTC()
}

func decodeMap(outer *Reader, m map[string]string) map[string]string {
	if m == nil {
		m = make(map[string]string, 4)
	}
	r := NewReader(outer.Bytes())
	var k, v string
	for r.Next() {
		switch r.Field() {
		case 1:
			k = r.String()
		case 2:
			v = r.String()
		}
	}
	if r.bad {
		outer.Fail()
	}
	m[k] = v
	return m
}

// DecodeLabels reads the labels alone: what a selector needs.
func DecodeLabels(data []byte) map[string]string {
	for r := NewReader(data); r.Next(); {
		if r.Field() != 3 {
			continue
		}
		var labels map[string]string
		for m := NewReader(r.Bytes()); m.Next(); {
			if m.Field() == 9 {
				labels = decodeMap(&m, labels)
			}
		}
		return labels
	}
	return nil
}

// DecodeOwners reads the owners' uids alone; they alias data.
func DecodeOwners(data []byte) ([]string, error) {
	var uids []string
	r := NewReader(data)
	for r.Next() {
		if r.Field() != 3 {
			continue
		}
		m := NewReader(r.Bytes())
		for m.Next() {
			if m.Field() != 11 {
				continue
			}
			var o candor.OwnerReference
			if !decodeOwner(m.Bytes(), &o) {
				m.Fail()
			}
			uids = append(uids, o.UID)
		}
		if m.bad {
			r.Fail()
		}
	}
	return uids, r.Err()
}
