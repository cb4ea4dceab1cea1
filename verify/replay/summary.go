package replay

import (
	"fmt"
	"strings"
	"time"

	"github.com/candor-plane/candor/fsm/command"
)

// Summary is what an entry asks for, read without applying it.
type Summary struct {
	Index uint64 `json:"index"`
	Term  uint64 `json:"term"`
	Type  string `json:"type"`
	Bytes int    `json:"bytes"`
	// Wall is the clock of the leader that wrote it, for people.
	Wall     time.Time        `json:"wall,omitzero"`
	Members  []Member         `json:"members,omitempty"`
	Commands []CommandSummary `json:"commands,omitempty"`
	// Problem is set when the entry does not decode.
	Problem string `json:"problem,omitempty"`
}

// CommandSummary is one command: who asks for what.
type CommandSummary struct {
	Command   string `json:"command"`
	Actor     string `json:"actor"`
	RequestID string `json:"requestID,omitempty"`
	Duty      string `json:"duty,omitempty"`
	Era       uint64 `json:"era,omitempty"`
	// Holder is in whose name it acts under the era: "server/ID" or "client/NAME".
	Holder string   `json:"holder,omitempty"`
	Asks   []string `json:"asks,omitempty"`
}

// String is the command in one line.
func (c CommandSummary) String() string {
	out := c.Command + " by " + c.Actor
	if c.Duty != "" {
		out += fmt.Sprintf(" (%s, era %d)", c.Duty, c.Era)
	}
	return strings.Join(append([]string{out}, c.Asks...), ", ")
}

// What is the entry's content in one line.
func (s *Summary) What() string {
	var parts []string
	for _, c := range s.Commands {
		parts = append(parts, c.String())
	}
	for _, m := range s.Members {
		parts = append(parts, m.String())
	}
	if s.Problem != "" {
		parts = append(parts, "DAMAGED: "+s.Problem)
	}
	return strings.Join(parts, "; ")
}

// String is the member for people.
func (m Member) String() string {
	role := "non-voter"
	if m.Voter {
		role = "voter"
	}
	// The address of a server of this cluster begins with its ID.
	if strings.HasPrefix(m.Address, m.ServerID+"@") {
		return m.Address + " (" + role + ")"
	}
	return m.ServerID + " at " + m.Address + " (" + role + ")"
}

// Summarize reads an entry.
func Summarize(e *Entry) Summary {
	out := Summary{Index: e.Index, Term: e.Term, Type: e.Type, Bytes: len(e.Data), Members: e.Members}
	if e.Type != Command {
		return out
	}
	entry, err := command.DecodeEntry(e.Data)
	if err != nil {
		out.Problem = err.Error()
		return out
	}
	if entry.Wall != 0 {
		out.Wall = time.Unix(0, entry.Wall).UTC()
	}
	for _, data := range entry.Commands {
		var c command.Command
		if err := command.DecodeCommand(data, &c); err != nil {
			out.Problem = err.Error()
			return out
		}
		out.Commands = append(out.Commands, summarized(&c))
	}
	return out
}

func summarized(c *command.Command) CommandSummary {
	out := CommandSummary{
		Command: c.Type.String(), Actor: strings.Clone(c.Actor), RequestID: strings.Clone(c.RequestID),
		Duty: strings.Clone(c.Duty), Era: c.Era, Holder: strings.Clone(c.Holder),
	}
	ask := func(format string, args ...any) { out.Asks = append(out.Asks, fmt.Sprintf(format, args...)) }
	if len(c.Compares) > 0 {
		ask("if %d compares hold", len(c.Compares))
	}
	for i := range c.Then {
		ask("%s %s", c.Then[i].Verb, c.Then[i].Ref())
	}
	for i := range c.Else {
		ask("else %s %s", c.Else[i].Verb, c.Else[i].Ref())
	}
	switch c.Type {
	case command.TypeLeaderStart:
		ask("server %s leads term %d", c.ServerID, c.Term)
	case command.TypeHello:
		ask("server %s (%s) at %s supports level %d", c.ServerName, c.ServerID, c.APIAddress, c.Level)
	case command.TypeCompact:
		ask("floor %d", c.Revision)
	case command.TypeCascadePage:
		ask("cascade %d", c.CascadeID)
	case command.TypeRaiseLevel:
		ask("level %d", c.Level)
	case command.TypePlacement:
		for i := range c.Placements {
			ask("%s", placed(&c.Placements[i]))
		}
	case command.TypeTenure:
		ask("%s", c.Tenure.Verb)
	case command.TypeTransition:
		ask("%s", c.Transition.Verb)
	case command.TypeBeat:
		ask("%d workers", len(c.Beats))
	default:
	}
	return out
}

func placed(p *command.Placement) string {
	if p.Node == "" {
		return p.Ref.String() + " nowhere"
	}
	return p.Ref.String() + " on " + p.Node
}
