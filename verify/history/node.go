package history

import "fmt"

// NodeForward checks that the token that a node serves never moves backward
// within one boot of it: of two calls of which one had returned when the other
// began, the second's witness is not behind the first's. Refusals count too.
type NodeForward struct {
	// Least is how many witnesses must have had an earlier one to be compared
	// with to say PASS.
	Least int
}

// Check implements [Checker].
func (c NodeForward) Check(h *History) Report {
	r := Report{Property: "served tokens never move backward within a boot"}
	type boot struct{ node, boot string }
	boots := map[boot][]int32{}
	var order []boot
	for i := range h.operations {
		w := h.operations[i].Witness
		if w == nil || w.ServedToken.IsZero() {
			continue
		}
		if w.NodeID == "" || w.BootID == "" {
			r.leave("witnesses that do not say whose they are")
			continue
		}
		b := boot{w.NodeID, w.BootID}
		if boots[b] == nil {
			order = append(order, b)
		}
		boots[b] = append(boots[b], int32(i))
	}
	for _, b := range order {
		r.forward(h.operations, boots[b])
	}
	return r.conclude(c.Least)
}

func (r *Report) forward(operations []Operation, which []int32) {
	var highest *Operation
	sweep(operations, which, func(o *Operation) {
		if highest == nil || o.Witness.ServedToken.Covers(highest.Witness.ServedToken) {
			highest = o
		}
	}, func(o *Operation) {
		if highest == nil {
			return
		}
		r.Checked++
		before, now := highest.Witness.ServedToken, o.Witness.ServedToken
		r.near(int64(now.Index)-int64(before.Index), "entries")
		if now.Covers(before) {
			return
		}
		r.violate(func() string {
			return fmt.Sprintf("node %s served %s after it had served %s, within boot %s", nodeName(o), now, before, o.Witness.BootID)
		}, highest, o)
	})
}
