package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// chart is names on the left and what they name on the right, of one height.
type chart struct {
	Labels, Plot drawing
	// About is read aloud in place of the picture.
	About string
	// NotDrawn counts what there was no room for.
	NotDrawn int
}

// Heights in the timeline.
const (
	rowHeight   = 26
	barHeight   = 16
	chipHeight  = 20
	titleHeight = 22
	axisHeight  = 24
	most        = 400 // intervals that are drawn in a lane: the longest
)

// timeline draws lanes, faults and flags on one axis.
func (r *Report) timeline(a axis) chart {
	c := chart{About: r.aboutTimeline()}
	c.Labels.Width, c.Plot.Width = labelWidth, chartWidth
	top := 6.0
	flags := top
	if len(r.Flags) > 0 {
		c.Labels.text("label strong", 4, top+14, "Broken promises")
		top += chipHeight
	}
	chips, rows := r.chips(a)
	chipTop := top
	if len(chips) > 0 {
		c.Labels.text("label strong", 4, top+14, "Faults")
	}
	top += float64(rows * chipHeight)
	lanes := top
	bottom := lanes + r.lanesHeight()
	drawBands(&c.Plot, chips, chipTop, lanes, bottom)
	c.grid(a, lanes, bottom)
	top = r.drawNodes(&c, a, top)
	top = r.drawDuties(&c, a, top)
	r.drawAnswers(&c, a, top)
	r.drawPoles(&c.Plot, a, flags, bottom)
	drawChips(&c.Plot, chips, chipTop)
	r.drawFlags(&c.Plot, a, flags)
	height := int(bottom) + axisHeight
	c.Labels.Height, c.Plot.Height = height, height
	return c
}

func (r *Report) aboutTimeline() string {
	return fmt.Sprintf("Timeline of %s: %s, %s, %s, %s. The tables below hold the same as text.", short(r.end()),
		plural(len(r.Lanes.Nodes), "server", "servers"), plural(len(r.Lanes.Duties), "duty", "duties"),
		plural(len(r.Faults), "fault", "faults"), plural(len(r.Flags), "broken promise", "broken promises"))
}

// lanesHeight is that of everything between the faults and the axis.
func (r *Report) lanesHeight() float64 {
	height := 4
	for _, n := range []int{len(r.Lanes.Nodes), len(r.Lanes.Duties), len(r.Gaps)} {
		if n > 0 {
			height += titleHeight + n*rowHeight
		}
	}
	return float64(height)
}

// grid draws the axis, and its names below.
func (c *chart) grid(a axis, top, bottom float64) {
	for _, t := range a.ticks() {
		x := a.x(t.at)
		c.Plot.line("grid", x, top, x, bottom, "")
		class := "tick"
		switch {
		case t.at == 0:
			class = "tick first"
		case x > chartWidth-20:
			class = "tick last"
		}
		c.Plot.text(class, x, bottom+16, t.text)
	}
	c.Plot.line("axis", 0, bottom, chartWidth, bottom, "")
}

// title begins a group of lanes, and returns where the first is.
func (c *chart) title(text string, top float64) float64 {
	c.Labels.text("label group", 4, top+16, text)
	return top + titleHeight
}

func (c *chart) lane(label string, top float64) {
	c.Labels.text("label", 4, top+17, name(label))
	c.Plot.line("lane", 0, top+rowHeight/2, chartWidth, top+rowHeight/2, "")
}

func (r *Report) drawNodes(c *chart, a axis, top float64) float64 {
	if len(r.Lanes.Nodes) == 0 {
		return top
	}
	top = c.title("Servers", top)
	for i := range r.Lanes.Nodes {
		lane := &r.Lanes.Nodes[i]
		c.lane(lane.Node, top)
		drawn, left := foremost(lane.Intervals, func(v Interval) time.Duration { return v.To - v.From })
		c.NotDrawn += left
		for _, v := range drawn {
			drawState(&c.Plot, a, clean(lane.Node), v, top)
		}
		top += rowHeight
	}
	return top
}

