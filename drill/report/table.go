package report

import (
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
)

// columns is how wide text for a terminal is.
const columns = 80

// table is rows of text; its first row is the head.
type table struct {
	rows [][]string
	// right marks columns whose cells end at one edge.
	right []int
	// after is a line below the rows.
	after string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write puts the columns below one another, and an empty line after them.
func (t *table) write(out *strings.Builder) {
	t.lines(out)
	if t.after != "" {
		out.WriteString(t.after + "\n")
	}
	out.WriteString("\n")
}

func (t *table) lines(out *strings.Builder) {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], lipgloss.Width(cell))
		}
	}
	fit(widths)
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			cell = cut(cell, widths[i])
			room := strings.Repeat(" ", widths[i]-lipgloss.Width(cell))
			if slices.Contains(t.right, i) {
				line.WriteString(room + cell)
				continue
			}
			line.WriteString(cell + room)
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// fit makes the widest column narrower until a line fits.
func fit(widths []int) {
	total := 2 * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for ; total > columns; total-- {
		widest := 0
		for i := range widths {
			if widths[i] > widths[widest] {
				widest = i
			}
		}
		widths[widest]--
	}
}

// cut shortens text to a width, and says so with an ellipsis.
func cut(s string, width int) string {
	if lipgloss.Width(s) <= width {
		return s
	}
	runes := []rune(s)
	for len(runes) > 0 && lipgloss.Width(string(runes))+1 > width {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

// wrap writes text in lines that fit, with the first indented by first and the
// others by rest. A word that fits no line is cut into pieces.
func wrap(out *strings.Builder, first, rest, text string) {
	line, empty := first, true
	for word := range strings.FieldsSeq(text) {
		if !empty && lipgloss.Width(line)+1+lipgloss.Width(word) > columns {
			out.WriteString(line + "\n")
			line, empty = rest, true
		}
		for empty && lipgloss.Width(line)+lipgloss.Width(word) > columns {
			piece := strings.TrimSuffix(cut(word, columns-lipgloss.Width(line)+1), "…")
			if piece == "" {
				break
			}
			out.WriteString(line + piece + "\n")
			line, word = rest, word[len(piece):]
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	out.WriteString(strings.TrimRight(line, " ") + "\n")
}
