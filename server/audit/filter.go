package audit

import (
	"encoding/json"
	"slices"
	"time"
)

// Filter chooses lines; a zero field chooses all. LOST and OMITTED records pass
// every filter but Since: what is missing might have been chosen.
type Filter struct {
	Actor     string
	Verb      string
	Kind      string
	Namespace string
	Name      string
	Method    string
	RequestID string
	Source    string
	Verdicts  []Verdict
	Since     time.Time
}

func (f *Filter) empty() bool {
	return f.Actor == "" && f.Verb == "" && f.Kind == "" && f.Namespace == "" && f.Name == "" &&
		f.Method == "" && f.RequestID == "" && f.Source == "" && len(f.Verdicts) == 0 && f.Since.IsZero()
}

// chooses reads a line. One that is no record, which only another program can
// have written, passes the empty filter alone.
func (f *Filter) chooses(line []byte) bool {
	if f.empty() {
		return true
	}
	var r struct {
		Time      time.Time `json:"time"`
		Actor     string    `json:"actor"`
		Verb      string    `json:"verb"`
		Kind      string    `json:"kind"`
		Namespace string    `json:"namespace"`
		Name      string    `json:"name"`
		Method    string    `json:"method"`
		RequestID string    `json:"requestId"`
		Source    string    `json:"source"`
		Verdict   Verdict   `json:"verdict"`
	}
	if json.Unmarshal(line, &r) != nil || r.Time.Before(f.Since) {
		return false
	}
	if r.Verdict == Lost || r.Verdict == Omitted {
		return true
	}
	for _, c := range [...]struct{ want, have string }{
		{f.Actor, r.Actor}, {f.Verb, r.Verb}, {f.Kind, r.Kind}, {f.Namespace, r.Namespace},
		{f.Name, r.Name}, {f.Method, r.Method}, {f.RequestID, r.RequestID}, {f.Source, r.Source},
	} {
		if c.want != "" && c.want != c.have {
			return false
		}
	}
	return len(f.Verdicts) == 0 || slices.Contains(f.Verdicts, r.Verdict)
}
