package report

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Heights of a panel of the scatter.
const (
	panelHeight = 116
	panelInside = 8
)

// scatter draws a panel per class, all of one axis of time and one of latency, which
// is logarithmic.
func (r *Report) scatter(a axis) chart {
	c := chart{About: "Latency of every class over time, logarithmic. " + r.aboutLatency()}
	c.Labels.Width, c.Plot.Width = labelWidth, chartWidth
	all := r.series()
	low, high := decades(all)
	height := float64(len(all) * panelHeight)
	for i := range r.Faults {
		f := &r.Faults[i]
		x := a.x(f.From)
		if f.To > f.From {
			c.Plot.rect("band", x, 0, max(a.x(f.To)-x, 1), height, r.aboutFault(i))
		}
		c.Plot.line("edge", x, 0, x, height, "")
	}
	c.grid(a, 0, height)
	for i := range all {
		c.panel(a, &all[i], float64(i*panelHeight), low, high)
		c.NotDrawn += all[i].LeftOut
	}
	for i := range r.Flags {
		x := a.x(r.Flags[i].At)
		c.Plot.line("pole", x, 0, x, height, fmt.Sprintf("%s: %s", mark("V", i), clean(r.Flags[i].Property)))
	}
	c.Labels.Height, c.Plot.Height = int(height)+axisHeight, int(height)+axisHeight
	return c
}

func (r *Report) aboutLatency() string {
	var parts []string
	for _, s := range r.series() {
		parts = append(parts, fmt.Sprintf("%s: %s ok, %s unknown, %s refused; half within %s, 99 of 100 within %s, all within %s",
			clean(string(s.Class)), count(s.Ok), count(s.Unknown), count(s.Refused), short(s.P50), short(s.P99), short(s.Max)))
	}
	return strings.Join(parts, ". ")
}

// decades are the powers of ten in ns between which all samples lie; they are at
// least two apart.
func decades(all []Series) (low, high int) {
	low, high = 12, 0
	for i := range all {
		for _, s := range all[i].Samples {
			v := math.Log10(float64(max(s.Took, 1)))
			low, high = min(low, int(math.Floor(v))), max(high, int(math.Floor(v))+1)
		}
	}
	if high <= low {
		return 5, 9
	}
	if high-low < 2 {
		high = low + 2
	}
	return low, high
}

func (c *chart) panel(a axis, s *Series, top float64, low, high int) {
	inside := float64(panelHeight - 2*panelInside)
	y := func(took time.Duration) float64 {
		v := (math.Log10(float64(max(took, 1))) - float64(low)) / float64(high-low)
		return top + panelInside + inside*(1-min(max(v, 0), 1))
	}
	c.Labels.text("label strong", 4, top+18, cut(clean(string(s.Class)), 12))
	c.Labels.text("label small", 4, top+36, "p50 "+short(s.P50))
	c.Labels.text("label small", 4, top+51, "p99 "+short(s.P99))
	c.Labels.text("label small", 4, top+66, "max "+short(s.Max))
	every := 1 + (high-low-1)/4
	for power := low; power <= high; power++ {
		unit := time.Duration(math.Pow10(power))
		c.Plot.line("grid", 0, y(unit), chartWidth, y(unit), "")
		if (power-low)%every == 0 {
			c.Labels.text("tick last", labelWidth-5, y(unit)+4, short(unit))
		}
	}
	if top > 0 {
		c.Plot.line("axis", 0, top, chartWidth, top, "")
		c.Labels.line("axis", 0, top, labelWidth, top, "")
	}
	c.points(a, s, y)
}

// points draws each outcome as one path, in a shape of its own: dots, crosses,
// triangles.
func (c *chart) points(a axis, s *Series, y func(time.Duration) float64) {
	marks := []struct {
		outcome Outcome
		class   string
		before  float64 // the first stroke begins so far left and up of the point
		strokes string
	}{
		{Answered, "dot", 0, "h0"},
		{OutcomeUnknown, "cross", 3, "l6 6m0-6l-6 6"},
		{Refused, "triangle", 3.5, "h7l-3.5 6z"},
	}
	for _, m := range marks {
		var path strings.Builder
		n := 0
		for i := range s.Samples {
			p := &s.Samples[i]
			if p.Outcome != m.outcome {
				continue
			}
			path.WriteString("M" + number(a.x(p.At)-m.before) + " " + number(y(p.Took)-m.before) + m.strokes)
			n++
		}
		if n > 0 {
			c.Plot.path("point "+m.class, path.String(), "")
		}
	}
}
