package report

import (
	"math"
	"strconv"
	"strings"
)

// drawing is an SVG: shapes in the order in which they are painted.
type drawing struct {
	Width, Height int
	Shapes        []shape
}

// shape is one element. Its numbers are as they are written.
type shape struct {
	Kind  string // "rect", "text", "path"
	Class string
	X, Y  string
	W, H  string
	D     string // of a path
	Text  string
	// Title is told when the shape is pointed at, and read aloud.
	Title string
}

func (d *drawing) rect(class string, x, y, w, h float64, title string) {
	d.Shapes = append(d.Shapes, shape{Kind: "rect", Class: class, X: number(x), Y: number(y), W: number(max(w, 0)), H: number(max(h, 0)), Title: title})
}

func (d *drawing) text(class string, x, y float64, text string) {
	d.Shapes = append(d.Shapes, shape{Kind: "text", Class: class, X: number(x), Y: number(y), Text: text})
}

func (d *drawing) path(class, data, title string) {
	d.Shapes = append(d.Shapes, shape{Kind: "path", Class: class, D: data, Title: title})
}

// line is a path between two points.
func (d *drawing) line(class string, x1, y1, x2, y2 float64, title string) {
	d.path(class, "M"+number(x1)+" "+number(y1)+"L"+number(x2)+" "+number(y2), title)
}

// number is a coordinate with at most one digit after the point.
func number(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(math.Round(v*10)/10, 'f', 1, 64), ".0")
}

// letter is about how wide a letter of the charts is; texts that may not fit are left
// out, and told by a title.
const letter = 6.4

// fits says whether a text has room.
func fits(text string, width float64) bool { return textWidth(text)+10 <= width }

func textWidth(text string) float64 {
	wide := 0
	for _, r := range text {
		if wide++; r > 0x1100 {
			wide++
		}
	}
	return float64(wide) * letter
}

// labelLetters fit into the column of names.
const labelLetters = 18

// name is text for the column of names.
func name(s string) string { return cut(clean(s), labelLetters) }
