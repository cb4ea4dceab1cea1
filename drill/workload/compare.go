package workload

import (
	"context"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/verify/history"
)

// comparison is what an acknowledged write says of the moment before it: each version
// that it was made on the condition of was there at the revision before its own. It is
// recorded as a read of that revision, which package history holds against every other
// write; that is how a lost update is seen. The read is recorded as BEST_EFFORT: a write's
// witness labels nothing better.
type comparison struct {
	call  *history.Call
	items []history.Item
}

// comparer ends the names of the clients that comparisons are recorded under.
const comparer = "/compared"

// Compared says whether an operation is no call of its own, but what a write said of the
// moment before it: whoever measures how long reads take, or wait, leaves it out.
func Compared(o *history.Operation) bool { return strings.HasSuffix(o.Client, comparer) }

// comparing begins one, before the write is called.
func (h *hand) comparing(items []history.Item) comparison {
	return comparison{items: items, call: h.env.Recorder.History().Begin(history.Operation{
		Client: h.name + comparer, Kind: history.KindList, Sessionless: true, Asked: &history.Asked{Freshness: candor.FreshnessBestEffort},
	})}
}

// ended: without an acknowledgement nothing is known of what was compared.
func (c *comparison) ended(result client.Result, err error) {
	switch {
	case err != nil && result.Token.IsZero():
		c.call.Failed(err)
	case !result.Changed:
		c.call.Failed(candor.Errorf(candor.ReasonConflict, "nothing was written"))
	default:
		c.call.Answered(history.Answer{Items: c.items, At: result.Token.Revision - 1, Witness: result.Witness})
	}
}

// read is an item that was read.
func (h *hand) read(o *candor.Object) history.Item {
	return history.Item{Key: keyOf(o), Value: h.value(o), Version: o.Metadata.ResourceVersion}
}

// written is an item as it is to be written.
func (h *hand) written(o *candor.Object) history.Item {
	return history.Item{Key: keyOf(o), Value: h.value(o)}
}

func keyOf(o *candor.Object) string {
	return history.Key(entryRef(o.Metadata.Namespace, o.Metadata.Name))
}

// swap replaces an entry where it is still as it was read.
func (h *hand) swap(ctx context.Context, read, next *candor.Object) (client.Result, error) {
	c := h.comparing([]history.Item{h.read(read)})
	result, err := h.caller.Update(ctx, Kind, at(next, read))
	c.ended(result, err)
	return result, err
}
