package convert_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/candor-plane/candor/internal/wire"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// The answer to Get is written by hand; this holds it to the generated form.
func TestAnEncodedGetIsWhatGeneratedCodeWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, w := genObject(t), genWitness(t)
		stored := wire.AppendObject(nil, o)
		got := convert.EncodedGet(stored, w)
		data, err := proto.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		p := new(candorv1.Object)
		p.ProtoReflect().SetUnknown(stored)
		want, err := proto.MarshalOptions{Deterministic: true}.Marshal(&candorv1.GetResponse{Object: p, Witness: convert.WitnessToProto(w)})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, data) {
			t.Fatalf("written as %x, want %x", data, want)
		}
		if diff := cmp.Diff(w, convert.WitnessOfGet(got)); diff != "" {
			t.Fatalf("the witness changed (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(normal(o), normal(convert.ObjectOfGet(got))); diff != "" {
			t.Fatalf("the object changed (-want +got):\n%s", diff)
		}
	})
}

// A witness is read by hand from its encoding; this holds that to what the
// generated code makes of it.
func TestAWitnessIsReadFromItsEncodingAsFromItsFields(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genWitness(t)
		data, err := proto.Marshal(convert.WitnessToProto(want))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, convert.WitnessOfGet(encodedGet(data))); diff != "" {
			t.Fatalf("the witness changed (-want +got):\n%s", diff)
		}
	})
}

// FuzzWitnessFromEncoding: any bytes are a witness that reads the same from its
// fields, or none, and never a panic.
func FuzzWitnessFromEncoding(f *testing.F) {
	f.Add([]byte{0x0a, 0x01, 'n', 0x1a, 0x00, 0x28, 0x00})
	f.Add([]byte{0x0a, 0x7f})
	f.Add([]byte{0x0a, 0x01, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		got := convert.WitnessOfGet(encodedGet(data))
		if got == nil {
			return
		}
		if p := new(candorv1.Witness); proto.Unmarshal(data, p) != nil {
			t.Fatalf("%x is no Witness to generated code, and was read as %+v", data, got)
		}
		again := convert.WitnessFromProto(overWire(t, convert.WitnessToProto(got), new(candorv1.Witness)))
		if diff := cmp.Diff(got, again); diff != "" {
			t.Fatalf("the second reading differs (-first +second):\n%s", diff)
		}
	})
}

func encodedGet(witness []byte) *candorv1.GetResponse {
	p := new(candorv1.GetResponse)
	p.ProtoReflect().SetUnknown(wire.AppendMessage(nil, 2, witness))
	return p
}
