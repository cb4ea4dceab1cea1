package codec

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/internal/wire"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

func object(name string) *candor.Object {
	return &candor.Object{
		APIVersion: "apps.example/v1", Kind: "App", Spec: []byte(`{"replicas":3}`), Status: []byte(`{"phase":"Ready"}`),
		Metadata: candor.Metadata{
			Name: name, Namespace: "default", UID: "u-" + name, Generation: 2, ResourceVersion: 7, CreateRevision: 3,
			CreationTime: time.Unix(1<<30, 5).UTC(), Labels: map[string]string{"app": name}, Finalizers: []string{"f"},
		},
		Cause: &candor.Cause{Actor: "alice"},
	}
}

// messages has one message of each type that the codec treats apart, with
// objects by their fields.
func messages() []proto.Message {
	witness := convert.WitnessToProto(&candor.Witness{NodeID: "n", ServedToken: candor.Token{Term: 1, Index: 9, Revision: 8}, Served: candor.FreshnessStrong})
	one, two := convert.ObjectToProto(object("one")), convert.ObjectToProto(object("two"))
	result := &candorv1.WriteResult{Object: one, AcceptedRootToken: &candorv1.RootToken{Term: 1, Index: 2, Revision: 3}, Changed: true, Replayed: true, Witness: witness, Warnings: []string{"one", "two"}}
	return []proto.Message{
		&candorv1.GetResponse{Object: one, Witness: witness},
		&candorv1.ListResponse{Objects: []*candorv1.Object{one, two, one, two, one}, Continue: "c", Revision: 4, Witness: witness},
		&candorv1.CreateResponse{Result: result}, &candorv1.UpdateResponse{Result: result}, &candorv1.PatchResponse{Result: result},
		&candorv1.UpdateStatusResponse{Result: result}, &candorv1.ObserveResponse{Result: result},
		&candorv1.WatchResponse{Type: candorv1.WatchResponseType_WATCH_RESPONSE_TYPE_BOOKMARK, Revision: 5, Witness: witness},
		&candorv1.WatchResponse{Type: candorv1.WatchResponseType_WATCH_RESPONSE_TYPE_EVENTS, Revision: 5, Events: []*candorv1.Event{
			{Type: candorv1.EventType_EVENT_TYPE_MODIFIED, Revision: 4, Object: one, Previous: two},
			{Type: candorv1.EventType_EVENT_TYPE_DELETED, Revision: 5, Object: two},
		}},
		&candorv1.StatusResponse{Witness: witness},
		&candorv1.DeleteResponse{Result: result, Removed: true},
	}
}

// objects replaces every object of the message by what convert makes of it.
func objects(m proto.Message) {
	fields := func(o *candorv1.Object) *candorv1.Object { return convert.ObjectToProto(convert.ObjectFromProto(o)) }
	result := func(r *candorv1.WriteResult) {
		if r != nil {
			r.Object = fields(r.GetObject())
		}
	}
	switch m := m.(type) {
	case *candorv1.GetResponse:
		m.Object, m.Witness = convert.ObjectToProto(convert.ObjectOfGet(m)), convert.WitnessToProto(convert.WitnessOfGet(m))
		m.ProtoReflect().SetUnknown(nil)
	case *candorv1.ListResponse:
		for i := range m.GetObjects() {
			m.Objects[i] = fields(m.GetObjects()[i])
		}
	case interface{ GetResult() *candorv1.WriteResult }:
		result(m.GetResult())
	case *candorv1.WatchResponse:
		for _, e := range m.GetEvents() {
			e.Object, e.Previous = fields(e.GetObject()), fields(e.GetPrevious())
		}
	}
}

// What is read says what the generated code would have read.
func TestMessagesAreReadAsGeneratedCodeReadsThem(t *testing.T) {
	c := New()
	for _, want := range messages() {
		data, err := proto.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got := want.ProtoReflect().New().Interface()
		if err := c.Unmarshal(mem.BufferSlice{mem.SliceBuffer(data)}, got); err != nil {
			t.Fatal(err)
		}
		objects(got)
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%T: %s", want, diff)
		}
	}
}

// What is encoded is what the generated code writes, whether or not an object is
// in its stored form, and is sent as it is.
func TestEventsAreEncodedAsGeneratedCodeWritesThem(t *testing.T) {
	large := &candorv1.WatchResponse{Type: candorv1.WatchResponseType_WATCH_RESPONSE_TYPE_EVENTS, Revision: 9}
	for i := range uint64(64) {
		o := new(candorv1.Object)
		o.ProtoReflect().SetUnknown(wire.AppendObject(nil, object("one")))
		large.Events = append(large.Events, &candorv1.Event{Type: candorv1.EventType_EVENT_TYPE_ADDED, Revision: i, Object: o})
	}
	all := []*candorv1.WatchResponse{large, {Events: large.GetEvents()[:1]}}
	for _, m := range messages() {
		if w, ok := m.(*candorv1.WatchResponse); ok {
			all = append(all, w)
		}
	}
	for _, m := range all {
		want, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		encoded, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := New().Marshal(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, got.Materialize()) {
			t.Errorf("%v is written as %x, want %x", m, got.Materialize(), want)
		}
		got.Free()
	}
}

// Damage is an error, or an object that is nil: never a panic, and never
// another object.
func TestDamageIsNeverRead(t *testing.T) {
	c := New()
	for _, m := range messages() {
		data, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		for cut := range data {
			got := m.ProtoReflect().New().Interface()
			if c.Unmarshal(mem.BufferSlice{mem.SliceBuffer(data[:cut])}, got) == nil {
				objects(got)
			}
		}
	}
	o := new(candorv1.Object)
	o.ProtoReflect().SetUnknown([]byte{0x0a, 0x7f})
	if got := convert.ObjectFromProto(o); got != nil {
		t.Errorf("damaged bytes were decoded to %+v", got)
	}
}
