package grpcapi_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// TestAWriteIsMadeIfItsPreconditionsHold, and the refusal names what stands
// there instead; whichever server is asked.
func TestAWriteIsMadeIfItsPreconditionsHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newFixture(t)
		for _, s := range x.cluster.Servers() {
			api := candorv1.NewObjectServiceClient(x.dial(s.Name()))
			stale := x.create(widget("on-" + s.Name())).GetObject().GetMetadata()
			name := stale.GetName()
			x.settle()
			fresh := func(pre *candorv1.Preconditions) error {
				return second(api.UpdateStatus(t.Context(), &candorv1.UpdateStatusRequest{Kind: widgets, Namespace: "team", Name: name, Status: []byte(`{"phase":"Ready"}`), Preconditions: pre}))
			}
			if err := fresh(&candorv1.Preconditions{ResourceVersion: stale.GetResourceVersion(), Uid: stale.GetUid()}); err != nil {
				t.Errorf("%s: preconditions that hold: %v", s.Name(), err)
			}
			now := x.view().Token().Revision
			for what, err := range map[string]error{
				"version of status": fresh(&candorv1.Preconditions{ResourceVersion: stale.GetResourceVersion()}),
				"uid of status":     fresh(&candorv1.Preconditions{Uid: "another"}),
				"version of delete": second(api.Delete(t.Context(), &candorv1.DeleteRequest{Kind: widgets, Namespace: "team", Name: name, Preconditions: &candorv1.Preconditions{ResourceVersion: stale.GetResourceVersion()}})),
				"version of patch": second(api.Patch(t.Context(), &candorv1.PatchRequest{Kind: widgets, Namespace: "team", Name: name, Type: candorv1.PatchType_PATCH_TYPE_MERGE,
					Patch: []byte(`{"spec":{"size":9}}`), Preconditions: &candorv1.Preconditions{ResourceVersion: stale.GetResourceVersion()}})),
				"version of update": func() error {
					o := widget(name)
					o.Metadata.ResourceVersion = stale.GetResourceVersion()
					return second(api.Update(t.Context(), &candorv1.UpdateRequest{Object: convert.ObjectToProto(o)}))
				}(),
			} {
				if r, ok := convert.Refusal(err); !ok || r.Reason != candor.ReasonConflict || r.Revision != now {
					t.Errorf("%s on %s: %v; it is at %d", what, s.Name(), err, now)
				}
			}
			if x.view().Token().Revision != now {
				t.Errorf("a refused write on %s made a revision", s.Name())
			}
		}
	})
}

// TestAPatchWithoutPreconditionsLosesNoOtherWrite: it is applied to what stands
// when it is made, not to what its server had read.
func TestAPatchWithoutPreconditionsLosesNoOtherWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newFixture(t)
		began := time.Now()
		done := make(chan error, 6)
		keys := []string{"k0", "k1", "k2", "k3", "k4", "k5"}
		for i, key := range keys {
			api := candorv1.NewObjectServiceClient(x.dial(x.cluster.Servers()[i%3].Name()))
			go func() {
				_, err := api.Patch(t.Context(), &candorv1.PatchRequest{
					Kind: widgets, Namespace: "team", Name: "a", Type: candorv1.PatchType_PATCH_TYPE_MERGE, Patch: []byte(`{"metadata":{"labels":{"` + key + `":"x"}}}`),
				})
				done <- err
			}()
		}
		for range keys {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		got, err := x.api.Get(t.Context(), &candorv1.GetRequest{Kind: widgets, Namespace: "team", Name: "a"})
		if err != nil {
			t.Fatal(err)
		}
		if labels := got.GetObject().GetMetadata().GetLabels(); len(labels) != len(keys)+1 {
			t.Errorf("labels %v", labels)
		}
		// One that came second goes on at once, though nobody else writes.
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// TestADryRunAnswersAsTheWriteWouldAndChangesNothing.
func TestADryRunAnswersAsTheWriteWouldAndChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newFixture(t)
		before := x.view().Token()
		dry := &candorv1.WriteOptions{DryRun: true}
		o := convert.ObjectToProto(widget("dry"))
		out, err := x.api.Create(t.Context(), &candorv1.CreateRequest{Object: o, Write: dry})
		if err != nil || !out.GetResult().GetChanged() || out.GetResult().GetObject().GetMetadata().GetUid() == "" || string(out.GetResult().GetObject().GetSpec()) != `{"size":2}` {
			t.Errorf("create: %+v, %v", out, err)
		}
		o = convert.ObjectToProto(widget("a"))
		_, err = x.api.Create(t.Context(), &candorv1.CreateRequest{Object: o, Write: dry})
		if r, ok := convert.Refusal(err); !ok || r.Reason != candor.ReasonAlreadyExists {
			t.Errorf("create again: %v", err)
		}
		gone, err := x.api.Delete(t.Context(), &candorv1.DeleteRequest{Kind: widgets, Namespace: "team", Name: "a", Write: dry})
		if err != nil || !gone.GetRemoved() {
			t.Errorf("delete: %+v, %v", gone, err)
		}
		if now := x.view().Token(); now != before {
			t.Errorf("dry runs moved the root from %s to %s", before, now)
		}
	})
}

