package candor

// FindingStatus is the status of an object of kind findings.candor: something that is
// not as it was promised, found by the duty verify, which writes nothing else. Its
// instants are cluster time.
type FindingStatus struct {
	// Promise names what does not hold: an invariant, or a bound on how long something
	// may take.
	Promise string `json:"promise"`
	// Safety findings should be impossible; the others are about time.
	Safety  bool   `json:"safety,omitempty"`
	Subject Ref    `json:"subject"`
	Since   int64  `json:"since,string"`
	Message string `json:"message"`
	// Cause is why, as far as it is known; Owner the duty or party that should mend it;
	// Repair the next command to try.
	Cause  string `json:"cause,omitempty"`
	Owner  string `json:"owner,omitempty"`
	Repair string `json:"repair,omitempty"`
	// Open until the promise holds again, which it has done since Until.
	Open  bool  `json:"open"`
	Until int64 `json:"until,omitempty,string"`
}
