package client

import (
	"context"
	"sync"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/informer"
)

// CacheKind is what a Cache holds of a kind.
type CacheKind struct {
	Kind candor.KindName
	// Namespace and Selector choose some of its objects; empty means all.
	Namespace, Selector string
	// Labels by whose values the store is to find objects of the kind.
	Labels []string
}

// CacheOptions say what a Cache holds.
type CacheOptions struct {
	// Kinds are at least one, each once.
	Kinds []CacheKind
	// Read is the contract of its lists and watches.
	Read []ReadOption
}

// CacheKindStatus is how a Cache goes about one kind.
type CacheKindStatus struct {
	Kind   candor.KindName
	Synced bool
	// Revision that the store has reached.
	Revision uint64
	// Lists that were taken: one, and one more whenever events that were missed are not
	// kept any more, or the watch failed otherwise.
	Lists uint64
	// Err is why there is no watch just now; nil while there is one.
	Err error
}

// Cache keeps a copy of the objects of some kinds, by a list and a watch of each. It
// goes on through the deaths of servers, and lists again where it missed what is not
// kept any more. Kinds advance one by one: a Reader of its store may show one of them
// further than another.
type Cache struct {
	client *Client
	read   []ReadOption
	store  *informer.Store
	kinds  []*cachedKind
	cancel context.CancelFunc
	wait   sync.WaitGroup
}

// cachedKind is one kind of a cache; its goroutine owns everything but told.
type cachedKind struct {
	CacheKind
	cache *Cache

	mu    sync.Mutex
	lists uint64
	err   error
}

// The pause before a kind that failed is listed again, and the longest.
const (
	cachePause        = 100 * time.Millisecond
	longestCachePause = 10 * time.Second
)

// Cache begins to fill a cache. It does not wait for it: see WaitForSync. Close it before
// the client. The error, for options that cannot work, is INVALID.
func (c *Client) Cache(o CacheOptions) (*Cache, error) {
	k := &Cache{client: c, read: o.Read}
	var kinds []candor.KindName
	var labels []informer.Label
	seen := map[candor.KindName]bool{}
	for _, kind := range o.Kinds {
		if kind.Kind == "" || seen[kind.Kind] {
			return nil, candor.Errorf(candor.ReasonInvalid, "cache: kind %q is empty or given twice", kind.Kind)
		}
		if _, err := candor.ParseSelector(kind.Selector); err != nil {
			return nil, candor.Wrap("cache of "+string(kind.Kind), err)
		}
		seen[kind.Kind] = true
		kinds = append(kinds, kind.Kind)
		for _, key := range kind.Labels {
			labels = append(labels, informer.Label{Kind: kind.Kind, Key: key})
		}
		k.kinds = append(k.kinds, &cachedKind{CacheKind: kind, cache: k})
	}
	if len(kinds) == 0 {
		return nil, candor.Errorf(candor.ReasonInvalid, "cache: no kind: want at least one")
	}
	k.store = informer.New(kinds, labels...)
	ctx, cancel := context.WithCancel(context.Background())
	k.cancel = cancel
	for _, kind := range k.kinds {
		k.wait.Go(func() { kind.run(ctx) })
	}
	return k, nil
}

// Store is what the cache keeps.
func (k *Cache) Store() *informer.Store { return k.store }

// WaitForSync returns once every kind was listed. When ctx ends before, the error is why
// some kind could not be, if that is known.
func (k *Cache) WaitForSync(ctx context.Context) error {
	err := k.store.WaitFor(ctx, 0)
	if err == nil {
		return nil
	}
	for _, s := range k.Status() {
		if !s.Synced && s.Err != nil {
			err = s.Err
		}
	}
	return candor.Wrap("fill the cache", err)
}

// Status of each kind, in the order in which they were given.
func (k *Cache) Status() []CacheKindStatus {
	now := k.store.Read()
	out := make([]CacheKindStatus, 0, len(k.kinds))
	for _, kind := range k.kinds {
		kind.mu.Lock()
		out = append(out, CacheKindStatus{
			Kind: kind.Kind, Synced: kind.lists > 0, Revision: now.Position(kind.Kind).Revision, Lists: kind.lists, Err: kind.err,
		})
		kind.mu.Unlock()
	}
	return out
}

// Close ends the watches and waits for them. The store stays as it is.
func (k *Cache) Close() error {
	k.cancel()
	k.wait.Wait()
	return nil
}

func (k *cachedKind) run(ctx context.Context) {
	pause := cachePause
	for ctx.Err() == nil {
		began := time.Now()
		err := k.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		k.failed(err)
		if candor.ReasonOf(err) == candor.ReasonCompacted {
			k.cache.client.log.Info("cache lists again: events that were missed are not kept", "kind", string(k.Kind))
		} else {
			k.cache.client.log.Warn("cache lists again", "kind", string(k.Kind), "error", err)
		}
		if time.Since(began) > longestCachePause {
			pause = cachePause
		}
		idle(ctx, pause)
		pause = min(2*pause, longestCachePause)
	}
}

// follow lists and watches until that fails.
func (k *cachedKind) follow(ctx context.Context) error {
	revision, err := k.list(ctx)
	if err != nil {
		return err
	}
	watch, err := k.cache.client.Watch(ctx, WatchOptions{
		Kind: k.Kind, Namespace: k.Namespace, Selector: k.Selector, AfterRevision: revision, Read: k.cache.read,
	})
	if err != nil {
		return err
	}
	defer func() { _ = watch.Close() }() // it returns nil
	k.failed(nil)
	for {
		batch, err := watch.Next(ctx)
		if err != nil {
			return err
		}
		if batch.Revision <= k.cache.store.Read().Position(k.Kind).Revision && len(batch.Events) == 0 {
			continue // a sign of life
		}
		if err := k.apply(&batch); err != nil {
			return err
		}
	}
}

func (k *cachedKind) list(ctx context.Context) (revision uint64, err error) {
	var objects []*candor.Object
	o := ListOptions{Namespace: k.Namespace, Selector: k.Selector}
	var token candor.Token
	for {
		page, err := k.cache.client.List(ctx, k.Kind, o, k.cache.read...)
		if err != nil {
			return 0, err
		}
		if revision != 0 && page.Revision != revision {
			return 0, breach(page.Witness.NodeID, "the list began at revision %d and went on at %d", revision, page.Revision)
		}
		if revision = page.Revision; token.IsZero() {
			token = tokenAt(revision, &page.Witness)
		}
		objects = append(objects, page.Objects...)
		if page.Continue == "" {
			break
		}
		o.Continue = page.Continue
	}
	if err := k.cache.store.Replace(k.Kind, token, objects); err != nil {
		return 0, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lists++
	return revision, nil
}

func (k *cachedKind) apply(batch *WatchBatch) error {
	versions := make([]informer.Version, 0, len(batch.Events))
	for i := range batch.Events {
		e := &batch.Events[i]
		versions = append(versions, informer.Version{
			Kind: k.Kind, Object: e.Object, Gone: e.Type == candor.EventDeleted, Revision: e.Revision,
		})
	}
	return k.cache.store.ApplyKind(k.Kind, tokenAt(batch.Revision, batch.Witness), versions)
}

func (k *cachedKind) failed(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.err = err
}

// tokenAt is the position of a revision: whole where the witness is of it, and the
// revision alone otherwise.
func tokenAt(revision uint64, w *candor.Witness) candor.Token {
	if w != nil && w.ServedToken.Revision == revision {
		return w.ServedToken
	}
	return candor.Token{Revision: revision}
}

func idle(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
