package client

import (
	"bytes"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// delivered is a message as it came for one or more watches. It is read once.
type delivered struct {
	data []byte
	// many watches have it.
	many bool

	once    sync.Once
	message *candorv1.WatchResponse
	err     error
}

// read is the message for one watch. Where shared is true, others have it, too, and
// nobody may keep or change a part of it: the strings and texts of objects are parts
// of its bytes, and what one watch's caller does to them no other one's shall see.
func (d *delivered) read() (m *candorv1.WatchResponse, shared bool, err error) {
	d.once.Do(func() { d.message, d.err = decodeWatch(d.data) })
	if d.err != nil || !d.many {
		return d.message, false, d.err
	}
	if d.message.GetWitness() == nil {
		return d.message, true, nil
	}
	m, err = decodeWatch(bytes.Clone(d.data))
	return m, false, err
}

func decodeWatch(data []byte) (*candorv1.WatchResponse, error) {
	m := new(candorv1.WatchResponse)
	if err := callCodec.Unmarshal(mem.BufferSlice{mem.SliceBuffer(data)}, m); err != nil {
		return nil, status.Errorf(codes.Internal, "decode the response: %v", err)
	}
	return m, nil
}

// ownEvent is room for an event of one watch whose message others have, too.
type ownEvent struct {
	event            candorv1.Event
	object, previous candorv1.Object
}

// of is a copy that lasts until the next one, but for the bytes of its objects, which
// are whoever's that takes them.
func (o *ownEvent) of(shared *candorv1.Event) *candorv1.Event {
	o.event.Type, o.event.Revision = shared.GetType(), shared.GetRevision()
	o.event.Object, o.event.Previous = ownObject(&o.object, shared.GetObject()), ownObject(&o.previous, shared.GetPrevious())
	return &o.event
}

func ownObject(room, shared *candorv1.Object) *candorv1.Object {
	if shared == nil {
		return nil
	}
	stored := shared.ProtoReflect().GetUnknown()
	if stored == nil || shared.GetMetadata() != nil {
		return proto.CloneOf(shared)
	}
	room.ProtoReflect().SetUnknown(bytes.Clone(stored))
	return room
}
