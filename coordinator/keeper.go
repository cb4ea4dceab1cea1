package coordinator

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/internal/failpoint"
)

// keeper has this node hold one duty when it is this node's to hold. Its goroutine
// owns everything but asked and the counters.
type keeper struct {
	duty tenure.Duty
	impl Duty
	// bound says that only who leads performs the duty.
	bound    bool
	root     Root
	node     Node
	settings Settings
	logger   hclog.Logger
	counts   counts
	asked    chan handover

	// acting is the duty at work; nil while this node does not hold it.
	acting *running
	// follows says that the duty goes with leadership.
	follows bool
	renewed time.Duration // Elapsed when it was last renewed
	// sealing is a seal that is still to be accepted.
	sealing *tenure.Seal
	sealed  chan error

	// candidacy and sent are of the newest campaign.
	candidacy string
	sent      time.Duration
	leading   bool
	// rest is until when this node leaves the duty to others, unless it is handed to
	// it, and unfit until when it does not take it even then; vacant and led are since
	// when the duty has been free, and this node has led; all on Elapsed.
	rest, unfit, vacant, led time.Duration
	leader, before           string // who leads, and who led before this node
	last                     tenure.Lineage
	told                     atomic.Pointer[Status]
}

// handover is an operator's wish. Its answer comes when the era is sealed.
type handover struct {
	to     string
	answer chan error
}

// soon is when to look again after something that may work the next time.
const soon = 50 * time.Millisecond

func (k *keeper) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		l, changed := k.root.Tenure(k.duty)
		leader, turned := k.node.Leadership()
		k.observe(l, leader)
		again := k.step(ctx, l)
		k.tell()
		timer.Reset(max(again, time.Millisecond))
		var gaveUp <-chan struct{}
		if k.acting != nil {
			gaveUp = k.acting.gaveUp
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-turned:
		case <-timer.C:
		case <-gaveUp:
			k.giveUp()
		case h := <-k.asked:
			k.handOver(h)
		}
	}
}

// observe keeps account of what the root and the leader became.
func (k *keeper) observe(l tenure.Lineage, leader string) {
	k.counts.observe(k.last, l)
	k.last = l
	self := k.node.Holder()
	if leader != k.leader {
		// Each leader has its time to take what is free.
		k.leader, k.vacant = leader, 0
	}
	switch {
	case leader == self && !k.leading:
		k.leading, k.led = true, k.node.Elapsed()
	case leader != self:
		k.leading = false
		if leader != "" {
			k.before = leader
		}
	}
}

// step does the one thing that is due and says when to look again at the latest.
func (k *keeper) step(ctx context.Context, l tenure.Lineage) time.Duration {
	self := k.node.Holder()
	if k.acting != nil && !l.Holds(self, k.acting.grant.Era) {
		k.logger.Info("tenure ended", "era", k.acting.grant.Era, "holder", l.Current.Holder, "newest", l.Current.Number)
		k.acting.end()
		k.acting = nil
	}
	switch {
	case k.sealing != nil:
		return k.seal(ctx, l)
	case k.acting != nil:
		return k.hold(ctx, l)
	case l.Current.State == tenure.StateActive && l.Current.Holder == self && l.Current.Candidacy == k.candidacy && k.candidacy != "":
		k.act(ctx, l)
		return 0
	default:
		return k.stand(ctx, l)
	}
}

// hold keeps the tenure: it sees older eras to their end, renews, and goes with the
// leader.
func (k *keeper) hold(ctx context.Context, l tenure.Lineage) time.Duration {
	if k.follows && k.leader != "" && k.leader != k.node.Holder() {
		k.handOver(handover{to: k.leader})
		return 0
	}
	if pending := l.Pending(k.node.Holder()); pending != nil {
		failpoint.Hit("handover/finish", k.duty.Name)
		if err := k.propose(ctx, pending); err != nil {
			k.logger.Debug("handover not finished yet", "error", err)
			return soon
		}
		return 0
	}
	due := k.settings.renewal(k.renewed) - k.node.Elapsed()
	// A new leader takes what was not renewed in its term.
	if now := k.node.Now(); due > 0 && l.Current.RenewedTerm >= now.Term {
		return due
	}
	failpoint.Hit("tenure/renew", k.duty.Name)
	sent := k.node.Elapsed()
	if err := k.propose(ctx, tenure.Renew{Era: l.Current.Number, Holder: k.node.Holder()}); err != nil {
		k.logger.Debug("not renewed", "error", err)
		return soon
	}
	k.counts.renewals.Add(1)
	k.renewed = sent
	k.acting.grant.renewed(sent)
	return k.settings.renewal(sent) - sent
}

// stand campaigns, if the duty is free and this node's to take.
func (k *keeper) stand(ctx context.Context, l tenure.Lineage) time.Duration {
	if k.leader == "" {
		return k.settings.Renew
	}
	self, elapsed, now := k.node.Holder(), k.node.Elapsed(), k.node.Now()
	if wait := k.resting(l, elapsed); wait > 0 {
		return wait
	}
	if free := l.Free(self, now); free != nil {
		k.vacant = 0
		// Leader or not, a change wakes; this is for time that passes unseen.
		return min(max(retryAfter(free), soon), k.settings.Renew)
	}
	if k.vacant == 0 {
		k.vacant = elapsed
	}
	if wait := k.turn(l, self, now, elapsed); wait > 0 {
		return wait
	}
	k.follows = k.leading
	k.candidacy, k.sent = uuid.NewString(), elapsed
	var event tenure.Event = tenure.Campaign{
		Holder: self, Candidacy: k.candidacy, Expect: l.Current.Number, Cite: l.Current.Seal, Start: l.Current.Usage, Duration: int64(k.settings.Duration),
	}
	if l.Current.State == tenure.StateClosed && l.Current.Holder == self {
		event = tenure.Reattach{Holder: self, Candidacy: k.candidacy, Era: l.Current.Number, Cite: l.Current.Seal}
	}
	failpoint.Hit("handover/campaign", k.duty.Name)
	if err := k.propose(ctx, event); err != nil {
		k.logger.Debug("campaign failed", "error", err)
		return soon
	}
	return 0
}