// TestARepeatedRequestIsMadeOnce, and its ID binds its content.
func TestARepeatedRequestIsMadeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newFixture(t)
		write := &candorv1.WriteOptions{RequestId: "r-1", NotAfter: x.view().ClusterTime() + int64(time.Minute)}
		in := &candorv1.CreateRequest{Object: convert.ObjectToProto(widget("once")), Write: write}
		first, err := x.api.Create(t.Context(), in)
		if err != nil || first.GetResult().GetReplayed() {
			t.Fatalf("first: %+v, %v", first, err)
		}
		for _, s := range x.cluster.Servers() {
			again, err := candorv1.NewObjectServiceClient(x.dial(s.Name())).Create(t.Context(), in)
			if err != nil || !again.GetResult().GetReplayed() || !proto.Equal(again.GetResult().GetAcceptedRootToken(), first.GetResult().GetAcceptedRootToken()) ||
				again.GetResult().GetObject().GetMetadata().GetUid() != first.GetResult().GetObject().GetMetadata().GetUid() {
				t.Errorf("again on %s: %+v, %v", s.Name(), again, err)
			}
		}
		for what, err := range map[string]error{
			"another object": second(x.api.Create(t.Context(), &candorv1.CreateRequest{Object: convert.ObjectToProto(widget("other")), Write: write})),
			"another verb":   second(x.api.Update(t.Context(), &candorv1.UpdateRequest{Object: convert.ObjectToProto(widget("once")), Write: write})),
			"no object":      second(x.api.Delete(t.Context(), &candorv1.DeleteRequest{Kind: widgets, Namespace: "team", Name: "once", Write: write})),
		} {
			if r, ok := convert.Refusal(err); !ok || r.Reason != candor.ReasonInvalid {
				t.Errorf("%s under the same ID: %v", what, err)
			}
		}
		known, err := x.api.Outcome(t.Context(), &candorv1.OutcomeRequest{RequestId: "r-1"})
		if err != nil || known.GetOutcome() != candorv1.Outcome_OUTCOME_APPLIED || !proto.Equal(known.GetAcceptedRootToken(), first.GetResult().GetAcceptedRootToken()) {
			t.Errorf("outcome: %+v, %v", known, err)
		}
	})
}

// TestASnapshotIsTheStateThatItsTokenNames: another machine that reads it is in
// the same state.
func TestASnapshotIsTheStateThatItsTokenNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newFixture(t)
		for _, s := range x.cluster.Servers() {
			stream, err := candorv1.NewClusterServiceClient(x.dial(s.Name())).Snapshot(t.Context(), &candorv1.SnapshotRequest{})
			if err != nil {
				t.Fatal(err)
			}
			var data bytes.Buffer
			var token candor.Token
			for first := true; ; first = false {
				part, err := stream.Recv()
				if err != nil {
					break
				}
				if (part.GetToken() != nil) != first || (part.GetWitness() != nil) != first {
					t.Errorf("a part carries token %v and witness %v; the first alone does", part.GetToken(), part.GetWitness())
				}
				if first {
					token = convert.TokenFromProto(part.GetToken())
				}
				data.Write(part.GetChunk())
			}
			m := fsm.New(fsm.Config{ClusterID: clusterID})
			if err := m.Restore(&data); err != nil {
				t.Fatalf("%s: %v", s.Name(), err)
			}
			digests := s.Machine().Digests(token.Index)
			if m.View().Token() != token || len(digests) == 0 || digests[0].Index != token.Index || digests[0].Digest != m.View().Digest() {
				t.Errorf("%s: restored at %s, the snapshot says %s", s.Name(), m.View().Token(), token)
			}
		}
	})
}
