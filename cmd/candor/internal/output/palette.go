package output

import (
	"regexp"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/candor-plane/candor"
)

// Palette colours text, or does not. A state is always a word too, so nothing
// is said by colour alone. The zero Palette does not colour.
type Palette struct{ on bool }

// NewPalette returns a Palette that colours if on is set.
func NewPalette(on bool) Palette { return Palette{on: on} }

var (
	headingStyle = lipgloss.NewStyle().Bold(true)
	goodStyle    = lipgloss.NewStyle().Foreground(lipgloss.Green)
	cautionStyle = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
	badStyle     = lipgloss.NewStyle().Foreground(lipgloss.Red)
	faintStyle   = lipgloss.NewStyle().Faint(true)
)

// Heading is for column names and titles.
func (p Palette) Heading(text string) string { return p.render(headingStyle, text) }

// Bad is for refusals.
func (p Palette) Bad(text string) string { return p.render(badStyle, text) }

// Faint is for what may be skipped.
func (p Palette) Faint(text string) string { return p.render(faintStyle, text) }

// Added is for a line that a difference adds.
func (p Palette) Added(text string) string { return p.render(goodStyle, text) }

// Removed is for a line that a difference takes away.
func (p Palette) Removed(text string) string { return p.render(badStyle, text) }

func (p Palette) render(style lipgloss.Style, text string) string {
	if !p.on || text == "" {
		return text
	}
	return style.Render(text)
}

// stateStyles are the words of the protocol that stand for a state.
var stateStyles = map[string]lipgloss.Style{
	string(candor.ModeHealthy):    goodStyle,
	string(candor.CatchUpFresh):   goodStyle,
	string(candor.RestartReady):   goodStyle,
	string(candor.OutcomeApplied): goodStyle,
	"ALIVE":                       goodStyle,

	string(candor.ModeCoordinatorDegraded): cautionStyle,
	string(candor.ModeRootLagging):         cautionStyle,
	string(candor.CatchUpLagging):          cautionStyle,
	string(candor.CatchUpRecovering):       cautionStyle,
	string(candor.RestartCatchUp):          cautionStyle,
	string(candor.RestartRebuild):          cautionStyle,
	string(candor.OutcomeQueued):           cautionStyle,
	string(candor.OutcomeProposed):         cautionStyle,
	string(candor.OutcomeCommitted):        cautionStyle,
	"SUSPECT":                              cautionStyle,
	"WARNING":                              cautionStyle,
	"unproven":                             cautionStyle,

	string(candor.ModeRootUnavailable):      badStyle,
	string(candor.ModeViewOnly):             badStyle,
	string(candor.CatchUpBootstrapRequired): badStyle,
	string(candor.CatchUpUnavailable):       badStyle,
	string(candor.RestartDegraded):          badStyle,
	string(candor.RestartFatal):             badStyle,
	string(candor.OutcomeRejected):          badStyle,
	string(candor.OutcomeFailed):            badStyle,
	"DEAD":                                  badStyle,
	"CRITICAL":                              badStyle,
	"UNREACHABLE":                           badStyle,
}

var word = regexp.MustCompile(`[A-Za-z_]+`)

// States colours the protocol's state words in text.
func (p Palette) States(text string) string {
	if !p.on {
		return text
	}
	return word.ReplaceAllStringFunc(text, func(w string) string {
		if style, ok := stateStyles[w]; ok {
			return style.Render(w)
		}
		return w
	})
}

// Clean makes text from objects, files and servers safe for a terminal:
// control characters become escapes and nothing breaks the line.
func Clean(text string) string {
	if !strings.ContainsFunc(text, control) {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		switch {
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\t':
			out.WriteString(`\t`)
		case control(r):
			out.WriteString("\uFFFD")
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// control is true for C0, DEL, C1 and the marks that turn the direction of
// writing.
func control(r rune) bool {
	return r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}
