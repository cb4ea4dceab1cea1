package failpoint

// Point is a place in the code that a test can name.
type Point struct {
	Name string
	// Meaning is what has been done when it is hit, and what has not. What it is hit
	// of is its subject, which may be empty.
	Meaning string
}

// Points are all there are, each hit at one place in the code.
func Points() []Point {
	return []Point{
		// Of a duty: ids, tso, janitor, topology.
		{"handover/campaign", "the duty is free, and this node has not campaigned"},
		{"handover/granted", "this node won the era, and does not act yet"},
		{"handover/seal", "the duty has stopped here, and its era is not sealed"},
		{"handover/sealed", "the era is sealed, and whoever asked was not told"},
		{"handover/finish", "an older era is not confirmed (first hit), or confirmed and not closed (second)"},
		{"tenure/renew", "the tenure is due to be renewed"},
		{"tenure/answered", "an event is accepted: an error here is its lost answer"},
		{"duty/run", "the duty begins to run under its grant"},
		{"allocator/reserve", "numbers are due to be reserved"},
		{"allocator/reserved", "numbers are reserved, and none of them was handed out"},
		{"allocator/taken", "timestamps are taken, and the belief in the tenure is not asked again"},

		// Of a kind of transition: member-add, member-promote, and so on.
		{"membership/request", "the change is judged, and not planned"},
		{"membership/requested", "the change is planned, and whoever asked does not wait yet"},
		{"membership/plan", "a step of the change is to be planned"},
		{"membership/planned", "a step of the change is planned"},
		{"membership/step", "the change is judged again by the executor, and not proposed to Raft"},
		{"membership/taken", "Raft has made the change, and the executor has not said so"},
		{"membership/removed", "a server is out of the configuration, and the root still lists it"},
		{"membership/ended", "the root has the end of the change"},

		// Without a subject.
		{"janitor/page", "a page of a cascade is due"},
		{"janitor/paged", "a page of a cascade is done"},
		{"leader/started", "the first entry of the term is applied, and nothing else was admitted"},
		{"stop/sealed", "a server that stops has given its duties away, and still leads"},
		{"stop/closed", "a server that stops leads no longer, and its log is closed"},
	}
}