// drawState draws an interval so that height and pattern tell the state without
// colours.
func drawState(d *drawing, a axis, node string, v Interval, top float64) {
	state := v.State.known()
	x := a.x(v.From)
	width := max(a.x(v.To)-x, 1.5)
	height := map[State]float64{Leader: barHeight, Follower: 6, Candidate: 11, Paused: barHeight, Down: barHeight, Degraded: 11, Unknown: 3}[state]
	text := string(state)
	if v.Term != 0 {
		text += fmt.Sprintf(" · term %d", v.Term)
	}
	d.rect("bar "+string(state), x, top+(rowHeight-height)/2, width, height, fmt.Sprintf("%s: %s, %s to %s (%s)", node, text, moment(v.From), moment(v.To), short(v.To-v.From)))
	if height < barHeight {
		return
	}
	for _, words := range []string{text, string(state)} {
		if fits(words, width) {
			d.text("in "+string(state), x+6, top+17, words)
			return
		}
	}
}

func (r *Report) drawDuties(c *chart, a axis, top float64) float64 {
	if len(r.Lanes.Duties) == 0 {
		return top
	}
	top = c.title("Duties", top)
	for i := range r.Lanes.Duties {
		lane := &r.Lanes.Duties[i]
		c.lane(lane.Duty, top)
		drawn, left := foremost(lane.Eras, func(v Era) time.Duration { return v.To - v.From })
		c.NotDrawn += left
		for _, v := range drawn {
			drawEra(&c.Plot, a, clean(lane.Duty), v, top)
		}
		top += rowHeight
	}
	return top
}

// eraColours is how many there are: eras that follow one another differ.
const eraColours = 6

func drawEra(d *drawing, a axis, duty string, v Era, top float64) {
	x := a.x(v.From)
	width := max(a.x(v.To)-x, 1.5)
	y := top + (rowHeight-barHeight)/2
	holder := clean(v.Holder)
	d.rect(fmt.Sprintf("bar era e%d", v.Era%eraColours), x, y, width, barHeight,
		fmt.Sprintf("%s: era %d held by %s, %s to %s (%s)", duty, v.Era, holder, moment(v.From), moment(v.To), short(v.To-v.From)))
	d.line("start", x+0.8, y, x+0.8, y+barHeight, "")
	for _, words := range []string{fmt.Sprintf("era %d · %s", v.Era, holder), fmt.Sprintf("%d · %s", v.Era, holder), fmt.Sprint(v.Era)} {
		if fits(words, width) {
			d.text("in era", x+6, top+17, words)
			return
		}
	}
}

// drawAnswers draws a lane per class: a line while it was answered, a block while not.
func (r *Report) drawAnswers(c *chart, a axis, top float64) {
	if len(r.Gaps) == 0 {
		return
	}
	top = c.title("Not answered", top)
	for _, g := range r.gaps() {
		c.lane(string(g.Class), top)
		drawn, left := foremost(g.Gaps, func(v Gap) time.Duration { return v.Took() })
		c.NotDrawn += left
		for _, v := range drawn {
			x := a.x(v.From)
			width := max(a.x(v.To)-x, 1.5)
			d := &c.Plot
			d.rect("bar gap", x, top+(rowHeight-barHeight)/2, width, barHeight, fmt.Sprintf("%s: not answered for %s, %s to %s; waited on %s",
				clean(string(g.Class)), short(v.Took()), moment(v.From), moment(v.To), waits(&v)))
			if fits(short(v.Took()), width) {
				d.text("in gap", x+6, top+17, short(v.Took()))
			}
		}
		top += rowHeight
	}
}

// foremost are the longest of a lane, in their order, and how many others there are.
func foremost[V any](all []V, length func(V) time.Duration) (some []V, left int) {
	if len(all) <= most {
		return all, 0
	}
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(length(all[j]), length(all[i])) })
	order = order[:most]
	slices.Sort(order)
	for _, i := range order {
		some = append(some, all[i])
	}
	return some, len(all) - most
}
