package client

import (
	"context"
	"time"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/codec"
)

const (
	// maxCarried is the largest request that goes over a stream: others would wait for
	// it.
	maxCarried = 64 << 10
	// callHead bounds the bytes of a call beside its body.
	callHead = 32
	// keptBody is the largest buffer that is used again.
	keptBody = 4 << 10
)

// calling is one call over a stream. It is its caller's, but for what happens under
// the stream's lock between enqueue and done.
type calling struct {
	id       uint64
	body     []byte
	deadline time.Time
	answer   *candorv1.Answer
	err      error
	// moved: the call surely did not run.
	moved bool
	done  chan struct{} // has room for the one end
	timer *time.Timer
}

func newCalling() any {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return &calling{done: make(chan struct{}, 1), timer: timer}
}

// reset makes it one for another call.
func (c *calling) reset() {
	body := c.body[:0]
	if cap(body) > keptBody {
		body = nil
	}
	*c = calling{body: body, done: c.done, timer: c.timer}
}

// encode is false for a request that is too large.
func (c *calling) encode(ctx context.Context, r *request, within time.Duration) (bool, error) {
	size := proto.Size(r.in)
	if size > maxCarried {
		return false, nil
	}
	c.deadline = time.Now().Add(within)
	if d, ok := ctx.Deadline(); ok && d.Before(c.deadline) {
		c.deadline = d
	}
	b := appendText(c.body[:0], 2, r.method)
	if sent, ok := metadata.FromOutgoingContext(ctx); ok && r.span != nil {
		b = appendText(b, 5, single(sent, "traceparent"))
		b = appendText(b, 6, single(sent, "tracestate"))
	}
	b = appendHead(b, 3, size)
	b, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(b, r.in)
	if err != nil {
		return false, status.Errorf(codes.Internal, "encode the request: %v", err)
	}
	c.body = b
	return true, nil
}

func single(md metadata.MD, key string) string {
	if values := md[key]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// append adds the call to a message, which is sent now.
func (c *calling) append(b []byte, now time.Time) []byte {
	var head [callHead]byte
	h := appendNumber(head[:0], 1, c.id)
	h = appendNumber(h, 4, uint64(max(1, c.deadline.Sub(now))))
	b = appendHead(b, 1, len(h)+len(c.body))
	return append(append(b, h...), c.body...)
}

// appendHead begins a field of that size.
func appendHead(b []byte, field protowire.Number, size int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.BytesType), uint64(size))
}

func appendText(b []byte, field protowire.Number, text string) []byte {
	if text == "" {
		return b
	}
	return append(appendHead(b, field, len(text)), text...)
}

func appendNumber(b []byte, field protowire.Number, n uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), n)
}

// await waits for the end of the call, or its caller's.
func (c *calling) await(ctx context.Context) error {
	var late <-chan time.Time
	if own, ok := ctx.Deadline(); !ok || !own.Equal(c.deadline) {
		c.timer.Reset(time.Until(c.deadline))
		defer c.timer.Stop()
		late = c.timer.C
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	case <-late:
		return status.FromContextError(context.DeadlineExceeded).Err()
	}
}

// decode reads the answer, as gRPC would have.
func (c *calling) decode(r *request) error {
	if encoded := c.answer.GetStatus(); encoded != nil {
		var p spb.Status
		if err := proto.Unmarshal(encoded, &p); err != nil {
			return status.Errorf(codes.Internal, "decode the status: %v", err)
		}
		if err := status.ErrorProto(&p); err != nil {
			return err
		}
		return status.Error(codes.Internal, "the call failed with a status that says that it succeeded")
	}
	if err := callCodec.Unmarshal(mem.BufferSlice{mem.SliceBuffer(c.answer.GetResponse())}, r.out); err != nil {
		return status.Errorf(codes.Internal, "decode the response: %v", err)
	}
	return nil
}

var callCodec = codec.New()
