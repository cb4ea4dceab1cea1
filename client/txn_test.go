package client_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

func TestATransactionIsSentAsBuilt(t *testing.T) {
	s := newStage(t, "n1")
	n1 := leads(s.node("n1"), token(5))
	n1.on("Txn", func(c *call) error {
		return c.send(&candorv1.TxnResponse{
			Succeeded: true, Result: n1.result(token(9)),
			Results: []*candorv1.TxnOperationResult{{Object: webObject(9), Changed: true}, {}},
		})
	})
	c := s.client([]string{"n1"})
	object := deployment()
	result, err := c.Txn().
		If(client.IfAbsent(web), client.IfExists(web), client.IfVersion(web, 4), client.IfGeneration(web, 3),
			client.IfUID(web, "u-1"), client.IfRootRevision(77)).
		Then(client.OpCreate(object), client.OpUpdate(object),
			client.OpUpdateStatus(web, []byte(`{}`), client.WithPreconditions(4, "u-1")),
			client.OpObserve(web, []byte(`[]`))).
		Else(client.OpDelete(web, client.WithPropagation(candor.PropagateOrphan)), client.OpGet(web)).
		Commit(t.Context(), client.WithRequestID("r-1"), client.WithReason("MOVE", "both or none"))
	noError(t, err)
	if !result.Succeeded || len(result.Results) != 2 || !result.Results[0].Changed || result.Results[1].Object != nil ||
		result.Token != token(9) {
		t.Errorf("result %+v", result)
	}
	got := proto.Clone(n1.arrived("Txn")[0].in).(*candorv1.TxnRequest)
	if got.GetWrite().GetRequestId() != "r-1" || got.GetWrite().GetNotAfter() == 0 || got.GetWrite().GetReason() != "MOVE" {
		t.Errorf("write options %v", got.GetWrite())
	}
	got.Write = nil
	on := func() *candorv1.Compare {
		return &candorv1.Compare{Kind: string(web.Kind), Namespace: web.Namespace, Name: web.Name}
	}
	absent, exists, version, generation, uid := on(), on(), on(), on(), on()
	absent.Condition = &candorv1.Compare_Exists{}
	exists.Condition = &candorv1.Compare_Exists{Exists: true}
	version.Condition = &candorv1.Compare_ResourceVersion{ResourceVersion: 4}
	generation.Condition = &candorv1.Compare_Generation{Generation: 3}
	uid.Condition = &candorv1.Compare_Uid{Uid: "u-1"}
	root := &candorv1.Compare{Condition: &candorv1.Compare_RootRevision{RootRevision: 77}}
	p := convert.ObjectToProto(object)
	want := &candorv1.TxnRequest{
		Compares: []*candorv1.Compare{absent, exists, version, generation, uid, root},
		Then: []*candorv1.TxnOperation{
			{Operation: &candorv1.TxnOperation_Create{Create: p}},
			{Operation: &candorv1.TxnOperation_Update{Update: p}},
			{Operation: &candorv1.TxnOperation_UpdateStatus{UpdateStatus: &candorv1.UpdateStatusRequest{
				Kind: string(web.Kind), Namespace: "default", Name: "web", Status: []byte(`{}`),
				Preconditions: &candorv1.Preconditions{ResourceVersion: 4, Uid: "u-1"},
			}}},
			{Operation: &candorv1.TxnOperation_Observe{Observe: &candorv1.ObserveRequest{
				Kind: string(web.Kind), Namespace: "default", Name: "web", Observed: []byte(`[]`),
			}}},
		},
		Otherwise: []*candorv1.TxnOperation{
			{Operation: &candorv1.TxnOperation_Delete{Delete: &candorv1.DeleteRequest{
				Kind: string(web.Kind), Namespace: "default", Name: "web",
				Propagation: candorv1.PropagationPolicy_PROPAGATION_POLICY_ORPHAN,
			}}},
			{Operation: &candorv1.TxnOperation_Get{Get: &candorv1.GetRequest{Kind: string(web.Kind), Namespace: "default", Name: "web"}}},
		},
	}
	if !proto.Equal(got, want) {
		t.Errorf("sent\n%v\nwant\n%v", got, want)
	}
}

