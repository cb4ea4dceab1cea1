package kinds

import (
	"iter"
	"time"

	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/informer"
)

// Collect decodes the items that are in the namespace; an empty one means all.
func Collect[T any](items iter.Seq[*informer.Item], namespace string, read func(*informer.Item) (*T, error)) ([]*T, error) {
	var all []*T
	for item := range items {
		if namespace != "" && item.Metadata.Namespace != namespace {
			continue
		}
		t, err := read(item)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// Until is the result of a reconcile at the cluster time now that is to be repeated at
// next, 0 for never, for a reason.
func Until(next, now int64, reason string) controller.Result {
	if next == 0 {
		return controller.Done()
	}
	return controller.After(max(leastDelay, time.Duration(next-now)), reason)
}

// leastDelay is between two looks: cluster time comes in steps to who does not lead, and
// the last of them may end just before the time that is waited for.
const leastDelay = 20 * time.Millisecond
