package evidence

import (
	"fmt"

	"github.com/candor-plane/candor/verify/history"
)

// Check runs the checks. Of a property that has nothing to check nothing is said, unless
// its check was demanded; a demand that names no check panics (see Demands.Validate).
func Check(e *Evidence, d Demands) history.Summary {
	if err := d.Validate(); err != nil {
		panic("evidence: " + err.Error())
	}
	s := history.Summary{Census: e.History.Census()}
	for _, name := range Names {
		if d.runs(name) {
			s.Reports = append(s.Reports, d.judge(name, e.properties(name, d))...)
		}
	}
	if d.Load != nil {
		r := d.Load.Check(e.History)
		r.Check = string(Load)
		s.Reports = append(s.Reports, r)
	}
	return s
}

// judge leaves out what had nothing to check, and says where that was demanded.
func (d Demands) judge(name Name, reports []history.Report) []history.Report {
	var said []history.Report
	checked := 0
	for i := range reports {
		r := &reports[i]
		r.Check = string(name)
		checked += r.Checked
		if !r.Empty() {
			said = append(said, *r)
		}
	}
	want, demanded := d.Demanded[name]
	want = max(1, want)
	if !demanded || checked >= want {
		return said
	}
	short := history.Report{Check: string(name), Property: "enough was recorded for " + string(name), Checked: checked}
	short.Why = fmt.Sprintf("checked %d items over all properties; %d are demanded", checked, want)
	return append(said, short.Conclude(1))
}
