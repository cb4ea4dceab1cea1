package grpcapi_test

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// wrong are requests that decode and that a server refuses, each for one
// reason, in the state of the fixture.
func wrong() []request {
	forward := func(data []byte) *candorv1.ForwardRequest {
		return &candorv1.ForwardRequest{ClusterId: clusterID, Command: data}
	}
	forwarded := func(c *command.Command) *candorv1.ForwardRequest { return forward(command.AppendCommand(nil, c)) }
	write := func(ops ...command.Operation) *command.Command {
		return &command.Command{Type: command.TypeWrite, Actor: "ana", Then: ops}
	}
	object := func(edit func(*candor.Object)) *candorv1.Object {
		o := widget("x")
		edit(o)
		return convert.ObjectToProto(o)
	}
	// damaged is an object whose metadata is no message: protobuf keeps it as
	// a field that it does not know.
	damaged := new(candorv1.Object)
	damaged.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 3, protowire.VarintType), 1))
	patch := func(kind candorv1.PatchType, text string) *candorv1.PatchRequest {
		return &candorv1.PatchRequest{Kind: widgets, Namespace: "team", Name: "a", Type: kind, Patch: []byte(text)}
	}
	const merge, jsonPatch = candorv1.PatchType_PATCH_TYPE_MERGE, candorv1.PatchType_PATCH_TYPE_JSON
	read := func(o *candorv1.ReadOptions) *candorv1.GetRequest {
		return &candorv1.GetRequest{Kind: widgets, Namespace: "team", Name: "a", Read: o}
	}
	options := func(o *candorv1.WriteOptions) *candorv1.DeleteRequest {
		return &candorv1.DeleteRequest{Kind: widgets, Namespace: "team", Name: "a", Write: o}
	}
	at := func(p *candorv1.Preconditions) *candorv1.DeleteRequest {
		return &candorv1.DeleteRequest{Kind: widgets, Namespace: "team", Name: "a", Preconditions: p}
	}
	token := func(clusterID, historyID string) *candorv1.ReadOptions {
		return &candorv1.ReadOptions{RequiredRootToken: &candorv1.PortableToken{Token: &candorv1.RootToken{Index: 1}, ClusterId: clusterID, HistoryId: historyID}}
	}
	many := make([]*candorv1.TxnOperation, candor.MaxTurnObjects+1)
	for i := range many {
		many[i] = &candorv1.TxnOperation{Operation: &candorv1.TxnOperation_Get{Get: read(nil)}}
	}
	txn := func(ops ...*candorv1.TxnOperation) *candorv1.TxnRequest { return &candorv1.TxnRequest{Then: ops} }
	compare := func(c *candorv1.Compare) *candorv1.TxnRequest {
		return &candorv1.TxnRequest{Compares: []*candorv1.Compare{c}}
	}
	unborn := &candor.Object{APIVersion: candor.APIVersion, Kind: "Namespace", Spec: []byte(`{}`), Metadata: candor.Metadata{Name: "unborn", UID: "u"}}
	unborned := func(edit func(*candor.Object)) *command.Command {
		o := *unborn
		edit(&o)
		return write(command.Operation{Verb: command.VerbCreate, Kind: candor.KindNamespaces, KindRevision: 1, Object: &o})
	}

	const (
		get, list, create = candorv1.ObjectService_Get_FullMethodName, candorv1.ObjectService_List_FullMethodName, candorv1.ObjectService_Create_FullMethodName
		update, remove    = candorv1.ObjectService_Update_FullMethodName, candorv1.ObjectService_Delete_FullMethodName
		patching, txns    = candorv1.ObjectService_Patch_FullMethodName, candorv1.ObjectService_Txn_FullMethodName
		watch, history    = candorv1.ObjectService_Watch_FullMethodName, candorv1.ObjectService_History_FullMethodName
		join, forwarding  = candorv1.ClusterService_Join_FullMethodName, candorv1.PeerService_Forward_FullMethodName
		promote, expel    = candorv1.ClusterService_Promote_FullMethodName, candorv1.ClusterService_Remove_FullMethodName
		compact, raise    = candorv1.ClusterService_Compact_FullMethodName, candorv1.ClusterService_RaiseFeatureLevel_FullMethodName
		transfer          = candorv1.ClusterService_TransferLeader_FullMethodName
		tail              = candorv1.NodeService_TailAudit_FullMethodName
		status, observe   = candorv1.ObjectService_UpdateStatus_FullMethodName, candorv1.ObjectService_Observe_FullMethodName
	)
	return []request{
		{get, &candorv1.GetRequest{}, candor.ReasonUnknownKind},
		{get, &candorv1.GetRequest{Kind: "gizmos.example.com", Name: "a"}, candor.ReasonUnknownKind},
		{get, &candorv1.GetRequest{Kind: widgets, Name: "a"}, candor.ReasonNotFound},
		{get, &candorv1.GetRequest{Kind: widgets, Namespace: "te", Name: "am/a"}, candor.ReasonNotFound},
		{get, read(&candorv1.ReadOptions{AtRevision: math.MaxUint64}), candor.ReasonRootTokenNotReached},
		{get, read(&candorv1.ReadOptions{Freshness: candorv1.Freshness_FRESHNESS_BOUNDED, MaxStaleness: &durationpb.Duration{Seconds: -1}}), candor.ReasonInvalid},
		{get, read(token(clusterID, "another")), candor.ReasonHistoryMismatch},
		{get, read(token("another", historyID)), candor.ReasonHistoryMismatch},
		{history, &candorv1.HistoryRequest{Kind: widgets, Namespace: "team", Name: "never"}, candor.ReasonNotFound},

		{list, &candorv1.ListRequest{Kind: "gizmos.example.com"}, candor.ReasonUnknownKind},
		{list, &candorv1.ListRequest{Kind: widgets, LabelSelector: "a in (b"}, candor.ReasonInvalid},
		{list, &candorv1.ListRequest{Kind: widgets, Continue: "!"}, candor.ReasonInvalid},
		{list, &candorv1.ListRequest{Kind: widgets, Namespace: "team", Continue: continueToken}, candor.ReasonInvalid},

		{create, &candorv1.CreateRequest{}, candor.ReasonInvalid},
		{create, &candorv1.CreateRequest{Object: damaged}, candor.ReasonInvalid},
		{create, &candorv1.CreateRequest{Object: &candorv1.Object{}}, candor.ReasonUnknownKind},
		{create, &candorv1.CreateRequest{Object: object(func(o *candor.Object) { o.Kind = "Gizmo" })}, candor.ReasonUnknownKind},
		{create, &candorv1.CreateRequest{Object: object(func(o *candor.Object) { o.Metadata.Name = "A" })}, candor.ReasonInvalid},
		{create, &candorv1.CreateRequest{Object: object(func(o *candor.Object) { o.Metadata.Name = "a" })}, candor.ReasonAlreadyExists},
		{create, &candorv1.CreateRequest{Object: object(func(o *candor.Object) { o.Metadata.Namespace = "nowhere" })}, candor.ReasonNotFound},
		{create, &candorv1.CreateRequest{Object: object(func(o *candor.Object) { o.Spec = []byte(`{"size":-1}`) })}, candor.ReasonInvalid},
		{create, &candorv1.CreateRequest{Object: object(func(o *candor.Object) { o.Spec = []byte(`{"colour":"red"}`) })}, candor.ReasonInvalid},
		{create, &candorv1.CreateRequest{Object: object(func(o *candor.Object) { o.Spec = []byte(`{"size":`) })}, candor.ReasonInvalid},
		{create, &candorv1.CreateRequest{Object: object(func(o *candor.Object) { o.Spec = []byte(strings.Repeat("[", 20_000)) })}, candor.ReasonInvalid},
		{create, &candorv1.CreateRequest{Object: object(func(o *candor.Object) {
			o.Spec = fmt.Appendf(nil, `{"note":%q}`, bytes.Repeat([]byte("x"), candor.MaxObjectBytes))
		})}, candor.ReasonInvalid},
		{create, &candorv1.CreateRequest{Object: object(func(o *candor.Object) { o.Status = []byte(`{}`) })}, candor.ReasonSectionForbidden},
		{create, &candorv1.CreateRequest{Object: object(func(o *candor.Object) { o.Observed = []byte(`{}`) })}, candor.ReasonSectionForbidden},
		{create, &candorv1.CreateRequest{Object: object(func(o *candor.Object) {
			o.Metadata.Owners = []candor.OwnerReference{{Kind: widgets, Name: "nobody", UID: "u"}}
		})}, candor.ReasonOwnerInvalid},

		{update, &candorv1.UpdateRequest{}, candor.ReasonInvalid},
		{update, &candorv1.UpdateRequest{Object: damaged}, candor.ReasonInvalid},
		{update, &candorv1.UpdateRequest{Object: object(func(*candor.Object) {})}, candor.ReasonNotFound},
		{update, &candorv1.UpdateRequest{Object: object(func(o *candor.Object) { o.Metadata.Name, o.Metadata.ResourceVersion = "a", 3 })}, candor.ReasonConflict},
		{update, &candorv1.UpdateRequest{Object: object(func(o *candor.Object) { o.Metadata.Name, o.Metadata.UID = "a", "another" })}, candor.ReasonConflict},
		{update, &candorv1.UpdateRequest{Object: object(func(o *candor.Object) { o.Metadata.Name, o.Status = "a", []byte(`{"phase":"Ready"}`) })}, candor.ReasonSectionForbidden},

		{status, &candorv1.UpdateStatusRequest{Kind: widgets, Namespace: "team", Name: "never", Status: []byte(`{}`)}, candor.ReasonNotFound},
		{status, &candorv1.UpdateStatusRequest{Kind: widgets, Namespace: "team", Name: "a", Status: []byte(`[]`)}, candor.ReasonInvalid},
		{status, &candorv1.UpdateStatusRequest{Kind: widgets, Namespace: "team", Name: "a", Status: []byte(`{"observed":{"seen":1}}`)}, candor.ReasonInvalid},
		{status, &candorv1.UpdateStatusRequest{Kind: widgets, Namespace: "team", Name: "a", Status: []byte(`{}`), Preconditions: &candorv1.Preconditions{ResourceVersion: 3}}, candor.ReasonConflict},
		{observe, &candorv1.ObserveRequest{Kind: widgets, Namespace: "team", Name: "a", Observed: []byte(`{"seen":"x"}`)}, candor.ReasonInvalid},
		{observe, &candorv1.ObserveRequest{Kind: widgets, Namespace: "team", Name: "a", Observed: []byte(`{}`), Preconditions: &candorv1.Preconditions{Uid: "another"}}, candor.ReasonConflict},

		{tail, &candorv1.TailAuditRequest{Verdict: "GRANTED"}, candor.ReasonInvalid},
		{tail, &candorv1.TailAuditRequest{Method: "Steal"}, candor.ReasonInvalid},

		{remove, at(&candorv1.Preconditions{ResourceVersion: 3}), candor.ReasonConflict},
		{remove, at(&candorv1.Preconditions{Uid: "another"}), candor.ReasonConflict},
		{remove, &candorv1.DeleteRequest{Kind: widgets, Namespace: "team", Name: "never"}, candor.ReasonNotFound},
		{remove, &candorv1.DeleteRequest{Kind: string(candor.KindNamespaces), Name: "default"}, candor.ReasonInvalid},
		{remove, &candorv1.DeleteRequest{Kind: string(candor.KindKinds), Name: widgets}, candor.ReasonKindInUse},
		{remove, options(&candorv1.WriteOptions{RequestId: "r"}), candor.ReasonInvalid},
		{remove, options(&candorv1.WriteOptions{RequestId: "r", NotAfter: 1}), candor.ReasonRequestExpired},
		{remove, options(&candorv1.WriteOptions{RequestId: "r", NotAfter: math.MinInt64}), candor.ReasonRequestExpired},
		{remove, options(&candorv1.WriteOptions{RequestId: "r", NotAfter: math.MaxInt64}), candor.ReasonInvalid},
		{remove, options(&candorv1.WriteOptions{RequestId: strings.Repeat("r", candor.MaxRequestIDBytes+1), NotAfter: 1}), candor.ReasonInvalid},
		{remove, options(&candorv1.WriteOptions{Message: strings.Repeat("m", 4097)}), candor.ReasonInvalid},
		{remove, options(&candorv1.WriteOptions{Because: &candorv1.ObjectVersionRef{Name: strings.Repeat("b", candor.MaxObjectBytes)}}), candor.ReasonInvalid},
		{remove, options(&candorv1.WriteOptions{ExpectedConfigurationIndex: 99}), candor.ReasonEpochMismatch},

		{patching, patch(0, `{}`), candor.ReasonInvalid},
		{patching, patch(merge, ``), candor.ReasonInvalid},
		{patching, patch(merge, `{`), candor.ReasonInvalid},
		{patching, patch(merge, `null`), candor.ReasonInvalid},
		{patching, patch(merge, `[1]`), candor.ReasonInvalid},
		{patching, patch(merge, `"x"`), candor.ReasonInvalid},
		{patching, patch(merge, `{"metadata":null}`), candor.ReasonInvalid},
		{patching, patch(merge, `{"metadata":{"name":"b"}}`), candor.ReasonInvalid},
		{patching, patch(merge, `{"metadata":{"namespace":"default"}}`), candor.ReasonInvalid},
		{patching, patch(merge, `{"kind":"Namespace","apiVersion":"candor/v1"}`), candor.ReasonInvalid},
		{patching, patch(merge, `{"spec":{"colour":"red"}}`), candor.ReasonInvalid},
		{patching, patch(merge, `{"colour":"red"}`), candor.ReasonInvalid},
		{patching, patch(merge, `{"status":{"phase":"Ready"}}`), candor.ReasonSectionForbidden},
		{patching, patch(merge, `{"spec":`+strings.Repeat(`{"a":`, 11_000)+`1`+strings.Repeat(`}`, 11_000)+`}`), candor.ReasonInvalid},
		{patching, patch(jsonPatch, `{}`), candor.ReasonInvalid},
		{patching, patch(jsonPatch, `[{}]`), candor.ReasonInvalid},
		{patching, patch(jsonPatch, `[null]`), candor.ReasonInvalid},
		{patching, patch(jsonPatch, `[{"op":"add"}]`), candor.ReasonInvalid},
		{patching, patch(jsonPatch, `[{"op":"add","path":"","value":null}]`), candor.ReasonInvalid},
		{patching, patch(jsonPatch, `[{"op":"remove","path":""}]`), candor.ReasonInvalid},
		{patching, patch(jsonPatch, `[{"op":"test","path":"/spec/size","value":3}]`), candor.ReasonInvalid},
		{patching, patch(jsonPatch, `[{"op":"remove","path":"/spec/colour"}]`), candor.ReasonInvalid},
		{patching, patch(jsonPatch, `[{"op":"add","path":"/spec/list/1000000000","value":1}]`), candor.ReasonInvalid},
		{patching, patch(jsonPatch, `[{"op":"add","path":"/spec/list/-9223372036854775808","value":1}]`), candor.ReasonInvalid},
		{patching, patch(jsonPatch, `[{"op":"move","from":"/spec","path":"/spec/list"}]`), candor.ReasonInvalid},
		{patching, patch(jsonPatch, doubling(20)), candor.ReasonInvalid},
		{patching, &candorv1.PatchRequest{Kind: widgets, Namespace: "team", Name: "never", Type: merge, Patch: []byte(`{}`)}, candor.ReasonNotFound},
		{patching, &candorv1.PatchRequest{Kind: "gizmos.example.com", Name: "a", Type: merge, Patch: []byte(`{}`)}, candor.ReasonUnknownKind},

		{txns, txn(&candorv1.TxnOperation{}), candor.ReasonInvalid},
		{txns, txn(&candorv1.TxnOperation{Operation: &candorv1.TxnOperation_Create{Create: damaged}}), candor.ReasonInvalid},
		{txns, txn(&candorv1.TxnOperation{Operation: &candorv1.TxnOperation_Update{Update: damaged}}), candor.ReasonInvalid},
		{txns, txn(many...), candor.ReasonTurnTooLarge},
		{txns, txn(
			&candorv1.TxnOperation{Operation: &candorv1.TxnOperation_Delete{Delete: at(nil)}},
			&candorv1.TxnOperation{Operation: &candorv1.TxnOperation_Delete{Delete: at(nil)}},
		), candor.ReasonInvalid},
		{txns, compare(&candorv1.Compare{Kind: widgets, Name: "a"}), candor.ReasonInvalid},
		{txns, compare(&candorv1.Compare{Condition: &candorv1.Compare_Exists{}}), candor.ReasonInvalid},

		{watch, &candorv1.WatchRequest{Kind: "gizmos.example.com"}, candor.ReasonUnknownKind},
		{watch, &candorv1.WatchRequest{Kind: widgets, LabelSelector: "=", AfterRevision: 1}, candor.ReasonInvalid},
		{watch, &candorv1.WatchRequest{Kind: widgets, AfterRevision: math.MaxUint64, BookmarkIntervalMs: math.MaxUint32}, candor.ReasonRootTokenNotReached},

		{join, &candorv1.JoinRequest{}, candor.ReasonInvalid},
		{join, &candorv1.JoinRequest{ServerId: "s", Name: "n9", RaftAddress: "n9/raft", ApiAddress: "n9", ClusterId: "another", FeatureLevel: 1}, candor.ReasonClusterMismatch},
		{join, &candorv1.JoinRequest{ServerId: "s", Name: "n9", RaftAddress: "n9/raft", ApiAddress: "n9"}, candor.ReasonFeatureLevel},
		{join, &candorv1.JoinRequest{ServerId: "s", Name: "n1", RaftAddress: "n9/raft", ApiAddress: "n9", FeatureLevel: 1}, candor.ReasonMemberExists},
		{promote, &candorv1.PromoteRequest{}, candor.ReasonNotAMember},
		{promote, &candorv1.PromoteRequest{Server: "n2", ExpectedConfigurationIndex: 99}, candor.ReasonEpochMismatch},
		{expel, &candorv1.RemoveRequest{Server: "n9"}, candor.ReasonNotAMember},
		{transfer, &candorv1.TransferLeaderRequest{Server: "n9"}, candor.ReasonNotAMember},
		{compact, &candorv1.CompactRequest{}, candor.ReasonInvalid},
		{compact, &candorv1.CompactRequest{Revision: math.MaxUint64}, candor.ReasonInvalid},
		{raise, &candorv1.RaiseFeatureLevelRequest{Level: math.MaxUint32}, candor.ReasonFeatureLevel},
		{raise, &candorv1.RaiseFeatureLevelRequest{}, candor.ReasonFeatureLevel},

		{forwarding, &candorv1.ForwardRequest{Command: []byte{1}}, candor.ReasonClusterMismatch},
		{forwarding, &candorv1.ForwardRequest{ClusterId: clusterID, Term: 99, Command: command.AppendCommand(nil, command.Compact(1))}, candor.ReasonNotLeader},
		{forwarding, forward(nil), candor.ReasonInvalid},
		{forwarding, forward([]byte("garbage")), candor.ReasonInvalid},
		{forwarding, forward(command.AppendCommand(nil, write(command.Operation{Verb: command.VerbDelete, Kind: widgets, Namespace: "team", Name: "a"}))[:20]), candor.ReasonInvalid},
		{forwarding, forwarded(&command.Command{Actor: "ana"}), candor.ReasonFeatureLevel},
		{forwarding, forwarded(&command.Command{Type: 200, Actor: "ana"}), candor.ReasonFeatureLevel},
		{forwarding, forwarded(command.RaiseLevel(candor.FeatureLevel + 1)), candor.ReasonFeatureLevel},
		{forwarding, forwarded(command.LeaderStart(2, "somebody")), candor.ReasonInvalid},
		{forwarding, forwarded(command.Tick()), candor.ReasonInvalid},
		{forwarding, forwarded(&command.Command{Type: command.TypeWrite, Actor: "ana", Compares: []command.Compare{{Condition: 99}}}), candor.ReasonFeatureLevel},
		{forwarding, forwarded(write(command.Operation{Verb: command.VerbCreate, Kind: widgets, KindRevision: 2})), candor.ReasonInvalid},
		{forwarding, forwarded(write(command.Operation{Verb: command.VerbUpdate, Kind: widgets, KindRevision: 2})), candor.ReasonInvalid},
		{forwarding, forwarded(write(command.Operation{Verb: 77, Kind: widgets, KindRevision: 2, Object: unborn})), candor.ReasonFeatureLevel},
		{forwarding, forwarded(unborned(func(o *candor.Object) { o.Metadata.Name = "" })), candor.ReasonInvalid},
		{forwarding, forwarded(unborned(func(o *candor.Object) { o.Metadata.UID = "" })), candor.ReasonInvalid},
		{forwarding, forwarded(unborned(func(o *candor.Object) { o.Metadata.Labels = map[string]string{"a": "\xff"} })), candor.ReasonInvalid},
		{forwarding, forwarded(unborned(func(o *candor.Object) { o.Spec = []byte("{") })), candor.ReasonInvalid},
		{forwarding, forwarded(&command.Command{Type: command.TypeWrite, Actor: "\xff"}), candor.ReasonInvalid},
		{forwarding, forwarded(&command.Command{Type: command.TypeWrite}), candor.ReasonInvalid},
		{forwarding, forwarded(command.Hello("server-9", "\xff", "n9", 1)), candor.ReasonInvalid},
		{forwarding, forwarded(command.Hello("", "n9", "n9", 1)), candor.ReasonInvalid},
	}
}

