package codec

import (
	"bytes"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor/internal/wire"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// stored is an Object that keeps its bytes as they are. It copies them where
// they are the smaller part of the message: an object that is kept shall not
// hold many others.
func stored(data []byte, message int) *candorv1.Object {
	if len(data) < message/2 {
		data = bytes.Clone(data)
	}
	o := new(candorv1.Object)
	o.ProtoReflect().SetUnknown(data)
	return o
}

// readGet leaves the message encoded.
func readGet(m *candorv1.GetResponse, data []byte) error {
	m.Reset()
	r := wire.NewReader(data)
	for r.Next() {
		if r.Field() <= 2 {
			_ = r.Bytes()
		}
	}
	m.ProtoReflect().SetUnknown(data)
	return r.Err()
}

func readList(m *candorv1.ListResponse, data []byte) error {
	m.Reset()
	r := wire.NewReader(data)
	for r.Next() {
		switch r.Field() {
		case 1:
			m.Objects = append(m.Objects, stored(r.Bytes(), len(data)))
		case 2:
			m.Continue = readString(&r)
		case 3:
			m.Revision = r.Uint()
		case 4:
			m.Witness = readWitness(&r)
		}
	}
	return r.Err()
}

func readWatch(m *candorv1.WatchResponse, data []byte) error {
	m.Reset()
	r := wire.NewReader(data)
	for r.Next() {
		switch r.Field() {
		case 1:
			m.Type = candorv1.WatchResponseType(r.Int())
		case 2:
			m.Revision = r.Uint()
		case 3:
			e, err := readEvent(r.Bytes(), len(data))
			if err != nil {
				return err
			}
			m.Events = append(m.Events, e)
		case 4:
			m.Witness = readWitness(&r)
		}
	}
	return r.Err()
}

func readEvent(data []byte, message int) (*candorv1.Event, error) {
	e := new(candorv1.Event)
	r := wire.NewReader(data)
	for r.Next() {
		switch r.Field() {
		case 1:
			e.Type = candorv1.EventType(r.Int())
		case 2:
			e.Revision = r.Uint()
		case 3:
			e.Object = stored(r.Bytes(), message)
		case 4:
			e.Previous = stored(r.Bytes(), message)
		}
	}
	return e, r.Err()
}

// readResult reads a message whose only field is its result.
func readResult(result **candorv1.WriteResult, data []byte) error {
	*result = nil
	outer := wire.NewReader(data)
	for outer.Next() {
		if outer.Field() != 1 {
			continue
		}
		m := new(candorv1.WriteResult)
		*result = m
		r := wire.NewReader(outer.Bytes())
		for r.Next() {
			switch r.Field() {
			case 1:
				m.Object = stored(r.Bytes(), len(data))
			case 2:
				t := wire.ReadToken(&r)
				m.AcceptedRootToken = &candorv1.RootToken{Term: t.Term, Index: t.Index, Revision: t.Revision}
			case 3:
				m.Changed = r.Bool()
			case 4:
				m.Replayed = r.Bool()
			case 5:
				m.Witness = readWitness(&r)
			case 6:
				m.Warnings = append(m.Warnings, readString(&r))
			}
		}
		if err := r.Err(); err != nil {
			return err
		}
	}
	return outer.Err()
}

func readWitness(outer *wire.Reader) *candorv1.Witness {
	w := new(candorv1.Witness)
	if proto.Unmarshal(outer.Bytes(), w) != nil {
		outer.Fail()
	}
	return w
}

func readString(r *wire.Reader) string {
	s := r.String()
	if !utf8.ValidString(s) {
		r.Fail()
	}
	return s
}
