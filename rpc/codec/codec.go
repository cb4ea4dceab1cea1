// Package codec is the gRPC codec of clients and servers: protobuf on the wire,
// byte for byte, and less work for the messages that carry objects.
//
// An Object in an answer keeps its stored form, in the message's unknown
// fields: servers put it there without decoding it, and convert.ObjectFromProto
// decodes it in one step. A GetResponse stays encoded whole: convert.EncodedGet
// makes one, ObjectOfGet and WitnessOfGet read it. Whoever reads such a message
// without convert sees one without fields. All other messages are as generated. It
// guarantees
// that damaged bytes are an error here or a nil object there, never a panic.
package codec

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	protobuf "google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// Codec is safe for concurrent use.
type Codec struct{ plain encoding.CodecV2 }

var _ encoding.CodecV2 = Codec{}

// New returns the codec.
func New() Codec { return Codec{plain: encoding.GetCodecV2(proto.Name)} }

// Name is protobuf's: the bytes are the same.
func (Codec) Name() string { return proto.Name }

// Encoded is a message's bytes. It can be sent in the message's place, over any
// number of streams; nobody may change it then.
type Encoded []byte

// Encode encodes a message of events.
func Encode(m *candorv1.WatchResponse) (Encoded, error) {
	if size, ok := watchSize(m); ok {
		return appendWatch(make([]byte, 0, size), m), nil
	}
	data, err := protobuf.Marshal(m)
	return data, candor.Wrap("encode events", err)
}

// Marshal implements encoding.CodecV2.
func (c Codec) Marshal(v any) (mem.BufferSlice, error) {
	switch m := v.(type) {
	case Encoded:
		return mem.BufferSlice{mem.SliceBuffer(m)}, nil
	case *candorv1.GetResponse:
		if data, ok := convert.GetEncoding(m); ok {
			return mem.BufferSlice{mem.SliceBuffer(data)}, nil
		}
	}
	return c.plain.Marshal(v)
}

// Unmarshal implements encoding.CodecV2.
func (c Codec) Unmarshal(data mem.BufferSlice, v any) error {
	switch m := v.(type) {
	case *candorv1.GetResponse:
		return readGet(m, data.Materialize())
	case *candorv1.ListResponse:
		return readList(m, data.Materialize())
	case *candorv1.WatchResponse:
		return readWatch(m, data.Materialize())
	case *candorv1.CreateResponse:
		return readResult(&m.Result, data.Materialize())
	case *candorv1.UpdateResponse:
		return readResult(&m.Result, data.Materialize())
	case *candorv1.PatchResponse:
		return readResult(&m.Result, data.Materialize())
	case *candorv1.UpdateStatusResponse:
		return readResult(&m.Result, data.Materialize())
	case *candorv1.ObserveResponse:
		return readResult(&m.Result, data.Materialize())
	default:
		return c.plain.Unmarshal(data, v)
	}
}
