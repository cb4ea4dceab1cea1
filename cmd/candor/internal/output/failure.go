package output

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/candor-plane/candor"
)

// Failure is how a command that did not do what it was asked ends: what was
// asked, what was found, and what to try next.
type Failure struct {
	// Asked is the request in words or as it was typed.
	Asked string
	Err   error
	// Exit is the exit code; 0 for that of the error's reason.
	Exit int
	// Try are commands, most useful first.
	Try []string
}

// String is the failure in lines, the last with a line end:
//
//	error: NOT_FOUND (exit 3)
//	asked: candor get widget web
//	found: widgets/default/web does not exist, at revision 1042
//	try:   candor get widgets
func (f Failure) String() string { return f.In(Palette{}) }

// In is the failure in colours.
func (f Failure) In(palette Palette) string {
	reason := candor.ReasonOf(f.Err)
	exit := f.Exit
	if exit == candor.ExitDone {
		exit = reason.Disposition().Exit
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s (exit %d)\n", palette.Bad("error:"), Clean(string(reason)), exit)
	fmt.Fprintf(&out, "asked: %s\n", Clean(f.Asked))
	for i, line := range found(f.Err) {
		label := "found:"
		if i > 0 {
			label = "      "
		}
		fmt.Fprintf(&out, "%s %s\n", label, line)
	}
	for i, try := range f.Try {
		label := "try:"
		if i > 0 {
			label = "or:"
		}
		fmt.Fprintf(&out, "%-6s %s\n", label, Clean(try))
	}
	return out.String()
}

// found says everything that the error knows, one fact a line.
func found(err error) []string {
	e, ok := errors.AsType[*candor.Error](err)
	if !ok {
		return []string{Clean(err.Error())}
	}
	message := e.Message
	if message == "" {
		message = "no message"
	}
	if e.Op != "" {
		message = e.Op + ": " + message
	}
	lines := []string{Clean(message)}
	if len(e.Fields) > 1 || len(e.Fields) == 1 && !strings.Contains(message, e.Fields[0].Path) {
		for _, field := range e.Fields {
			lines = append(lines, "- "+Clean(field.Path+": "+field.Message))
		}
	}
	if e.Revision > 0 && !strings.Contains(message, strconv.FormatUint(e.Revision, 10)) {
		lines = append(lines, fmt.Sprintf("decided at revision %d", e.Revision))
	}
	if e.Witness != nil {
		lines = append(lines, Footer(*e.Witness))
	}
	if e.Leader != nil {
		lines = append(lines, leader(*e.Leader))
	}
	return lines
}

func leader(hint candor.LeaderHint) string {
	name := hint.Name
	if name == "" {
		name = hint.ServerID
	}
	if hint.Address != "" {
		name += " at " + hint.Address
	}
	return "leader by hint: " + Clean(name)
}