func TestATransactionWithABadOperationIsNotSent(t *testing.T) {
	s := newStage(t, "n1")
	n1 := leads(s.node("n1"), token(5))
	c := s.client([]string{"n1"})
	_, err := c.Txn().Then(client.OpGet(web), client.OpCreate(nil)).Commit(t.Context())
	wantReason(t, err, candor.ReasonInvalid)
	_, err = c.Txn().Else(client.OpObserve(web, nil, client.WithDryRun())).Commit(t.Context())
	wantReason(t, err, candor.ReasonInvalid)
	if n1.count("Txn") != 0 {
		t.Error("it was sent")
	}
}

func TestEveryWriteReachesItsMethod(t *testing.T) {
	s := newStage(t, "n1")
	n1 := leads(s.node("n1"), token(5))
	c := s.client([]string{"n1"})
	n1.on("Update", func(c *call) error { return c.send(&candorv1.UpdateResponse{Result: n1.result(token(6))}) })
	n1.on("Patch", func(c *call) error { return c.send(&candorv1.PatchResponse{Result: n1.result(token(7))}) })
	n1.on("UpdateStatus", func(c *call) error { return c.send(&candorv1.UpdateStatusResponse{Result: n1.result(token(8))}) })
	n1.on("Observe", func(c *call) error { return c.send(&candorv1.ObserveResponse{Result: n1.result(token(9))}) })
	n1.on("Delete", func(c *call) error {
		return c.send(&candorv1.DeleteResponse{Result: n1.result(token(10)), Removed: true})
	})
	precondition := client.WithPreconditions(4, "u-1")
	ctx := t.Context()
	object := deployment()
	object.Metadata.ResourceVersion = 3
	check := func(result client.Result, err error, at candor.Token, p *candorv1.Preconditions) {
		t.Helper()
		noError(t, err)
		if result.Token != at || result.Object == nil || c.Session().Token().Token != at {
			t.Errorf("result %+v, session %v", result, c.Session().Token())
		}
		if p.GetResourceVersion() != 4 || p.GetUid() != "u-1" {
			t.Errorf("preconditions %v", p)
		}
	}
	result, err := c.Update(ctx, object, precondition)
	m := n1.arrived("Update")[0].in.(*candorv1.UpdateRequest).GetObject().GetMetadata()
	check(result, err, token(6), &candorv1.Preconditions{ResourceVersion: m.GetResourceVersion(), Uid: m.GetUid()})
	if object.Metadata.ResourceVersion != 3 {
		t.Error("the caller's object was changed")
	}
	result, err = c.Patch(ctx, web, client.PatchMerge, []byte(`{"spec":{}}`), precondition)
	patch := n1.arrived("Patch")[0].in.(*candorv1.PatchRequest)
	check(result, err, token(7), patch.GetPreconditions())
	if patch.GetType() != candorv1.PatchType_PATCH_TYPE_MERGE || string(patch.GetPatch()) != `{"spec":{}}` {
		t.Errorf("sent %v", patch)
	}
	result, err = c.UpdateStatus(ctx, web, []byte(`{"phase":"Ready"}`), precondition)
	check(result, err, token(8), n1.arrived("UpdateStatus")[0].in.(*candorv1.UpdateStatusRequest).GetPreconditions())
	result, err = c.Observe(ctx, web, []byte(`{"running":2}`), precondition)
	check(result, err, token(9), n1.arrived("Observe")[0].in.(*candorv1.ObserveRequest).GetPreconditions())
	result, err = c.Delete(ctx, web, precondition, client.WithPropagation(candor.PropagateBackground))
	check(result, err, token(10), n1.arrived("Delete")[0].in.(*candorv1.DeleteRequest).GetPreconditions())
	if !result.Removed {
		t.Error("not told as removed")
	}
}
