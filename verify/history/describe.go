package history

import (
	"fmt"
	"strings"
	"time"
)

// String prints the operation on one line, for people.
func (o *Operation) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "[%s..%s] %s: %s", clockTime(o.Invoke), clockTime(o.Return), o.Client, o.Kind)
	if class := o.Freshness(); class != "" {
		fmt.Fprintf(&s, " %s", class)
	}
	switch {
	case len(o.Items) > 3:
		fmt.Fprintf(&s, " %d keys", len(o.Items))
	case len(o.Items) == 0 && o.Scope != "":
		fmt.Fprintf(&s, " %s*, nothing", o.Scope)
	default:
		for i := range o.Items {
			fmt.Fprintf(&s, " %s", &o.Items[i])
		}
	}
	fmt.Fprintf(&s, ": %s", o.Outcome)
	if o.Reason != "" {
		fmt.Fprintf(&s, " %s", o.Reason)
	}
	if o.Outcome == OutcomeOK {
		fmt.Fprintf(&s, " at %s", o.Token)
	}
	if o.At != 0 {
		fmt.Fprintf(&s, ", as of revision %d", o.At)
	}
	if o.Unchanged {
		s.WriteString(", unchanged")
	}
	if w := o.Witness; w != nil {
		fmt.Fprintf(&s, ", by %s", nodeName(o))
		if w.Class != "" {
			fmt.Fprintf(&s, " (%s, %s)", w.Class, w.Mechanism)
		}
		if w.StalenessBound != nil {
			fmt.Fprintf(&s, ", claims to be at most %s old", *w.StalenessBound)
		}
		if w.RootLag != nil {
			fmt.Fprintf(&s, ", claims lag %d", *w.RootLag)
		}
	}
	return s.String()
}

// String prints key, value and version.
func (i *Item) String() string {
	switch {
	case i.Absent:
		return i.Key + " absent"
	case i.Version != 0:
		return fmt.Sprintf("%s=%s@%d", i.Key, i.Value, i.Version)
	case i.Going:
		return i.Key + " going"
	default:
		return i.Key + "=" + i.Value
	}
}

func nodeName(o *Operation) string {
	if o.Witness.NodeName != "" {
		return o.Witness.NodeName
	}
	return o.Witness.NodeID
}

func clockTime(ns int64) string { return time.Duration(ns).String() }
