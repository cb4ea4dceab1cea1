package report

import (
	"time"

	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/verify/history"
)

// Format is what report.json says that it is.
const Format = "candor-drill/1"

// Report is the account of one drill. All times are since its start, in nanoseconds
// where they are written, except for Began.
type Report struct {
	// Format is set by WriteJSON and Save.
	Format  string          `json:"format"`
	Verdict history.Verdict `json:"verdict"`
	// Why says in sentences what the verdict rests on, the weightiest first.
	Why []string `json:"why,omitempty"`
	// Next is what to do now; empty for the usual advice of the verdict.
	Next string `json:"next,omitempty"`

	Scenario scenario.Scenario `json:"scenario"`
	// Layer is what the cluster was made of, as drill.Stage names it.
	Layer string `json:"layer"`
	Seed  uint64 `json:"seed"`
	// Command runs the same drill again.
	Command string        `json:"command"`
	Began   time.Time     `json:"began"`
	Took    time.Duration `json:"took"`
	// Version is of the servers.
	Version string `json:"version"`

	Lanes  Lanes  `json:"lanes"`
	Faults []Band `json:"faults,omitempty"`
	Flags  []Flag `json:"flags,omitempty"`

	Latency []Series `json:"latency,omitempty"`
	Gaps    []Gaps   `json:"gaps,omitempty"`

	// Properties is what every check said.
	Properties []history.Report `json:"properties,omitempty"`
	Violations []Violation      `json:"violations,omitempty"`
	// Census counts the traffic; nil when there was none to count.
	Census *history.Census `json:"census,omitempty"`
	Ends   []End           `json:"ends,omitempty"`

	Machine Machine `json:"machine"`
	Files   []File  `json:"files,omitempty"`
	// Folder is where the account was saved or read; empty for nowhere.
	Folder string `json:"-"`
}

// End is a server that ended by itself.
type End struct {
	Server string        `json:"server"`
	At     time.Duration `json:"at"`
	// Reason is what it told last, such as DISK_FAILED; empty if it told none.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// Expected ends belong to the drill.
	Expected bool `json:"expected"`
}

// File is something that was written beside the account.
type File struct {
	// Name is relative to the account's directory.
	Name string `json:"name"`
	// What it holds, in words.
	What  string `json:"what"`
	Bytes int64  `json:"bytes,omitempty"`
}

// Advice is Next, or what the verdict usually asks for.
func (r *Report) Advice() string {
	switch {
	case r.Next != "":
		return r.Next
	case r.Verdict == history.Pass:
		return "Nothing has to be done. Another seed takes other turns of the same scenario."
	case r.Verdict == history.Violated:
		return "Read the smallest history that breaks the promise below, then run the command again: the seed repeats the faults, not the schedule of processes."
	default:
		return "This says nothing about the cluster: mend what is named here, or give the drill more load or time, and run it again."
	}
}

// end is where the axis of time ends.
func (r *Report) end() time.Duration {
	end := r.Took
	for i := range r.Lanes.Nodes {
		for j := range r.Lanes.Nodes[i].Intervals {
			end = max(end, r.Lanes.Nodes[i].Intervals[j].To)
		}
	}
	for i := range r.Lanes.Duties {
		for j := range r.Lanes.Duties[i].Eras {
			end = max(end, r.Lanes.Duties[i].Eras[j].To)
		}
	}
	for i := range r.Faults {
		end = max(end, r.Faults[i].From, r.Faults[i].To)
	}
	for i := range r.Flags {
		end = max(end, r.Flags[i].At)
	}
	for i := range r.Gaps {
		for j := range r.Gaps[i].Gaps {
			end = max(end, r.Gaps[i].Gaps[j].To)
		}
	}
	for i := range r.Latency {
		for j := range r.Latency[i].Samples {
			end = max(end, r.Latency[i].Samples[j].At)
		}
	}
	return max(end, time.Millisecond)
}
