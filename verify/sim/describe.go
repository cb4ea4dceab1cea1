package sim

import (
	"fmt"
	"strings"

	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
)

// described is an entry for people: its commands and what became of each.
func described(e *entry, r *fsm.EntryResult) string {
	if e.Configuration {
		return fmt.Sprintf("configuration of %d servers", len(e.Servers))
	}
	decoded, err := command.DecodeEntry(e.Data)
	if err != nil {
		return err.Error()
	}
	var parts []string
	for i, data := range decoded.Commands {
		var c command.Command
		if err := command.DecodeCommand(data, &c); err != nil {
			return err.Error()
		}
		parts = append(parts, doing(&c)+" -> "+answered(&r.Results[i]))
	}
	return strings.Join(parts, "; ")
}

func doing(c *command.Command) string {
	var text strings.Builder
	text.WriteString(c.Type.String())
	if c.Type == command.TypeTenure {
		fmt.Fprintf(&text, " %s", c.Tenure.Verb)
	}
	if c.Type == command.TypeTransition {
		fmt.Fprintf(&text, " %s %s %s", c.Transition.Verb, c.Transition.Kind, c.Transition.Target)
	}
	for i := range c.Then {
		fmt.Fprintf(&text, " %s %s", c.Then[i].Verb, c.Then[i].Ref())
	}
	if c.Duty != "" {
		fmt.Fprintf(&text, " [%s, era %d, %s]", c.Duty, c.Era, c.Holder)
	}
	if c.RequestID != "" {
		fmt.Fprintf(&text, " (%s)", c.RequestID)
	}
	return text.String()
}

func answered(r *fsm.Result) string {
	switch {
	case r.Reason != "":
		return string(r.Reason)
	case r.Replayed:
		return fmt.Sprintf("as before, %s", r.Token)
	case r.Changed:
		return fmt.Sprintf("revision %d", r.Token.Revision)
	default:
		return "no change"
	}
}

func answersOf(r *fsm.EntryResult) string {
	var parts []string
	for i := range r.Results {
		parts = append(parts, answered(&r.Results[i]))
	}
	return strings.Join(parts, "; ")
}
