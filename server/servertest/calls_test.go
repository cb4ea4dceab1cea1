package servertest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server/servertest"
)

// isCarried says whether calls of the method come over streams, too.
func isCarried(full string) bool {
	of, ok := strings.CutPrefix(full, "/candor.v1.ObjectService/")
	return ok && of != "Watch" && of != "List" && of != "History" && of != "Outcome"
}

// calls is one stream, with nothing of a client's cleverness.
type calls struct {
	stream candorv1.CallService_CallsClient
	limit  int
	last   uint64
}

func openCalls(ctx context.Context, conn *grpc.ClientConn) (*calls, error) {
	stream, err := candorv1.NewCallServiceClient(conn).Calls(ctx)
	if err != nil {
		return nil, err
	}
	first, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	return &calls{stream: stream, limit: int(first.GetLimit())}, nil
}

// send begins a call and returns its number.
func (c *calls) send(method string, in proto.Message, timeout time.Duration) (uint64, error) {
	encoded, err := proto.Marshal(in)
	if err != nil {
		return 0, err
	}
	c.last++
	call := &candorv1.Call{Id: c.last, Method: method, Request: encoded, Timeout: uint64(timeout)}
	return c.last, c.stream.Send(&candorv1.CallsRequest{Calls: []*candorv1.Call{call}})
}

// read decodes an answer as gRPC would have.
func read(answer *candorv1.Answer, out proto.Message) error {
	if answer.GetStatus() == nil {
		return proto.Unmarshal(answer.GetResponse(), out)
	}
	var p spb.Status
	if err := proto.Unmarshal(answer.GetStatus(), &p); err != nil {
		return err
	}
	return status.ErrorProto(&p)
}

// overStream makes one call over a stream of its own, which ends well.
func overStream(ctx context.Context, conn *grpc.ClientConn, method string, in, out proto.Message) error {
	c, err := openCalls(ctx, conn)
	if err != nil {
		return err
	}
	deadline, _ := ctx.Deadline()
	if _, err := c.send(method, in, time.Until(deadline)); err != nil {
		return err
	}
	if err := c.stream.CloseSend(); err != nil {
		return err
	}
	m, err := c.stream.Recv()
	if err != nil {
		return err
	}
	if len(m.GetAnswers()) != 1 {
		return fmt.Errorf("%d answers to one call", len(m.GetAnswers()))
	}
	if _, err := c.stream.Recv(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("the stream ended with %w", err)
	}
	return read(m.GetAnswers()[0], out)
}

// told is what a caller hears of a call, as far as it does not tell of the moment.
type told struct {
	What               string
	Code               codes.Code
	Reason             candor.Reason
	Message, Subject   string
	Witnessed          bool
	RetryAfter         time.Duration
	Changed, Replayed  bool
	Object             string
	Accepted, Followed bool
}

// TestACallOverAStreamIsWhatItIsWithout: the same outcome, the same refusal, the same
// line in the account, for whoever asks.
func TestACallOverAStreamIsWhatItIsWithout(t *testing.T) {
	unary := func(ctx context.Context, conn *grpc.ClientConn, method string, in, out proto.Message) error {
		return conn.Invoke(ctx, method, in, out)
	}
	plain, plainAccount := hear(t, unary)
	carried, carriedAccount := hear(t, overStream)
	if len(plain) == 0 || len(plainAccount) == 0 {
		t.Fatalf("%d calls and %d lines say nothing", len(plain), len(plainAccount))
	}
	if diff := cmp.Diff(plain, carried); diff != "" {
		t.Errorf("calls (-unary +over a stream):\n%s", diff)
	}
	if diff := cmp.Diff(plainAccount, carriedAccount); diff != "" {
		t.Errorf("account (-unary +over a stream):\n%s", diff)
	}
}

type way func(ctx context.Context, conn *grpc.ClientConn, method string, in, out proto.Message) error

