package client

import (
	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// Op is one operation of a transaction.
type Op struct {
	message *candorv1.TxnOperation
	err     error
}

// OpCreate is Client.Create within a transaction.
func OpCreate(object *candor.Object) Op {
	return Op{err: given(object), message: &candorv1.TxnOperation{
		Operation: &candorv1.TxnOperation_Create{Create: convert.ObjectToProto(object)},
	}}
}

// OpUpdate is Client.Update within a transaction; the object's resource version
// and uid are preconditions when set.
func OpUpdate(object *candor.Object) Op {
	return Op{err: given(object), message: &candorv1.TxnOperation{
		Operation: &candorv1.TxnOperation_Update{Update: convert.ObjectToProto(object)},
	}}
}

// OpUpdateStatus is Client.UpdateStatus within a transaction. Of the options,
// WithPreconditions applies.
func OpUpdateStatus(ref candor.Ref, status []byte, options ...WriteOption) Op {
	t, err := opTerms(options, false)
	in := statusRequest(ref, status)
	in.Preconditions = t.preconditions()
	return Op{err: err, message: &candorv1.TxnOperation{Operation: &candorv1.TxnOperation_UpdateStatus{UpdateStatus: in}}}
}

// OpObserve is Client.Observe within a transaction. Of the options,
// WithPreconditions applies.
func OpObserve(ref candor.Ref, observed []byte, options ...WriteOption) Op {
	t, err := opTerms(options, false)
	in := observeRequest(ref, observed)
	in.Preconditions = t.preconditions()
	return Op{err: err, message: &candorv1.TxnOperation{Operation: &candorv1.TxnOperation_Observe{Observe: in}}}
}

// OpDelete is Client.Delete within a transaction. Of the options,
// WithPreconditions and WithPropagation apply.
func OpDelete(ref candor.Ref, options ...WriteOption) Op {
	t, err := opTerms(options, true)
	in, propagationErr := deleteRequest(ref, &t)
	if err == nil {
		err = propagationErr
	}
	return Op{err: err, message: &candorv1.TxnOperation{Operation: &candorv1.TxnOperation_Delete{Delete: in}}}
}

// OpGet reads an object as the turn sees it.
func OpGet(ref candor.Ref) Op {
	in := &candorv1.GetRequest{Kind: string(ref.Kind), Namespace: ref.Namespace, Name: ref.Name}
	return Op{message: &candorv1.TxnOperation{Operation: &candorv1.TxnOperation_Get{Get: in}}}
}

// opTerms applies options to one operation and refuses those that only a whole
// write can have.
func opTerms(options []WriteOption, propagation bool) (writeTerms, error) {
	var t writeTerms
	for _, option := range options {
		option(&t)
	}
	mine := writeTerms{resourceVersion: t.resourceVersion, uid: t.uid, propagation: t.propagation}
	if mine != t {
		return mine, candor.Errorf(candor.ReasonInvalid, "an operation of a transaction takes preconditions and, for a delete, propagation; everything else is an option of Commit")
	}
	return mine, mine.only(true, propagation)
}
