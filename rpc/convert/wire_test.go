package convert_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/candor-plane/candor/internal/wire"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// The stored form is written by hand; this holds it to the generated one.
func TestTheStoredFormOfAnObjectIsItsWireForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := genObject(t)
		p := new(candorv1.Object)
		if err := proto.Unmarshal(wire.AppendObject(nil, o), p); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(normal(o), normal(convert.ObjectFromProto(p))); diff != "" {
			t.Fatal(diff)
		}
	})
}
