package client

import (
	"context"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// Txn builds one turn over several objects: if every compare holds the
// operations of Then run, otherwise those of Else, all or none. It belongs to
// one goroutine and is committed once.
type Txn struct {
	client *Client
	in     candorv1.TxnRequest
	err    error // the first operation that could not be built
}

// TxnResult is what an acknowledged transaction did.
type TxnResult struct {
	// Succeeded: the compares held, and Then ran; otherwise Else did.
	Succeeded bool
	// Results are one per operation of the branch that ran, in order.
	Results []OpResult
	Result
}

// OpResult is what one operation did. Object is nil for a get of nothing.
type OpResult struct {
	Object  *candor.Object
	Changed bool
}

// Txn begins a transaction.
func (c *Client) Txn() *Txn { return &Txn{client: c} }

// If adds compares; without any, Then runs.
func (t *Txn) If(compares ...Compare) *Txn {
	for _, c := range compares {
		t.in.Compares = append(t.in.Compares, c.message)
	}
	return t
}

// Then adds operations for the case that every compare holds.
func (t *Txn) Then(ops ...Op) *Txn {
	t.in.Then = t.append(t.in.GetThen(), ops)
	return t
}

// Else adds operations for the other case.
func (t *Txn) Else(ops ...Op) *Txn {
	t.in.Otherwise = t.append(t.in.GetOtherwise(), ops)
	return t
}

func (t *Txn) append(to []*candorv1.TxnOperation, ops []Op) []*candorv1.TxnOperation {
	for _, op := range ops {
		if op.err != nil && t.err == nil {
			t.err = op.err
		}
		to = append(to, op.message)
	}
	return to
}

// Commit carries the transaction out.
func (t *Txn) Commit(ctx context.Context, options ...WriteOption) (TxnResult, error) {
	result, err := t.commit(ctx, options)
	if err != nil {
		return result, candor.Wrap("transaction", err)
	}
	return result, nil
}

func (t *Txn) commit(ctx context.Context, options []WriteOption) (TxnResult, error) {
	if t.err != nil {
		return TxnResult{}, t.err
	}
	var w write
	if err := w.begin(options, false, false); err != nil {
		return TxnResult{}, err
	}
	w.preconditioned = t.preconditioned()
	t.in.Write = w.options
	out := new(candorv1.TxnResponse)
	if err := t.client.push(ctx, &w, candorv1.ObjectService_Txn_FullMethodName, &t.in, out); err != nil {
		return TxnResult{}, err
	}
	result, err := t.client.finish(&w, out.GetResult())
	txn := TxnResult{Succeeded: out.GetSucceeded(), Result: result}
	for _, r := range out.GetResults() {
		txn.Results = append(txn.Results, OpResult{Object: convert.ObjectFromProto(r.GetObject()), Changed: r.GetChanged()})
	}
	return txn, err
}

// preconditioned: some operation has a precondition, so that CONFLICT is about
// one that cannot hold again.
func (t *Txn) preconditioned() bool {
	for _, ops := range [][]*candorv1.TxnOperation{t.in.GetThen(), t.in.GetOtherwise()} {
		for _, op := range ops {
			m := op.GetUpdate().GetMetadata()
			if m.GetResourceVersion() != 0 || m.GetUid() != "" || op.GetUpdateStatus().GetPreconditions() != nil ||
				op.GetObserve().GetPreconditions() != nil || op.GetDelete().GetPreconditions() != nil {
				return true
			}
		}
	}
	return false
}
