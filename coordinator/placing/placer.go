package placing

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/scheduler"
	"github.com/candor-plane/candor/informer"
)

// Config of a Placer; all of it is required.
type Config struct {
	// Store is where the objects come from.
	Store  *informer.Store
	Root   Root
	Logger hclog.Logger
}

// Placer decides and proposes. One Run at a time.
type Placer struct {
	config Config

	// mu guards model and queue: those who ask what waits, and why, look between two
	// batches.
	mu    sync.Mutex
	model *scheduler.Model
	queue *scheduler.Queue
	stats Stats
}

// Stats count since the Placer was made.
type Stats struct {
	// Decisions by verdict, and the batches that they were made in; Repeated were not
	// written, because nothing about them was new.
	Placed, Nominated, NothingFits, Repeated, Batches uint64
	// Failed are batches and evictions that did not get through; they were decided anew.
	Failed uint64
	// Deciding is the time spent on deciding, Proposing that on having it written.
	Deciding, Proposing time.Duration
	// Active are to be decided, Proposed on their way, Blocked wait for a change.
	Active, Proposed, Blocked int
}

const (
	// failurePause follows a proposal that did not get through.
	failurePause = 50 * time.Millisecond
	// turnBytes are about as much as one turn is given, of which an entry of the log holds
	// less than twice; itemOverhead is of an item beside its texts.
	turnBytes    = 256 << 10
	itemOverhead = 256
)

// New makes a placer. It panics without what Config requires.
func New(config Config) *Placer {
	if config.Store == nil || config.Root == nil || config.Logger == nil {
		panic("placing: store, root and logger are required")
	}
	model := scheduler.NewModel()
	return &Placer{config: config, model: model, queue: scheduler.NewQueue(model)}
}

// Run places until ctx ends, and returns nil; or until the right to has ended, with
// that error.
func (p *Placer) Run(ctx context.Context) error {
	if p.config.Store.WaitFor(ctx, 0) != nil {
		return nil
	}
	mail := informer.NewMailbox()
	now, unsubscribe := p.config.Store.Subscribe(mail.Put)
	defer unsubscribe()
	p.begin(now)
	reader := now
	for ctx.Err() == nil {
		if changes, newer := mail.Take(); newer != nil {
			reader = newer
			p.follow(changes, reader)
		}
		batch := p.decide()
		if len(batch) == 0 {
			select {
			case <-mail.Came():
			case <-ctx.Done():
			}
			continue
		}
		if err := p.propose(ctx, reader, batch); err != nil {
			return err
		}
	}
	return nil
}

// begin fills the model.
func (p *Placer) begin(reader *informer.Reader) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.model = scheduler.NewModel()
	for _, kind := range [...]candor.KindName{candor.KindNodes, candor.KindDisruptionBudgets, candor.KindInstances} {
		for item := range reader.List(kind, "") {
			p.apply(item)
		}
	}
	p.model.Advance(reader.Token())
	p.queue = scheduler.NewQueue(p.model)
}

// follow takes over what has changed.
func (p *Placer) follow(changes []informer.Change, reader *informer.Reader) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range changes {
		c := &changes[i]
		if c.After == nil {
			p.queue.Woken(p.model.Remove(c.Ref))
			continue
		}
		p.queue.Woken(p.apply(c.After))
	}
	p.model.Advance(reader.Token())
}

// apply takes over one version. One that cannot be read is left as it was.
func (p *Placer) apply(item *informer.Item) scheduler.Event {
	event, err := p.applied(item)
	if err != nil {
		p.config.Logger.Warn("an object cannot be read, it is placed by what it was", "object", item.Ref(), "error", err)
	}
	return event
}

// applied shares what the copy has decoded of an instance with the controllers.
func (p *Placer) applied(item *informer.Item) (scheduler.Event, error) {
	if item.KindName() != candor.KindInstances {
		return p.model.Apply(item.Object, item.KindName())
	}
	status, err := informer.Status[candor.InstanceStatus](item)
	if err != nil {
		return scheduler.Event{Ref: item.Ref()}, err
	}
	return p.model.ApplyInstance(item.Object, status)
}