// resting is for how long this node does not campaign, whoever else does. What it gave
// away to one who took it since is a duty like any other.
func (k *keeper) resting(l tenure.Lineage, elapsed time.Duration) time.Duration {
	switch c, self := &l.Current, k.node.Holder(); {
	case c.State == tenure.StateSealed && c.Successor == self:
		return k.unfit - elapsed
	case c.State == tenure.StateActive && c.Holder != self:
		k.rest = 0 // the other has had its time, and took it
	}
	return max(k.rest, k.unfit) - elapsed
}

// turn is how long this node leaves a free duty to others.
func (k *keeper) turn(l tenure.Lineage, self string, now tenure.Now, elapsed time.Duration) time.Duration {
	c := &l.Current
	switch {
	case k.bound && !k.leading:
		return k.settings.Renew
	case c.State == tenure.StateSealed && c.Successor == self, c.State == tenure.StateActive && c.Holder == self:
		return 0
	case !k.leading:
		return k.vacant + k.settings.Grace - elapsed
	case c.State == tenure.StateActive && !c.Expired(now.ClusterTime) && c.Holder != k.before:
		// Its holder did not lead, so it may well be alive, and renews when it hears
		// of the new term.
		return k.led + k.settings.Courtesy - elapsed
	default:
		return 0
	}
}

// act begins the duty under an era that this node won.
func (k *keeper) act(ctx context.Context, l tenure.Lineage) {
	failpoint.Hit("handover/granted", k.duty.Name)
	c := &l.Current
	g := &Grant{
		Duty: k.duty, Era: c.Number, Holder: c.Holder, Start: c.Start, Bound: c.Bound,
		root: k.root, node: k.node, drift: k.settings.Drift, duration: c.Duration,
	}
	g.renewed(k.sent)
	k.renewed = k.sent
	k.vacant = 0
	k.counts.grants.Add(1)
	k.logger.Info("tenure begins", "era", c.Number, "predecessor", c.Predecessor, "start", c.Start.String())
	k.acting = start(ctx, k.impl, g, k.logger)
}

// handOver stops the duty and has the era sealed, for somebody or for anybody.
func (k *keeper) handOver(h handover) {
	switch {
	case k.acting == nil:
		h.settle(candor.Errorf(candor.ReasonNotHosted, "duty %s is not held here", k.duty.Name))
	case k.sealing != nil:
		h.settle(candor.Errorf(candor.ReasonConflict, "duty %s is being handed over already", k.duty.Name))
	case h.to == k.node.Holder():
		k.follows = k.bound // it is to stay here
		h.settle(nil)
	default:
		usage, exact := k.acting.end()
		if !exact {
			// All that it may have used: nothing is reserved any more.
			l, _ := k.root.Tenure(k.duty)
			usage = l.Current.Bound
		}
		k.sealing = &tenure.Seal{Era: k.acting.grant.Era, Holder: k.node.Holder(), Usage: usage, To: h.to}
		k.acting, k.sealed = nil, h.answer
		k.tell() // before anybody can follow
		// Who gave it away does not take it back before the other had its time.
		k.rest = k.node.Elapsed() + k.settings.Grace
	}
}

func (h handover) settle(err error) {
	if h.answer != nil {
		h.answer <- err
	}
}

// seal has the seal accepted, however often it takes.
func (k *keeper) seal(ctx context.Context, l tenure.Lineage) time.Duration {
	var err error
	if l.Holds(k.sealing.Holder, k.sealing.Era) {
		failpoint.Hit("handover/seal", k.duty.Name)
		if err = k.propose(ctx, *k.sealing); err != nil && !over(err) {
			k.logger.Debug("not sealed yet", "error", err)
			return soon
		}
		failpoint.Hit("handover/sealed", k.duty.Name)
	}
	k.logger.Info("tenure handed over", "era", k.sealing.Era, "to", k.sealing.To, "usage", k.sealing.Usage.String())
	k.sealing = nil
	handover{answer: k.sealed}.settle(err)
	k.sealed = nil
	return 0
}

// giveUp hands a duty that goes on failing to anybody, and rests.
func (k *keeper) giveUp() {
	k.logger.Error("duty given up", "era", k.acting.grant.Era, "error", k.acting.err)
	k.counts.givenUp.Add(1)
	k.handOver(handover{})
	k.unfit = k.node.Elapsed() + k.settings.Rest
}

// finish stops the duty and seals its era, within the time of the context.
func (k *keeper) finish(ctx context.Context) {
	if k.acting != nil && k.sealing == nil {
		k.handOver(handover{})
	}
	for k.sealing != nil && ctx.Err() == nil {
		l, _ := k.root.Tenure(k.duty)
		sleep(ctx, k.seal(ctx, l))
	}
}

func (k *keeper) propose(ctx context.Context, event tenure.Event) error {
	ctx, cancel := context.WithTimeout(ctx, k.settings.Propose)
	defer cancel()
	err := k.root.Propose(ctx, k.duty, event)
	if err == nil {
		err = failpoint.Fail("tenure/answered", k.duty.Name)
	}
	if err != nil {
		k.counts.refused(err)
	}
	return err
}

func retryAfter(err error) time.Duration {
	if e, ok := err.(*candor.Error); ok { //nolint:errorlint // it comes straight from the tenure
		return e.RetryAfter
	}
	return 0
}
