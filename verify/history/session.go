package history

// Guarantee is one of the four promises to a session.
type Guarantee string

// The guarantees: what a session's reads and writes may not be behind.
const (
	MonotonicReads    Guarantee = "monotonic reads"
	ReadYourWrites    Guarantee = "read your writes"
	MonotonicWrites   Guarantee = "monotonic writes"
	WritesFollowReads Guarantee = "writes follow reads"
)

// Guarantees are all four.
var Guarantees = []Guarantee{MonotonicReads, ReadYourWrites, MonotonicWrites, WritesFollowReads}

// Session checks one guarantee for every client, over all nodes that answered
// it and all classes of reads. Operations of one client that overlap are in no
// order, and those that are Sessionless are left out.
type Session struct {
	Guarantee Guarantee
	// Least is how many operations must have had an earlier one to be compared
	// with to say PASS.
	Least int
}

// Check implements [Checker].
func (c Session) Check(h *History) Report {
	r := Report{Property: "session: " + string(c.Guarantee)}
	first, second := c.Guarantee.sides()
	if first == nil {
		r.Why = "there is no such guarantee"
		return r.conclude(c.Least)
	}
	sessions := map[string][]int32{}
	var order []string // of first appearance
	for i := range h.operations {
		o := &h.operations[i]
		if o.Sessionless || !o.answered() {
			continue
		}
		if sessions[o.Client] == nil {
			order = append(order, o.Client)
		}
		sessions[o.Client] = append(sessions[o.Client], int32(i))
	}
	for _, client := range order {
		var highest furthest
		sweep(h.operations, sessions[client], func(o *Operation) {
			if first(o) {
				highest.enter(o)
			}
		}, func(o *Operation) {
			if second(o) && highest.operation != nil {
				r.follow(highest.operation, o, "the session's ")
			}
		})
	}
	return r.conclude(c.Least)
}

// sides are which operations come first and which must follow.
func (g Guarantee) sides() (first, second func(*Operation) bool) {
	reads := func(o *Operation) bool { return o.Kind.Reads() }
	writes := func(o *Operation) bool { return !o.Kind.Reads() }
	switch g {
	case MonotonicReads:
		return reads, reads
	case ReadYourWrites:
		return writes, reads
	case MonotonicWrites:
		return writes, writes
	case WritesFollowReads:
		return reads, writes
	default:
		return nil, nil
	}
}
