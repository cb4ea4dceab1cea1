package history

import "fmt"

// phantom: a version that no write can have made.
func (r *replay) phantom(item *Item, o, newest *Operation) {
	r.report.violate(func() string {
		return fmt.Sprintf("an answer shows %s, which no write that was acknowledged, or that may have happened by then, has made%s",
			item, r.failed(item))
	}, newest, r.author(item), o)
}

// author is the write that surely failed, or that began too late, with the
// item's value; nil when there is none.
func (r *replay) author(item *Item) *Operation {
	for i := range r.operations {
		o := &r.operations[i]
		if o.Kind.Reads() {
			continue
		}
		for n := range o.Items {
			if o.Items[n].Key == item.Key && !o.Items[n].Absent && o.Items[n].Value == item.Value {
				return o
			}
		}
	}
	return nil
}

func (r *replay) failed(item *Item) string {
	o := r.author(item)
	switch {
	case o == nil:
		return "; nobody wrote that value"
	case o.Outcome == OutcomeFailed:
		return "; the write of that value surely failed"
	case o.Outcome == OutcomeUnknown:
		return "; the write of that value began later, or happened at another revision"
	default:
		return fmt.Sprintf("; the write of that value was acknowledged at revision %d", o.Token.Revision)
	}
}
