package budgets

import (
	"fmt"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
)

// Hold is a budget that lets an instance not be taken, and why.
type Hold struct {
	Budget candor.Ref
	Why    string
}

// String is "disruptionbudgets/default/web: …".
func (h Hold) String() string { return h.Budget.String() + ": " + h.Why }

// Taking is what evicting one instance takes: the deletion, and each budget's share.
type Taking struct {
	Compares []controller.Compare
	Ops      []controller.Op
	// Budgets are those that it takes from or rests on.
	Budgets []candor.Ref
}

// Take is how an instance is evicted; a Hold says that a budget does not allow it now.
// An instance that is not ready may go where the others are as many as wanted: nothing is
// taken for it then, and each budget must still be as it was read. Budgets are those of
// the instance's namespace.
func Take(i *kinds.Instance, all []*kinds.Budget) (Taking, *Hold) {
	taking := Taking{Ops: []controller.Op{i.Delete()}}
	for _, b := range all {
		if !Selects(b, i) {
			continue
		}
		s := b.Status
		hold := &Hold{Budget: b.Ref}
		taking.Budgets = append(taking.Budgets, b.Ref)
		switch {
		case s.ObservedGeneration != b.Meta().Generation:
			hold.Why = "it was not counted yet"
			return Taking{}, hold
		case !sensible(b):
			hold.Why = "its selector or its bound does not say what it allows"
			return Taking{}, hold
		case !i.Ready() && s.Healthy >= s.Wanted:
			taking.Compares = append(taking.Compares, b.Compare())
		case s.Allowed <= 0:
			hold.Why = fmt.Sprintf("%d of %d are healthy and %d are wanted", s.Healthy, s.Expected, s.Wanted)
			return Taking{}, hold
		default:
			taking.Ops = append(taking.Ops, takeOne(b, i))
		}
	}
	return taking, nil
}

// Selects says whether a budget is about an instance. One that does not parse is about
// every instance of its namespace: what it was meant for is not known.
func Selects(b *kinds.Budget, i *kinds.Instance) bool {
	if b.Ref.Namespace != i.Ref.Namespace || b.Terminating() {
		return false
	}
	selector, err := candor.ParseSelector(b.Spec.Instances)
	return err != nil || selector.Matches(i.Object.Metadata.Labels)
}

func takeOne(b *kinds.Budget, i *kinds.Instance) controller.Op {
	next := *b.Status
	next.Allowed--
	next.Healthy -= int32(one(i.Ready()))
	next.Disrupted = append(slices.Clone(next.Disrupted), i.Meta().UID)
	slices.Sort(next.Disrupted)
	op, _ := b.Write(&next)
	return op
}
