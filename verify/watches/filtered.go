package watches

import (
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// filtered checks that every event is of what was asked for: the kind, the namespace,
// the name; and, where there is a selector, that what is ADDED or MODIFIED matches it,
// what was there before a MODIFIED or DELETED did, and before an ADDED did not.
func (r *Recording) filtered(least int) history.Report {
	report := history.Report{Property: "watches deliver what was asked for"}
	for i := range r.Streams {
		s := &r.Streams[i]
		selector := s.selector()
		for d := range s.all {
			report.Checked++
			if why := s.foreign(selector, d.Event); why != "" {
				report.Break(func() string { return fmt.Sprintf("watch %s: %s", s.Stream, why) }, nil, s.exhibit(), d.exhibit())
			}
		}
	}
	return report.Conclude(least)
}

// foreign says why a stream did not ask for an event; empty where it did.
func (s *Stream) foreign(selector *candor.Selector, e *Event) string {
	switch {
	case !s.covers(e.Key):
		return e.Key + " was not asked for"
	case selector == nil:
		return ""
	case e.Type != candor.EventDeleted && !selector.Matches(e.Labels):
		return fmt.Sprintf("%s has labels %v, which do not match", e.Key, e.Labels)
	case e.Previous == nil:
		return ""
	case e.Type != candor.EventAdded && !selector.Matches(e.Previous.Labels):
		return fmt.Sprintf("%s is %s, and before it had labels %v, which do not match", e.Key, e.Type, e.Previous.Labels)
	case e.Type == candor.EventAdded && selector.Matches(e.Previous.Labels):
		return fmt.Sprintf("%s is ADDED, and had labels %v before, which match too", e.Key, e.Previous.Labels)
	default:
		return ""
	}
}