// decide makes the next batch.
func (p *Placer) decide() []scheduler.Outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	refs := p.queue.Next(scheduler.MaxBatch)
	if len(refs) == 0 {
		return nil
	}
	began := time.Now()
	batch := scheduler.Batch(p.model, refs)
	p.stats.Deciding += time.Since(began)
	p.stats.Batches++
	p.queue.Decided(batch)
	for i := range batch {
		switch batch[i].Decision.Verdict {
		case candor.VerdictPlaced:
			p.stats.Placed++
		case candor.VerdictNominated:
			p.stats.Nominated++
		default:
			p.stats.NothingFits++
		}
	}
	return batch
}

// propose has a batch written, in the order of its places: what follows an eviction
// supposes it, so a place is proposed only when all before it have come through. What has
// not is decided anew. It waits until the store shows what was written. The error says
// that the right to has ended.
func (p *Placer) propose(ctx context.Context, reader *informer.Reader, batch []scheduler.Outcome) error {
	began := time.Now()
	newest, place := uint64(0), 0
	var failure error
	done := 0
	for done < len(batch) {
		n, revision, err := p.turn(ctx, reader, batch[done:], &place)
		newest = max(newest, revision)
		if failure = err; err != nil {
			break
		}
		done += n
	}
	p.count(func(s *Stats) { s.Proposing += time.Since(began) })
	if newest > 0 {
		// It fails only when ctx has ended.
		_ = p.config.Store.WaitFor(ctx, newest)
	}
	if failure != nil && final(failure) {
		// To ask again would change nothing, and hold up the others. It waits for a change.
		o := &batch[done]
		p.config.Logger.Error("a decision can not be carried out, its instance waits for a change", "instance", o.Ref, "verdict", o.Decision.Verdict, "error", failure)
		return p.failed(ctx, failure, batch[done+1:])
	}
	if failure != nil {
		return p.failed(ctx, failure, batch[done:])
	}
	if left := p.untouched(batch); len(left) > 0 {
		err := candor.Errorf(candor.ReasonConflict, "a turn left %d instances as they were", len(left))
		return p.failed(ctx, err, left)
	}
	return nil
}

// turn proposes as much of what is left of a batch as goes in one turn, and says how much
// that is: one eviction, or everything before the next. What is known already is left
// out, and place is the next of those that are not.
func (p *Placer) turn(ctx context.Context, reader *informer.Reader, rest []scheduler.Outcome, place *int) (n int, revision uint64, err error) {
	if len(rest[0].Victims) > 0 {
		renumber(&rest[0].Decision, place)
		e, err := evictionOf(reader, &rest[0])
		if err != nil {
			return 1, 0, err
		}
		revision, err = p.config.Root.Evict(ctx, e)
		return 1, revision, err
	}
	var items []Placement
	size := 0
	for ; n < len(rest) && len(rest[n].Victims) == 0 && size < turnBytes; n++ {
		o := &rest[n]
		if p.known(reader, o) {
			p.count(func(s *Stats) { s.Repeated++ })
			continue
		}
		renumber(&o.Decision, place)
		item, err := placementOf(o)
		if err != nil {
			return n, 0, err
		}
		items = append(items, item)
		size += len(item.Decision) + len(item.Message) + itemOverhead
	}
	if len(items) > 0 {
		revision, err = p.config.Root.Place(ctx, rest[0].Decision.Token, items)
	}
	return n, revision, err
}

// renumber gives a decision the next place of those that are written: whoever replays
// it sees whether one before it is missing.
func renumber(d *candor.Decision, place *int) {
	d.Place = *place
	d.ID = fmt.Sprintf("d-%d-%d", d.Token.Revision, d.Place)
	*place++
}

