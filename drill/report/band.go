package report

import (
	"cmp"
	"fmt"
	"slices"
)

// chip is the name of a fault above its band.
type chip struct {
	text     string
	title    string
	from, to float64 // the band
	x, width float64
	row      int
	bit      bool
}

// chipRows is how many rows there are at most; what does not fit into them overlaps
// in the last.
const chipRows = 6

// chips places the names of all faults in rows in which they do not overlap. Where
// whole names take too many rows, numbers stand for them.
func (r *Report) chips(a axis) (placed []chip, rows int) {
	for _, whole := range []bool{true, false} {
		placed, rows = r.place(a, whole)
		if rows < chipRows {
			return placed, rows
		}
	}
	return placed, rows
}

func (r *Report) place(a axis, whole bool) (placed []chip, rows int) {
	var ends []float64
	for _, i := range r.faultsInOrder() {
		f := &r.Faults[i]
		c := chip{from: a.x(f.From), to: a.x(max(f.From, f.To)), bit: f.Bite.Seen > 0, text: mark("F", i), title: r.aboutFault(i)}
		if whole {
			c.text = cut(c.text+" "+f.title(), 42)
		}
		c.width = max(textWidth(c.text)+12, 18)
		c.x = min(c.from, chartWidth-c.width)
		c.row = slices.IndexFunc(ends, func(end float64) bool { return end+3 <= c.x })
		switch {
		case c.row < 0 && len(ends) < chipRows:
			c.row = len(ends)
			ends = append(ends, 0)
		case c.row < 0:
			c.row = chipRows - 1
		}
		ends[c.row] = c.x + c.width
		placed = append(placed, c)
	}
	return placed, len(ends)
}

// faultsInOrder are the numbers of the faults by the time at which they began.
func (r *Report) faultsInOrder() []int {
	order := make([]int, len(r.Faults))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(r.Faults[i].From, r.Faults[j].From) })
	return order
}

// mark names the i-th thing of a kind: F1, V2.
func mark(kind string, i int) string { return fmt.Sprintf("%s%d", kind, i+1) }

func (r *Report) aboutFault(i int) string {
	f := &r.Faults[i]
	return fmt.Sprintf("%s %s at %s, lasted %s; seen of it: %s", mark("F", i), f.title(), moment(f.From), f.lasted(), f.bite())
}

// drawBands draws the faults behind everything else.
func drawBands(d *drawing, chips []chip, chipTop, top, bottom float64) {
	for _, c := range chips {
		y := chipTop + float64(c.row*chipHeight) + chipHeight/2
		if c.to > c.from {
			d.rect("band", c.from, top, max(c.to-c.from, 1), bottom-top, c.title)
			d.line("edge", c.to, top, c.to, bottom, "")
		}
		d.line("edge", c.from, y, c.from, bottom, "")
	}
}

func drawChips(d *drawing, chips []chip, top float64) {
	for _, c := range chips {
		y := top + float64(c.row*chipHeight) + 1
		class := "chip"
		if !c.bit {
			class = "chip toothless"
		}
		d.rect(class, c.x, y, c.width, chipHeight-4, c.title)
		d.text("in chip", c.x+6, y+12, c.text)
	}
}

func (r *Report) drawPoles(d *drawing, a axis, top, bottom float64) {
	for i := range r.Flags {
		x := a.x(r.Flags[i].At)
		d.line("pole", x, top, x, bottom, "")
	}
}

// drawFlags draws broken promises in front of everything else.
func (r *Report) drawFlags(d *drawing, a axis, top float64) {
	for i := range r.Flags {
		f := &r.Flags[i]
		x := a.x(f.At)
		text := mark("V", i)
		title := fmt.Sprintf("%s: %s, broken at %s", text, clean(f.Property), moment(f.At))
		side := 1.0
		if x > chartWidth-40 {
			side = -1
		}
		tip := number(x + side*(textWidth(text)+19))
		d.path("flag", "M"+number(x)+" "+number(top)+"H"+tip+"L"+number(x+side*(textWidth(text)+14))+" "+number(top+8)+"L"+tip+" "+number(top+16)+"H"+number(x)+"Z", title)
		at := x + 5
		if side < 0 {
			at = x - textWidth(text) - 5
		}
		d.text("in flag", at, top+12, text)
	}
}
