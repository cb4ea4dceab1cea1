package history

import (
	"github.com/candor-plane/candor"
)

// validate refuses an operation that is recorded wrongly. What a system may have
// answered wrongly is for the checkers. The error has the reason INVALID.
func (o *Operation) validate() error {
	for _, check := range [...]func() error{o.validateNames, o.validateTimes, o.validateItems, o.validateOutcome, o.validateWitness} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (o *Operation) validateNames() error {
	if o.Client == "" {
		return invalid("an operation needs a client")
	}
	switch o.Kind {
	case KindGet, KindList, KindCreate, KindUpdate, KindPut, KindDelete, KindTxn:
	default:
		return invalid("kind %q: want GET, LIST, CREATE, UPDATE, PUT, DELETE or TXN", o.Kind)
	}
	switch o.Outcome {
	case OutcomeOK, OutcomeFailed, OutcomeUnknown:
	default:
		return invalid("outcome %q: want OK, FAILED or UNKNOWN", o.Outcome)
	}
	switch o.Freshness() {
	case "", candor.FreshnessStrong, candor.FreshnessBounded, candor.FreshnessBestEffort:
		return nil
	default:
		return invalid("freshness %q: want STRONG, BOUNDED or BEST_EFFORT", o.Freshness())
	}
}

func (o *Operation) validateTimes() error {
	switch {
	case o.Invoke < 0 || o.Return < o.Invoke:
		return invalid("invoked at %d and returned at %d: want 0 or more, and a return that is not earlier", o.Invoke, o.Return)
	case (o.InvokeSeq == 0) != (o.ReturnSeq == 0):
		return invalid("sequence numbers %d and %d: want both or none", o.InvokeSeq, o.ReturnSeq)
	case o.InvokeSeq != 0 && o.ReturnSeq <= o.InvokeSeq:
		return invalid("sequence numbers %d and %d: want a return after the invocation", o.InvokeSeq, o.ReturnSeq)
	default:
		return nil
	}
}

func (o *Operation) validateItems() error {
	switch {
	case o.Kind != KindList && o.Kind != KindTxn && len(o.Items) != 1:
		return invalid("%s with %d items: want one", o.Kind, len(o.Items))
	case o.Scope != "" && o.Kind != KindList:
		return invalid("%s with a scope: only a LIST has one", o.Kind)
	case o.Asked != nil && !o.Kind.Reads():
		return invalid("%s with a contract of freshness: only a read has one", o.Kind)
	case o.Asked != nil && o.Asked.MaxStaleness != nil && *o.Asked.MaxStaleness < 0:
		return invalid("a staleness of at most %s: want 0 or more", *o.Asked.MaxStaleness)
	}
	seen := map[string]bool{}
	for i := range o.Items {
		item := &o.Items[i]
		switch {
		case item.Key == "":
			return invalid("an item without a key")
		case len(o.Items) > 1 && seen[item.Key] && !o.Kind.Reads():
			return invalid("key %q is there twice in one write", item.Key)
		case item.Absent && (item.Value != "" || item.Version != 0 || item.Going):
			return invalid("key %q is absent and has a value, a version or is going", item.Key)
		case item.Going && o.Kind.Reads():
			return invalid("key %q is going in a read: only a write can say so", item.Key)
		case o.Kind == KindDelete && !item.Absent && !item.Going:
			return invalid("a DELETE of key %q that leaves it there: want absent or going", item.Key)
		case o.Kind != KindDelete && o.Kind != KindTxn && !o.Kind.Reads() && item.Absent:
			return invalid("%s of key %q leaves it absent", o.Kind, item.Key)
		}
		if len(o.Items) > 1 {
			seen[item.Key] = true
		}
	}
	return nil
}

func (o *Operation) validateOutcome() error {
	switch {
	case o.Kind.Reads() && o.Outcome == OutcomeUnknown:
		return invalid("a read of outcome UNKNOWN: want FAILED, for it changed nothing")
	case o.Outcome != OutcomeOK && (!o.Token.IsZero() || o.At != 0 || o.Unchanged):
		return invalid("outcome %s with a token, a revision or unchanged: only an answer has them", o.Outcome)
	case o.Unchanged && o.Kind.Reads():
		return invalid("a read that is unchanged: only a write can be")
	case o.At != 0 && !o.Kind.Reads():
		return invalid("a write as of revision %d: only a read has one", o.At)
	case o.Outcome == OutcomeOK && o.Reason != "":
		return invalid("outcome OK with reason %s", o.Reason)
	default:
		return nil
	}
}

// validateWitness: the token of a read is what its witness says.
func (o *Operation) validateWitness() error {
	w := o.Witness
	if w != nil && o.Kind.Reads() && o.Outcome == OutcomeOK && w.ServedToken != o.Token {
		return invalid("the read's token is %s and its witness' %s: want one", o.Token, w.ServedToken)
	}
	return nil
}

// sequencedAs refuses sequence numbers in some operations and not in others.
func (o *Operation) sequencedAs(first *Operation) error {
	if (o.InvokeSeq == 0) != (first.InvokeSeq == 0) {
		return invalid("sequence numbers in some operations and not in others")
	}
	return nil
}

func invalid(format string, args ...any) error {
	return candor.Errorf(candor.ReasonInvalid, format, args...)
}
