package policy

import (
	"context"
	"encoding/json"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// sample is what one look saw: all of it was so at some time between asked and told.
type sample struct {
	asked, told time.Time
	// silent nodes are not Ready, closed ones cordoned.
	silent, closed map[string]bool
	// on counts the live instances of the workload by node.
	on map[string]int
	// wanted is its replicas, ready how many live and are ready.
	wanted, ready int
}

func (s *sample) real() bool { return s.ready == s.wanted }

// look reads nodes, and the instances of the workload.
func look(ctx context.Context, k *client.Client) (sample, error) {
	s := sample{asked: time.Now(), silent: map[string]bool{}, closed: map[string]bool{}, on: map[string]int{}, wanted: replicas}
	for o, err := range k.All(ctx, candor.KindNodes, client.ListOptions{}) {
		if err != nil {
			return s, err
		}
		var spec candor.NodeSpec
		var status candor.NodeStatus
		if err := decode(o, &spec, &status); err != nil {
			return s, err
		}
		if !status.Conditions.True(candor.ConditionReady) {
			s.silent[o.Metadata.Name] = true
		}
		if spec.Unschedulable {
			s.closed[o.Metadata.Name] = true
		}
	}
	for o, err := range k.All(ctx, candor.KindInstances, client.ListOptions{Namespace: namespace}) {
		if err != nil {
			return s, err
		}
		var status candor.InstanceStatus
		if err := decode(o, nil, &status); err != nil {
			return s, err
		}
		if status.Node == "" || status.Phase.Ended() || o.Terminating() {
			continue
		}
		s.on[status.Node]++
		if status.Conditions.True(candor.ConditionReady) {
			s.ready++
		}
	}
	s.told = time.Now()
	return s, nil
}

func decode(o *candor.Object, spec, status any) error {
	for _, part := range []struct {
		text json.RawMessage
		into any
	}{{o.Spec, spec}, {o.Status, status}} {
		if part.into == nil || len(part.text) == 0 {
			continue
		}
		if err := json.Unmarshal(part.text, part.into); err != nil {
			return candor.Errorf(candor.ReasonDataCorrupt, "%s does not read: %w", o.Metadata.Name, err)
		}
	}
	return nil
}
