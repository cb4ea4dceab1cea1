package convert_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// overWire is what arrives of a message.
func overWire[M proto.Message](t interface {
	Helper()
	Fatalf(format string, args ...any)
}, sent, arrived M) M {
	t.Helper()
	data, err := proto.Marshal(sent)
	if err != nil {
		t.Fatalf("marshal %T: %v", sent, err)
	}
	if err := proto.Unmarshal(data, arrived); err != nil {
		t.Fatalf("unmarshal %T: %v", sent, err)
	}
	return arrived
}

func TestObjectRoundTripLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genObject(t)
		got := convert.ObjectFromProto(overWire(t, convert.ObjectToProto(want), new(candorv1.Object)))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("object changed on its way (-sent +arrived):\n%s", diff)
		}
	})
}

func TestWitnessRoundTripLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genWitness(t)
		got := convert.WitnessFromProto(overWire(t, convert.WitnessToProto(want), new(candorv1.Witness)))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("witness changed on its way (-sent +arrived):\n%s", diff)
		}
	})
}

func TestEventRoundTripLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := candor.Event{
			Type:     rapid.SampledFrom([]candor.EventType{candor.EventAdded, candor.EventModified, candor.EventDeleted}).Draw(t, "type"),
			Revision: rapid.Uint64().Draw(t, "revision"), Object: genObject(t),
		}
		if rapid.Bool().Draw(t, "hasPrevious") {
			want.Previous = genObject(t)
		}
		got := convert.EventFromProto(overWire(t, convert.EventToProto(&want), new(candorv1.Event)))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("event changed on its way (-sent +arrived):\n%s", diff)
		}
	})
}

func TestPortableTokenRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := candor.PortableToken{
			Token: genToken(t), ClusterID: rapid.String().Draw(t, "cluster"), HistoryID: rapid.String().Draw(t, "history"),
		}
		got := convert.PortableTokenFromProto(overWire(t, convert.PortableTokenToProto(want), new(candorv1.PortableToken)))
		if got != want {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

// FuzzObjectFromProto: any bytes that are an Object message at all convert
// without a panic, and what was read reads the same again.
func FuzzObjectFromProto(f *testing.F) {
	f.Add([]byte{})
	seed, err := proto.Marshal(convert.ObjectToProto(&candor.Object{
		APIVersion: "apps/v1", Kind: "Deployment", Spec: []byte(`{"replicas":3}`),
		Metadata: candor.Metadata{Name: "web", Namespace: "default", Labels: map[string]string{"a": "b"}},
		Cause:    &candor.Cause{Actor: "ana", Because: &candor.VersionRef{Revision: 7}},
	}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, data []byte) {
		var p candorv1.Object
		if proto.Unmarshal(data, &p) != nil {
			return
		}
		first := convert.ObjectFromProto(&p)
		second := convert.ObjectFromProto(overWire(t, convert.ObjectToProto(first), new(candorv1.Object)))
		if diff := cmp.Diff(normal(first), normal(second)); diff != "" {
			t.Fatalf("the second reading differs (-first +second):\n%s", diff)
		}
	})
}

// normal clears what means the same in two forms: an instant that is Go's zero
// time is written as absent, and empty lists and maps have no wire form.
func normal(o *candor.Object) *candor.Object {
	c := *o
	m := &c.Metadata
	if len(m.Labels) == 0 {
		m.Labels = nil
	}
	if len(m.Annotations) == 0 {
		m.Annotations = nil
	}
	if len(m.Finalizers) == 0 {
		m.Finalizers = nil
	}
	return &c
}
