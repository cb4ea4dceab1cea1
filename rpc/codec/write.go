package codec

import (
	"github.com/candor-plane/candor/internal/wire"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// watchSize bounds the size of a message of events. It is false where an object
// is not in its stored form, or a message has what this build does not know.
func watchSize(m *candorv1.WatchResponse) (size int, ok bool) {
	const head = 32
	size = head
	for _, e := range m.GetEvents() {
		object, ok := storedForm(e.GetObject())
		if !ok {
			return 0, false
		}
		previous, ok := storedForm(e.GetPrevious())
		if !ok {
			return 0, false
		}
		size += 2*head + len(object) + len(previous)
	}
	return size, m.GetWitness() == nil && len(m.ProtoReflect().GetUnknown()) == 0
}

func appendWatch(b []byte, m *candorv1.WatchResponse) []byte {
	b = wire.AppendUint(b, 1, uint64(m.GetType()))
	b = wire.AppendUint(b, 2, m.GetRevision())
	for _, e := range m.GetEvents() {
		b = wire.AppendNested(b, 3, func(b []byte) []byte {
			b = wire.AppendUint(b, 1, uint64(e.GetType()))
			b = wire.AppendUint(b, 2, e.GetRevision())
			if object, _ := storedForm(e.GetObject()); object != nil {
				b = wire.AppendMessage(b, 3, object)
			}
			if previous, _ := storedForm(e.GetPrevious()); previous != nil {
				b = wire.AppendMessage(b, 4, previous)
			}
			return b
		})
	}
	return b
}

// storedForm is nil for no object; false for one that has fields.
func storedForm(o *candorv1.Object) ([]byte, bool) {
	if o == nil {
		return nil, true
	}
	if o.GetMetadata() != nil || o.GetCause() != nil ||
		len(o.GetApiVersion())+len(o.GetKind())+len(o.GetSpec())+len(o.GetStatus())+len(o.GetObserved()) > 0 {
		return nil, false
	}
	data := o.ProtoReflect().GetUnknown()
	return data, data != nil
}
