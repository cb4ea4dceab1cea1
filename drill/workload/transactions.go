package workload

import (
	"context"
	"slices"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/verify/history"
)

// transactions write several entries at once, mostly on the condition of what their
// client read of all of them, and list them to see each whole.
type transactions struct{}

func (*transactions) Name() string { return Transactions }

const (
	transactionClients = 4
	transactionKeys    = 6
	transactionPause   = 50 * time.Millisecond
	// atOnce is how many entries one has at most.
	atOnce = 3
)

func (*transactions) Prepare(ctx context.Context, e *Env) error {
	return e.prepare(ctx, Transactions, func(h *hand) []*candor.Object { return firsts(h, Transactions, e.keys(transactionKeys)) }, nil)
}

func (*transactions) Run(ctx context.Context, e *Env) error {
	c := crew{env: e}
	keys, pause := e.keys(transactionKeys), e.pause(transactionPause)
	hands, err := c.several(Transactions, e.clients(transactionClients))
	if err != nil {
		return err
	}
	for _, h := range hands {
		c.repeats(ctx, h, pause, func(ctx context.Context, h *hand) { transact(ctx, h, keys) })
	}
	return c.done()
}

func (*transactions) Finish(ctx context.Context, e *Env) error {
	return e.finish(ctx, Transactions, nil, named(e.keys(transactionKeys)))
}

func transact(ctx context.Context, h *hand, keys int) {
	ns := NamespaceOf(Transactions)
	bounded, cancel := reading(ctx)
	page, err := h.list(bounded, ns, history.Ask{}, h.strongly()...)
	cancel()
	if err != nil || h.chance(35) {
		return
	}
	t := h.transaction()
	for _, key := range h.random.Perm(keys)[:min(keys, 1+h.random.IntN(atOnce))] {
		ref := entryRef(ns, keyName(key))
		i := slices.IndexFunc(page.Objects, func(o *candor.Object) bool { return o.Metadata.Name == ref.Name })
		switch {
		case i < 0:
			t.create(entry(ns, ref.Name, h.fresh()))
		case h.chance(10):
			t.remove(page.Objects[i])
		default:
			t.update(page.Objects[i], entry(ns, ref.Name, h.fresh()))
		}
	}
	h.ponder(ctx)
	ctx, cancel = writing(ctx)
	defer cancel()
	t.commit(ctx)
}

// transaction is one that is being built. What it finds otherwise, if its compares do not
// hold, it reads.
type transaction struct {
	hand *hand
	txn  *client.Txn
	// compared is what must be there, and written what is to be.
	compared, written []history.Item
	refs              []candor.Ref
}

func (h *hand) transaction() *transaction { return &transaction{hand: h, txn: h.client.Txn()} }

func (t *transaction) create(o *candor.Object) {
	ref := entryRef(o.Metadata.Namespace, o.Metadata.Name)
	t.adds(ref, history.Item{Key: history.Key(ref), Absent: true}, t.hand.written(o))
	t.txn.If(client.IfAbsent(ref)).Then(client.OpCreate(o))
}

func (t *transaction) update(read, next *candor.Object) {
	ref := entryRef(read.Metadata.Namespace, read.Metadata.Name)
	t.adds(ref, t.hand.read(read), t.hand.written(next))
	t.txn.If(client.IfVersion(ref, read.Metadata.ResourceVersion)).Then(client.OpUpdate(next))
}

func (t *transaction) remove(read *candor.Object) {
	ref := entryRef(read.Metadata.Namespace, read.Metadata.Name)
	t.adds(ref, t.hand.read(read), history.Item{Key: history.Key(ref), Absent: true})
	t.txn.If(client.IfVersion(ref, read.Metadata.ResourceVersion)).Then(client.OpDelete(ref))
}

func (t *transaction) adds(ref candor.Ref, compared, written history.Item) {
	t.compared, t.written, t.refs = append(t.compared, compared), append(t.written, written), append(t.refs, ref)
	t.txn.Else(client.OpGet(ref))
}

// commit records the transaction, what it compared, and what it read otherwise.
func (t *transaction) commit(ctx context.Context) {
	c := t.hand.comparing(t.compared)
	call := t.hand.env.Recorder.History().Begin(history.Operation{Client: t.hand.name, Kind: history.KindTxn, Items: t.written})
	result, err := t.txn.Commit(ctx)
	switch {
	case err != nil && result.Token.IsZero():
		call.Failed(err)
		c.ended(result.Result, err)
	case !result.Succeeded:
		call.Failed(candor.Errorf(candor.ReasonConflict, "a compare did not hold"))
		c.call.Answered(history.Answer{Items: t.found(result.Results), At: result.Token.Revision, Witness: result.Witness})
	default:
		call.Answered(history.Answer{Token: result.Token, Unchanged: !result.Changed, Witness: result.Witness})
		c.ended(result.Result, err)
	}
}

// found is what the branch read that ran otherwise.
func (t *transaction) found(results []client.OpResult) []history.Item {
	items := []history.Item{}
	for i, r := range results {
		if r.Object == nil {
			items = append(items, history.Item{Key: history.Key(t.refs[i]), Absent: true})
			continue
		}
		items = append(items, t.hand.read(r.Object))
	}
	return items
}
