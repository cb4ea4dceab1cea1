package history

import "fmt"

// RealTime checks that revisions follow real time: an operation that began
// after another had returned is at its revision or a later one, and strictly
// later if it made a revision. It binds writes and STRONG reads; what they may
// not be behind is every answer, of whatever class. With [Replay] and [Turns]
// that is linearizability, of transactions too, in O(n log n).
type RealTime struct {
	// Least is how many operations must have been compared to say PASS.
	Least int
}

// Check implements [Checker].
func (c RealTime) Check(h *History) Report {
	r := Report{Property: "revisions follow real time"}
	var highest furthest
	sweep(h.operations, which(h.operations, (*Operation).answered), highest.enter, func(o *Operation) {
		if !o.strict() {
			return
		}
		r.follow(highest.operation, o, "")
	})
	return r.conclude(c.Least)
}

// follow compares an operation with the furthest that it must not be behind.
func (r *Report) follow(before, o *Operation, whose string) {
	r.Checked++
	if before == nil {
		return
	}
	want := before.Token.Revision
	if o.turned() {
		want++
	}
	r.near(int64(o.Token.Revision)-int64(want), "revisions")
	if o.Token.Revision >= want {
		return
	}
	r.violate(func() string {
		return fmt.Sprintf("%s at revision %d began after %s%s at revision %d had returned; want revision %d at least",
			o.Kind, o.Token.Revision, whose, before.Kind, before.Token.Revision, want)
	}, before, o)
}
