package policy

import (
	"context"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill"
)

// roll is what one look saw of the drill's own instances: all of it was so at some time
// between asked and told.
type roll struct {
	asked, told time.Time
	// all are the instances that there are, by UID.
	all map[string]resident
	// wanted is how many there are to be, living how many hold their place, and ready how
	// many of these are ready.
	wanted, living, ready int
}

func (r *roll) real() bool { return r.ready >= r.wanted }

// resident is one of the drill's own instances, as its worker and the cluster tell of it.
type resident struct {
	name          string
	state         candor.ProcessState
	pid, restarts int
	ready         bool
	// over: it is given up.
	over bool
}

// well says whether it runs and is ready.
func (r resident) well() bool { return r.state == candor.ProcessRunning && r.ready && !r.over }

// touched says whether something was done to its process since.
func (r resident) touched(before resident) bool {
	return r.state != candor.ProcessRunning || r.pid != before.pid || r.restarts != before.restarts
}

// again says whether another process runs since.
func (r resident) again(before resident) bool {
	return r.state == candor.ProcessRunning && r.pid != 0 && r.pid != before.pid
}

// call looks at the drill's own instances.
func call(ctx context.Context, k *client.Client, wanted int) (roll, error) {
	r := roll{asked: time.Now(), all: map[string]resident{}, wanted: wanted}
	strong := client.WithFreshness(candor.FreshnessStrong)
	for o, err := range k.All(ctx, candor.KindInstances, client.ListOptions{Namespace: drill.ResidentsNamespace}, strong) {
		if err != nil {
			return r, err
		}
		var status candor.InstanceStatus
		var observed candor.InstanceObserved
		if err := decode(o, nil, &status); err != nil {
			return r, err
		}
		if err := decode(&candor.Object{Metadata: o.Metadata, Status: o.Observed}, nil, &observed); err != nil {
			return r, err
		}
		one := resident{
			name: o.Metadata.Name, state: observed.State, pid: observed.PID, restarts: int(observed.Restarts),
			ready: status.Conditions.True(candor.ConditionReady), over: status.Phase.Ended() || o.Terminating(),
		}
		r.all[o.Metadata.UID] = one
		if one.over {
			continue
		}
		r.living++
		if one.ready {
			r.ready++
		}
	}
	r.told = time.Now()
	return r, nil
}