// hear makes the same calls of a new cluster, and returns what was heard of them and
// the account of them.
func hear(t *testing.T, invoke way) (heard []told, lines []map[string]any) {
	t.Helper()
	data, asked := t.TempDir(), ""
	synctest.Test(t, func(t *testing.T) {
		k := openAccess(t, servertest.Start(t, servertest.WithData(data)))
		asked = k.cluster.Leader().Name()
		_, err := k.root.Create(t.Context(), kindOf("widgets", "Widget"))
		noError(t, err)
		parties := []*party{k.party("olga", "operator"), k.party("vera", "viewer"), {t, dial(t, k.cluster, asked), ""}, {t, dial(t, k.cluster, asked), client.NewToken().String()}}
		for i, p := range parties {
			for _, c := range sameCalls(i) {
				ctx, cancel := context.WithTimeout(p.context(), 5*time.Second)
				err := invoke(ctx, p.conn, c.method, c.in, c.out)
				cancel()
				heard = append(heard, hearing(fmt.Sprintf("%d %s", i, c.what), err, c.out))
			}
		}
	})
	text, err := os.ReadFile(filepath.Join(data, asked, "audit", "audit.log"))
	noError(t, err)
	for line := range strings.Lines(string(text)) {
		var r map[string]any
		noError(t, json.Unmarshal([]byte(line), &r))
		if r["actor"] == "root" {
			continue
		}
		kept := map[string]any{}
		for _, key := range []string{"actor", "authenticatedBy", "method", "verb", "kind", "namespace", "name", "section", "verdict", "reason", "requestId"} {
			kept[key] = r[key]
		}
		_, kept["accepted"] = r["rootToken"]
		_, kept["from"] = r["source"]
		lines = append(lines, kept)
	}
	return heard, lines
}

// number is one of an entry or a revision, as often as not.
var number = regexp.MustCompile(`\d+`)

func hearing(what string, err error, out proto.Message) told {
	h := told{What: what, Code: status.Code(err)}
	if e, ok := convert.Refusal(err); ok {
		h.Reason, h.Message, h.Subject, h.RetryAfter = e.Reason, number.ReplaceAllString(e.Message, "#"), e.Subject, e.RetryAfter
		h.Witnessed, h.Followed = e.Witness != nil, e.Leader != nil
		if e.Witness != nil {
			h.Followed = h.Followed || e.Witness.Leader != nil
		}
		return h
	}
	if err != nil {
		return h
	}
	if w, ok := out.(interface {
		GetResult() *candorv1.WriteResult
	}); ok {
		r := w.GetResult()
		h.Changed, h.Replayed, h.Accepted = r.GetChanged(), r.GetReplayed(), r.GetAcceptedRootToken().GetRevision() > 0
		if o := convert.ObjectFromProto(r.GetObject()); o != nil {
			h.Object = o.Metadata.Name
		}
		h.Witnessed = r.GetWitness() != nil
	}
	if g, ok := out.(*candorv1.GetResponse); ok {
		h.Object, h.Witnessed = g.GetObject().GetMetadata().GetName(), g.GetWitness() != nil
	}
	return h
}

type sameCall struct {
	what, method string
	in, out      proto.Message
}

