package client

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// WatchOptions choose what to watch.
type WatchOptions struct {
	// Kind is required.
	Kind candor.KindName
	// Namespace and Name; empty watches every one.
	Namespace string
	Name      string
	// Selector on labels, in the Kubernetes form. An object that starts to match
	// is ADDED, one that stops is DELETED.
	Selector string
	// AfterRevision: events strictly after it; 0 starts at the served revision,
	// which the first batch tells.
	AfterRevision uint64
	// WithPrevious asks for the version before each event.
	WithPrevious bool
	// Read is the contract of the start and of the bookmarks. Endpoints are
	// chosen by it too: only the leader serves a STRONG watch without
	// WithFollowerReadIndex.
	Read []ReadOption
}

// WatchBatch is what a watch delivers at once: the events of one or more whole
// revisions, in order, or a bookmark.
type WatchBatch struct {
	// Revision: every matching event up to it was delivered.
	Revision uint64
	Events   []candor.Event
	// Bookmark: no events, but a sign of life, with Witness: at the start, after
	// each resumption, and now and then on a quiet stream.
	//
	// A bookmark also comes at once when the node's condition changes; its witness
	// tells the mode. One that names no class served only says that.
	Bookmark bool
	Witness  *candor.Witness
}

// Watch delivers changes in revision order, each once. When its stream ends for
// whatever reason but its own, it goes on at another node, after the revision
// of the last batch; one that is pinned by OnEndpoint ends with its node. It also
// goes on elsewhere when its node announces that it can prove nothing, or must
// not be relied on, and another one is better.
//
// Next may be called by one goroutine at a time; Close by any.
type Watch struct {
	client *Client
	terms  readTerms
	sess   *Session
	in     *candorv1.WatchRequest

	parent context.Context //nolint:containedctx // a Watch is one long call, and this is its caller's
	ctx    context.Context //nolint:containedctx // ends with Close, or as parent does
	close  context.CancelFunc

	mu      sync.Mutex // held by Next
	stream  *stream    // nil: none is open
	pursuit pursuit
	at      *endpoint   // where the next stream goes
	ready   *WatchBatch // read by the start, not yet delivered
	// position is the revision that every event was delivered up to; started:
	// it is known.
	position uint64
	started  bool
	dead     error // ends the watch
	newest   atomic.Pointer[candor.Witness]
	own      ownEvent
}

// Watch starts watching and returns when the start is confirmed: with
// AfterRevision 0, every change that is acknowledged from then on is delivered.
// ctx is for the whole watch; without a deadline, the start alone has the
// client's timeout. Call Close when done.
func (c *Client) Watch(ctx context.Context, o WatchOptions) (*Watch, error) {
	w, err := c.watch(ctx, o)
	return w, candor.Wrap("watch "+string(o.Kind), err)
}

func (c *Client) watch(ctx context.Context, o WatchOptions) (*Watch, error) {
	w := &Watch{client: c, parent: ctx, position: o.AfterRevision, started: o.AfterRevision != 0}
	var r read
	sent, err := c.prepare(&r, o.Read)
	if err != nil {
		return nil, err
	}
	if r.terms.acceptStale || r.terms.age != nil {
		return nil, candor.Errorf(candor.ReasonInvalid, "AcceptStale and WithAge do not apply to a watch: watch with BEST_EFFORT, and see the witness of each bookmark")
	}
	w.terms, w.sess = r.terms, r.session
	w.in = &candorv1.WatchRequest{
		Kind: string(o.Kind), Namespace: o.Namespace, Name: o.Name, LabelSelector: o.Selector,
		AfterRevision: o.AfterRevision, WithPrevious: o.WithPrevious, Read: sent,
	}
	w.pursuit = pursuit{client: c, request: &request{
		method: candorv1.ObjectService_Watch_FullMethodName, route: r.route, pinned: r.pinned, class: r.class, aloof: r.aloof,
	}}
	ctx = c.begin(ctx, w.pursuit.request)
	defer func() { w.pursuit.request.ended(err) }()
	if w.at, err = w.begin(); err != nil {
		return nil, err
	}
	w.ctx, w.close = context.WithCancel(ctx)
	start, cancel := c.bounded(ctx)
	defer cancel()
	first, err := w.next(start)
	if err != nil {
		w.end(err)
		w.close()
		return nil, err
	}
	w.ready = &first
	return w, nil
}

// begin is where the first stream goes.
func (w *Watch) begin() (*endpoint, error) {
	if w.pursuit.request.route == toAny && !w.client.closed.Load() {
		return w.client.directory.spread(), nil
	}
	return w.pursuit.start()
}

// Next returns the next batch. It waits until ctx or the watch's own context is
// done: TIMED_OUT or CANCELED. The end of ctx loses nothing, a later Next goes
// on; it costs a new stream, so pass Watch's own ctx where that will do. Any other error ends the watch and is returned again from then on:
// COMPACTED where the events that are missing are not kept any more, and a new
// list is the way on.
func (w *Watch) Next(ctx context.Context) (WatchBatch, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if first := w.ready; first != nil && w.dead == nil {
		w.ready = nil
		return *first, nil
	}
	batch, err := w.next(ctx)
	if err != nil {
		return WatchBatch{}, candor.Wrap("watch "+w.in.GetKind(), err)
	}
	return batch, nil
}

// Revision is the one that every event was delivered up to: a new watch after
// it goes on where this one is. Not to be called during Next.
func (w *Watch) Revision() uint64 { return w.position }

// Witness is the newest that the watch's node gave: it says what the events until
// then are worth, and in what condition the node was. It may be called at any
// time.
func (w *Watch) Witness() candor.Witness {
	if newest := w.newest.Load(); newest != nil {
		return *newest
	}
	return candor.Witness{}
}

// Close ends the watch and waits for a Next that is under way.
func (w *Watch) Close() error {
	w.close()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end(candor.Errorf(candor.ReasonCanceled, "the watch is closed"))
	return nil
}

func (w *Watch) end(err error) {
	if w.dead == nil {
		w.dead = err
	}
	w.drop()
}

func (w *Watch) drop() {
	if w.stream != nil {
		w.stream.impatience.Stop()
		w.stream.cancel()
		w.stream = nil
	}
}