// doubling is a JSON patch of n operations, each of which makes a list as long
// again: what it would make is beyond any object, and any memory.
func doubling(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `[{"op":"add","path":"/spec/list","value":[%s1]}`, strings.Repeat("1,", 1000))
	for range n {
		b.WriteString(`,{"op":"copy","from":"/spec/list","path":"/spec/list/-"}`)
	}
	b.WriteByte(']')
	return b.String()
}

// TestRequestsThatAreWrongAreRefusedWithTheirReason, by the leader and by a
// follower alike, and change nothing.
func TestRequestsThatAreWrongAreRefusedWithTheirReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newFixture(t)
		methods := surface()
		leader := x.dial(x.cluster.Leader().Name(), grpc.ForceCodec(opaque{}))
		for i, r := range wrong() {
			before := x.view().Token().Revision
			began := time.Now()
			err := ask(t.Context(), leader, r.method, methods[r.method], r.bytes(t))
			refused, ok := convert.Refusal(err)
			if !ok || refused.Reason != r.refused || refused.Message == "" {
				t.Errorf("%d: %s %.200v: %v, want %s", i, r.method, r.message, err, r.refused)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("%d: %s took %s", i, r.method, took)
			}
			if now := x.view().Token().Revision; now != before {
				t.Errorf("%d: %s: the refused request made revision %d", i, r.method, now)
			}
		}
		x.wantSound()
	})
}