// sameCalls are of every method that comes over streams: done, replayed and refused.
func sameCalls(party int) []sameCall {
	name := fmt.Sprintf("w%d", party)
	object := func(o *candor.Object) *candorv1.Object { return convert.ObjectToProto(o) }
	stale := widget("default", name)
	stale.Metadata.ResourceVersion = 1
	options := func(id string) *candorv1.WriteOptions {
		return &candorv1.WriteOptions{RequestId: fmt.Sprintf("%s-%d", id, party), NotAfter: time.Now().Add(time.Minute).UnixNano()}
	}
	create := func() *candorv1.CreateRequest {
		return &candorv1.CreateRequest{Object: object(widget("default", name)), Write: options("create")}
	}
	kind := string(widgets)
	return []sameCall{
		{"create", candorv1.ObjectService_Create_FullMethodName, create(), &candorv1.CreateResponse{}},
		{"create, repeated", candorv1.ObjectService_Create_FullMethodName, create(), &candorv1.CreateResponse{}},
		{"create what there is", candorv1.ObjectService_Create_FullMethodName, &candorv1.CreateRequest{Object: object(widget("default", name))}, &candorv1.CreateResponse{}},
		{"create of a kind that there is not", candorv1.ObjectService_Create_FullMethodName, &candorv1.CreateRequest{Object: accessProto("Nothing", name)}, &candorv1.CreateResponse{}},
		{"create nothing", candorv1.ObjectService_Create_FullMethodName, &candorv1.CreateRequest{}, &candorv1.CreateResponse{}},
		{"create with an ID and no end", candorv1.ObjectService_Create_FullMethodName, &candorv1.CreateRequest{Object: object(widget("default", "x")), Write: &candorv1.WriteOptions{RequestId: "endless"}}, &candorv1.CreateResponse{}},
		{"create too late", candorv1.ObjectService_Create_FullMethodName, &candorv1.CreateRequest{Object: object(widget("default", "late")), Write: &candorv1.WriteOptions{RequestId: "late", NotAfter: 1}}, &candorv1.CreateResponse{}},
		{"create a role", candorv1.ObjectService_Create_FullMethodName, &candorv1.CreateRequest{Object: accessProto("Role", name)}, &candorv1.CreateResponse{}},
		{"update", candorv1.ObjectService_Update_FullMethodName, &candorv1.UpdateRequest{Object: object(widget("default", name)), Write: options("update")}, &candorv1.UpdateResponse{}},
		{"update what is stale", candorv1.ObjectService_Update_FullMethodName, &candorv1.UpdateRequest{Object: object(stale)}, &candorv1.UpdateResponse{}},
		{"status", candorv1.ObjectService_UpdateStatus_FullMethodName, &candorv1.UpdateStatusRequest{Kind: kind, Namespace: "default", Name: name, Status: []byte(`{"phase":"Ready"}`), Write: options("status")}, &candorv1.UpdateStatusResponse{}},
		{"observe", candorv1.ObjectService_Observe_FullMethodName, &candorv1.ObserveRequest{Kind: kind, Namespace: "default", Name: name, Observed: []byte(`{"seen":1}`)}, &candorv1.ObserveResponse{}},
		{"patch", candorv1.ObjectService_Patch_FullMethodName, &candorv1.PatchRequest{Kind: kind, Namespace: "default", Name: name, Type: candorv1.PatchType_PATCH_TYPE_MERGE, Patch: []byte(`{"spec":{"a":1}}`), Write: options("patch")}, &candorv1.PatchResponse{}},
		{"patch that is none", candorv1.ObjectService_Patch_FullMethodName, &candorv1.PatchRequest{Kind: kind, Namespace: "default", Name: name, Type: candorv1.PatchType_PATCH_TYPE_MERGE, Patch: []byte(`{`)}, &candorv1.PatchResponse{}},
		{"dry run", candorv1.ObjectService_Patch_FullMethodName, &candorv1.PatchRequest{Kind: kind, Namespace: "default", Name: name, Type: candorv1.PatchType_PATCH_TYPE_MERGE, Patch: []byte(`{"spec":{"a":2}}`), Write: &candorv1.WriteOptions{DryRun: true}}, &candorv1.PatchResponse{}},
		{"transaction", candorv1.ObjectService_Txn_FullMethodName, &candorv1.TxnRequest{
			Compares: []*candorv1.Compare{{Kind: kind, Namespace: "default", Name: name, Condition: &candorv1.Compare_Exists{Exists: true}}},
			Then:     []*candorv1.TxnOperation{{Operation: &candorv1.TxnOperation_Create{Create: object(widget("default", name+"-more"))}}},
			Write:    options("txn"),
		}, &candorv1.TxnResponse{}},
		{"get", candorv1.ObjectService_Get_FullMethodName, &candorv1.GetRequest{Kind: kind, Namespace: "default", Name: name}, &candorv1.GetResponse{}},
		{"get what there is not", candorv1.ObjectService_Get_FullMethodName, &candorv1.GetRequest{Kind: kind, Namespace: "default", Name: "nothing"}, &candorv1.GetResponse{}},
		{"get what is ahead", candorv1.ObjectService_Get_FullMethodName, &candorv1.GetRequest{Kind: kind, Namespace: "default", Name: name, Read: &candorv1.ReadOptions{RequiredRootToken: &candorv1.PortableToken{Token: &candorv1.RootToken{Term: 99, Index: 9999, Revision: 9999}}}}, &candorv1.GetResponse{}},
		{"delete", candorv1.ObjectService_Delete_FullMethodName, &candorv1.DeleteRequest{Kind: kind, Namespace: "default", Name: name, Write: options("delete")}, &candorv1.DeleteResponse{}},
		{"delete what there is not", candorv1.ObjectService_Delete_FullMethodName, &candorv1.DeleteRequest{Kind: kind, Namespace: "default", Name: name}, &candorv1.DeleteResponse{}},
	}
}

func accessProto(kind, name string) *candorv1.Object {
	return convert.ObjectToProto(accessObject(kind, name, `{}`))
}
