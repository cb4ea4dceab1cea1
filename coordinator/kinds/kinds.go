package kinds

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/informer"
)

type (
	// Workload is an object of kind workloads.candor.
	Workload struct {
		Typed[candor.WorkloadSpec, candor.WorkloadStatus]
	}

	// Instance is one of kind instances.candor. Observed is nil until its worker spoke.
	Instance struct {
		Typed[candor.InstanceSpec, candor.InstanceStatus]
		Observed *candor.InstanceObserved
	}

	// Node is one of kind nodes.candor. Observed is nil until its worker spoke.
	Node struct {
		Typed[candor.NodeSpec, candor.NodeStatus]
		Observed *candor.NodeObserved
	}

	// Budget is one of kind disruptionbudgets.candor.
	Budget struct {
		Typed[candor.DisruptionBudgetSpec, candor.DisruptionBudgetStatus]
	}

	// PriorityClass is one of kind priorityclasses.candor.
	PriorityClass struct {
		Typed[candor.PriorityClassSpec, struct{}]
	}

	// FailurePolicy is one of kind failurepolicies.candor.
	FailurePolicy struct {
		Typed[candor.FailurePolicySpec, struct{}]
	}
)

// ReadWorkload decodes a workload.
func ReadWorkload(item *informer.Item) (*Workload, error) {
	t, err := Read[candor.WorkloadSpec, candor.WorkloadStatus](item)
	if err != nil {
		return nil, err
	}
	return &Workload{Typed: t}, nil
}

// ReadInstance decodes an instance.
func ReadInstance(item *informer.Item) (*Instance, error) {
	t, err := Read[candor.InstanceSpec, candor.InstanceStatus](item)
	if err != nil {
		return nil, err
	}
	observed, err := Observed[candor.InstanceObserved](item)
	if err != nil {
		return nil, err
	}
	return &Instance{Typed: t, Observed: observed}, nil
}

// ReadNode decodes a node.
func ReadNode(item *informer.Item) (*Node, error) {
	t, err := Read[candor.NodeSpec, candor.NodeStatus](item)
	if err != nil {
		return nil, err
	}
	observed, err := Observed[candor.NodeObserved](item)
	if err != nil {
		return nil, err
	}
	return &Node{Typed: t, Observed: observed}, nil
}

// ReadBudget decodes a disruption budget.
func ReadBudget(item *informer.Item) (*Budget, error) {
	t, err := Read[candor.DisruptionBudgetSpec, candor.DisruptionBudgetStatus](item)
	if err != nil {
		return nil, err
	}
	return &Budget{Typed: t}, nil
}

// ReadPriorityClass decodes a priority class.
func ReadPriorityClass(item *informer.Item) (*PriorityClass, error) {
	t, err := Read[candor.PriorityClassSpec, struct{}](item)
	if err != nil {
		return nil, err
	}
	return &PriorityClass{Typed: t}, nil
}

// ReadFailurePolicy decodes a failure policy.
func ReadFailurePolicy(item *informer.Item) (*FailurePolicy, error) {
	t, err := Read[candor.FailurePolicySpec, struct{}](item)
	if err != nil {
		return nil, err
	}
	return &FailurePolicy{Typed: t}, nil
}

// Placed says whether the instance has its place, whatever became of it there.
func (i *Instance) Placed() bool { return i.Status.Node != "" }

// Ended says that it holds nothing of its node any more.
func (i *Instance) Ended() bool { return i.Status.Phase.Ended() }

// Holds says whether it holds something of its node: a live placement.
func (i *Instance) Holds() bool { return i.Placed() && !i.Ended() }

// Live says that it is wanted and has not ended.
func (i *Instance) Live() bool { return !i.Ended() && !i.Terminating() }

// Ready says whether it is live, and its condition Ready is True.
func (i *Instance) Ready() bool { return i.Live() && i.Status.Conditions.True(candor.ConditionReady) }

// ReadySince is the cluster time at which it became ready; false where it is not.
func (i *Instance) ReadySince() (at int64, ok bool) {
	if !i.Ready() {
		return 0, false
	}
	return i.Status.Conditions.Get(candor.ConditionReady).LastTransitionTime.UnixNano(), true
}

// Controller is its owner with the controller's right; nil where it has none.
func (i *Instance) Controller() *candor.OwnerReference {
	owners := i.Object.Metadata.Owners
	for at := range owners {
		if owners[at].Controller {
			return &owners[at]
		}
	}
	return nil
}
