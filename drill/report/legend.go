package report

// sign is an entry of a legend.
type sign struct {
	Name   string
	Shapes []shape
}

func (r *Report) timelineLegend() []sign {
	var signs []sign
	heights := map[State]float64{Leader: 14, Follower: 6, Candidate: 11, Paused: 14, Down: 14, Degraded: 11, Unknown: 3}
	for _, s := range states {
		if !r.has(s) {
			continue
		}
		var d drawing
		d.rect("bar "+string(s), 1, (16-heights[s])/2, 28, heights[s], "")
		signs = append(signs, sign{string(s), d.Shapes})
	}
	if len(r.Lanes.Duties) > 0 {
		var d drawing
		d.rect("bar era e0", 1, 1, 14, 14, "")
		d.rect("bar era e1", 15, 1, 14, 14, "")
		d.line("start", 1.8, 1, 1.8, 15, "")
		d.line("start", 15.8, 1, 15.8, 15, "")
		signs = append(signs, sign{"eras of a duty, by number and holder", d.Shapes})
	}
	if len(r.Gaps) > 0 {
		var d drawing
		d.rect("bar gap", 1, 1, 28, 14, "")
		signs = append(signs, sign{"not answered", d.Shapes})
	}
	if len(r.Faults) > 0 {
		var d drawing
		d.rect("band", 2, 0, 26, 16, "")
		d.line("edge", 2, 0, 2, 16, "")
		d.line("edge", 28, 0, 28, 16, "")
		signs = append(signs, sign{"fault", d.Shapes})
	}
	if len(r.Flags) > 0 {
		var d drawing
		d.path("flag", "M4 1h22l-4 5 4 5h-22z", "")
		d.line("pole", 4, 1, 4, 16, "")
		signs = append(signs, sign{"broken promise", d.Shapes})
	}
	return signs
}

func (r *Report) has(s State) bool {
	for i := range r.Lanes.Nodes {
		for j := range r.Lanes.Nodes[i].Intervals {
			if r.Lanes.Nodes[i].Intervals[j].State.known() == s {
				return true
			}
		}
	}
	return false
}

func latencyLegend() []sign {
	var dot, cross, triangle drawing
	dot.path("point dot", "M9 8h0M15 8h0M21 8h0", "")
	cross.path("point cross", "M12 5l6 6m0-6l-6 6", "")
	triangle.path("point triangle", "M11.5 4.5h7l-3.5 6z", "")
	return []sign{{"ok", dot.Shapes}, {"unknown: may have been done", cross.Shapes}, {"refused: surely not done, or not answered", triangle.Shapes}}
}

func gapLegend() []sign {
	var signs []sign
	for _, c := range []Cause{Detection, Election, FirstCommit, Watchdog, NotKnown} {
		var d drawing
		d.rect(c.class(), 1, 2, 28, 12, "")
		signs = append(signs, sign{string(c), d.Shapes})
	}
	return signs
}

// class is what a cause is drawn with.
func (c Cause) class() string {
	if c.known() == FirstCommit {
		return "w-first"
	}
	return "w-" + string(c.known())
}