// untouched are the placements of a batch that came through and left no trace: there
// will be no change that has them decided again.
func (p *Placer) untouched(batch []scheduler.Outcome) []scheduler.Outcome {
	now := p.config.Store.Read()
	var left []scheduler.Outcome
	for i := range batch {
		o := &batch[i]
		item := now.Get(o.Ref)
		if o.Decision.Verdict == candor.VerdictPlaced && item != nil && item.Metadata.UID == o.UID && item.Metadata.ResourceVersion == o.Revision {
			left = append(left, *o)
		}
	}
	return left
}

// failed takes a failure back: what was decided is decided again. The error is the one
// that ends the right to decide.
func (p *Placer) failed(ctx context.Context, err error, batch []scheduler.Outcome) error {
	if ended(err) {
		return err
	}
	switch candor.ReasonOf(err) {
	case candor.ReasonCanceled:
	case candor.ReasonConflict:
		p.config.Logger.Debug("the state had moved on, it is decided again", "error", err)
	default:
		p.config.Logger.Warn("decisions did not get through, they are made again", "decisions", len(batch), "error", err)
	}
	p.count(func(s *Stats) { s.Failed++ })
	p.mu.Lock()
	p.queue.Retry(batch)
	p.mu.Unlock()
	pause(ctx, failurePause)
	return nil
}

// final says that the same would fail again, whatever is decided.
func final(err error) bool {
	switch candor.ReasonOf(err) {
	case candor.ReasonConflict, candor.ReasonNotFound: // the state has moved on
		return false
	default:
		return !ended(err) && candor.ReasonOf(err).Disposition().Retry == candor.RetryNever
	}
}

// ended says that the right to decide is over.
func ended(err error) bool {
	reason := candor.ReasonOf(err)
	return reason == candor.ReasonEraStale || reason == candor.ReasonForbidden
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// known says that the instance's newest decision says the same, and that nothing else
// would be written.
func (p *Placer) known(reader *informer.Reader, o *scheduler.Outcome) bool {
	if o.Decision.Verdict == candor.VerdictPlaced {
		return false
	}
	item := reader.Get(o.Ref)
	if item == nil {
		return false
	}
	status, err := informer.Status[candor.InstanceStatus](item)
	if err != nil || status.Decision == nil {
		return false
	}
	was, is := status.Decision, &o.Decision
	nominated := ""
	if is.Verdict == candor.VerdictNominated {
		nominated = is.Node
	}
	return was.Verdict == is.Verdict && was.Node == is.Node && status.Nominated == nominated && status.ObservedGeneration == item.Metadata.Generation &&
		was.Considered == is.Considered && slices.Equal(was.Reasons, is.Reasons) && slices.Equal(was.Victims, is.Victims)
}

func placementOf(o *scheduler.Outcome) (Placement, error) {
	d, err := json.Marshal(&o.Decision)
	if err != nil {
		return Placement{}, candor.Errorf(candor.ReasonInternal, "decision %s: %w", o.Decision.ID, err)
	}
	p := Placement{Instance: candor.VersionRef{Ref: o.Ref, Revision: o.Revision}, UID: o.UID, Decision: d}
	p.Reason, p.Message = Sentence(&o.Decision)
	switch o.Decision.Verdict {
	case candor.VerdictPlaced:
		p.Node, p.NodeUID = o.Decision.Node, o.NodeUID
	case candor.VerdictNominated:
		p.Nominated = o.Decision.Node
	case candor.VerdictNothingFits, candor.VerdictRefused: // nothing is asked for
	}
	return p, nil
}

func (p *Placer) count(f func(s *Stats)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.stats)
}

// Stats are as of now.
func (p *Placer) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Active, s.Proposed, s.Blocked = p.queue.Len()
	return s
}

// Waiting says why an instance waits, and what would have it decided again; false for
// one that does not wait.
func (p *Placer) Waiting(ref candor.Ref) (scheduler.Waiting, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queue.Waiting(ref)
}
