package grpcapi

import (
	"github.com/zeebo/xxh3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/internal/wire"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// checkActor refuses a name that versions could not carry or people not read.
func checkActor(actor string) error {
	if len(actor) > candor.MaxActorBytes {
		return candor.Errorf(candor.ReasonInvalid, "actor has %d bytes; at most %d are allowed", len(actor), candor.MaxActorBytes)
	}
	for i := range len(actor) {
		if actor[i] < ' ' || actor[i] > '~' {
			return candor.Errorf(candor.ReasonInvalid, "actor %q: want printable ASCII", actor)
		}
	}
	return nil
}

// digestOf binds a request ID to what was asked: a repeat is recognised
// whatever server it reaches, another request under the same ID is refused.
func digestOf(verb command.Verb, o *candor.Object) uint64 {
	var scratch [1024]byte
	b := append(scratch[:0], byte(verb))
	if o == nil {
		return xxh3.Hash(b)
	}
	return xxh3.Hash(wire.AppendObject(b, o))
}

// digestOfRequest is digestOf for requests that carry no object. The write
// options do not count: they say how, not what.
func digestOfRequest(in proto.Message, _ *candorv1.WriteOptions) uint64 {
	b := append([]byte(nil), in.ProtoReflect().Descriptor().Name()...)
	m := in.ProtoReflect()
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if f.Name() == "write" || !m.Has(f) {
			continue
		}
		one := m.New()
		one.Set(f, m.Get(f))
		b = appendDeterministic(b, one)
	}
	return xxh3.Hash(b)
}

func appendDeterministic(b []byte, m protoreflect.Message) []byte {
	out, err := proto.MarshalOptions{Deterministic: true}.MarshalAppend(b, m.Interface())
	if err != nil {
		// Only invalid UTF-8 fails, which gRPC has refused already.
		return b
	}
	return out
}
