package worker

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
)

// policies are the failure policies as far as they are known: what is built in holds
// until they are read, and where they may not be. Its methods may be called concurrently.
type policies struct {
	feed Feed
	// unhealthyAfter is how long a probe may fail where no policy says.
	unhealthyAfter time.Duration
	log            hclog.Logger

	mu      sync.Mutex
	known   map[string]*candor.FailurePolicySpec // by name
	refused bool
}

// refusedAgain is when a worker that may not read the policies asks again.
const refusedAgain = time.Minute

func newPolicies(feed Feed, unhealthyAfter time.Duration, logger hclog.Logger) *policies {
	return &policies{feed: feed, unhealthyAfter: unhealthyAfter, log: logger, known: map[string]*candor.FailurePolicySpec{}}
}

// run follows the policies until ctx ends. While nobody answers, those that were read
// last hold.
func (p *policies) run(ctx context.Context) {
	pause := backoff{first: 100 * time.Millisecond, last: 5 * time.Second}
	for ctx.Err() == nil {
		err := follow(ctx, p.feed, "", p, &pause)
		if ctx.Err() != nil {
			return
		}
		switch candor.ReasonOf(err) {
		case candor.ReasonForbidden, candor.ReasonUnauthenticated, candor.ReasonUnknownKind, candor.ReasonUnimplemented:
			p.mayNot(err)
			rest(ctx, refusedAgain)
			continue
		case candor.ReasonCompacted:
		default:
			p.log.Warn("failure policies are not followed, and will be again", "error", err)
		}
		rest(ctx, pause.grow())
	}
}

// mayNot says once that the policies are not known.
func (p *policies) mayNot(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.refused {
		p.log.Warn("failure policies may not be read: what is built in holds", "probe_fails_for", p.unhealthyAfter, "error", err)
	}
	p.refused = true
	clear(p.known)
}

// Reset knows these policies and no others.
func (p *policies) Reset(all []*candor.Object) {
	p.mu.Lock()
	p.refused = false
	clear(p.known)
	p.mu.Unlock()
	for _, o := range all {
		p.Changed(o)
	}
}

// Changed takes a policy in. One that does not decode says nothing.
func (p *policies) Changed(o *candor.Object) {
	spec := new(candor.FailurePolicySpec)
	err := json.Unmarshal(o.Spec, spec)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.log.Warn("a failure policy does not decode, and says nothing", "policy", o.Metadata.Name, "error", err)
		delete(p.known, o.Metadata.Name)
		return
	}
	p.known[o.Metadata.Name] = spec
}

// Gone drops a policy.
func (p *policies) Gone(o *candor.Object) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.known, o.Metadata.Name)
}

// probe is what holds of an instance with those labels whose probe fails, and who says so.
func (p *policies) probe(labels map[string]string) (mode candor.FailureMode, from string) {
	return p.mode(labels, candor.FailureMode{
		Failure: candor.FailureSlow, Signal: candor.SignalProbe, DetectWithin: candor.Duration(p.unhealthyAfter), Action: candor.ActionRestart,
	}, candor.FailureCrash, candor.FailurePartition)
}

// exit is what holds of one whose process failed.
func (p *policies) exit(labels map[string]string) (mode candor.FailureMode, from string) {
	return p.mode(labels, candor.FailureMode{
		Failure: candor.FailureCrash, Signal: candor.SignalExit, Action: candor.ActionRestart, RecoverWithin: candor.Duration(lastRestart),
	}, candor.FailureSlow, candor.FailurePartition)
}

// mode is what the policies say of the signal of otherwise, of its failure first.
func (p *policies) mode(labels map[string]string, otherwise candor.FailureMode, failures ...candor.Failure) (candor.FailureMode, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := func(yield func(string, *candor.FailurePolicySpec) bool) {
		for name, spec := range p.known {
			if !yield(name, spec) {
				return
			}
		}
	}
	failures = append([]candor.Failure{otherwise.Failure}, failures...)
	if mode, from := candor.FailureModeFor(candor.KindWorkloads, labels, all, otherwise.Signal, failures...); mode != nil {
		return *mode, from
	}
	return otherwise, "built-in"
}
