package grpcapi

import (
	"encoding/json"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/internal/wire"
)

// lease is how long a node counts as alive after a beat.
type lease time.Duration

const (
	// defaultLease is that of a node for which no policy says otherwise.
	defaultLease = lease(15 * time.Second)
	// beatsUntilDetected are in one lease: two may be lost.
	beatsUntilDetected = 3
)

// leaseSince is how much of a lease is over, by cluster times in nanoseconds.
func leaseSince(beat, now int64) lease { return lease(max(0, now-beat)) }

func (l lease) toProto() *durationpb.Duration { return durationpb.New(time.Duration(l)) }

// promised is what a beat may say of it.
func (l lease) promised() int64 { return min(int64(l), command.MaxPromised) }

// interval is how often to beat, so that what the beats promise is never over.
func (l lease) interval() *durationpb.Duration {
	return durationpb.New(time.Duration(l.promised() / beatsUntilDetected))
}

// leasing knows what the FailurePolicies of nodes say of missing beats. It reads them
// again where they were changed.
type leasing struct {
	mu sync.Mutex
	// touched is the revision that the others are of; 0 before they were read.
	touched  uint64
	policies map[string]*candor.FailurePolicySpec
	// selective: there are others than the default one, and labels matter.
	selective bool
	unlabeled lease
}

// of is what the view's policies say of a node with those labels.
func (l *leasing) of(view *fsm.View, labels map[string]string) lease {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.read(view)
	return l.labeled(labels)
}

// named is what they say of the node of that name, whose labels are looked up only
// where they matter.
func (l *leasing) named(view *fsm.View, node string) lease {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.read(view)
	if !l.selective {
		return l.unlabeled
	}
	v, err := view.Get(candor.Ref{Kind: candor.KindNodes, Name: node}, 0)
	if err != nil || v == nil {
		return l.unlabeled
	}
	return l.labeled(wire.DecodeLabels(v.Data))
}

// read leaves out a policy that does not decode, as the node controller does not act on it.
func (l *leasing) read(view *fsm.View) {
	touched := view.Touched(candor.KindFailurePolicies)
	if l.touched == touched && l.unlabeled > 0 {
		return
	}
	policies, selective := map[string]*candor.FailurePolicySpec{}, false
	err := view.List(candor.KindFailurePolicies, "", "", 0, func(v *mvcc.Version) bool {
		o, err := decode(v)
		spec := new(candor.FailurePolicySpec)
		if err != nil || json.Unmarshal(o.Spec, spec) != nil || spec.Kind != candor.KindNodes {
			return true
		}
		policies[o.Metadata.Name] = spec
		selective = selective || o.Metadata.Name != candor.DefaultFailurePolicy(candor.KindNodes)
		return true
	})
	if err != nil { // it goes by what it read last
		if l.unlabeled == 0 {
			l.unlabeled = defaultLease
		}
		return
	}
	l.touched, l.policies, l.selective = touched, policies, selective
	l.unlabeled = l.labeled(nil)
}

// labeled is by the same words as the node controller's judgement.
func (l *leasing) labeled(labels map[string]string) lease {
	all := func(yield func(string, *candor.FailurePolicySpec) bool) {
		for name, spec := range l.policies {
			if !yield(name, spec) {
				return
			}
		}
	}
	mode, _ := candor.FailureModeFor(candor.KindNodes, labels, all, candor.SignalHeartbeat, candor.FailurePartition, candor.FailureCrash)
	if mode == nil || mode.DetectWithin <= 0 {
		return defaultLease
	}
	return lease(mode.DetectWithin)
}
