package placements

import (
	"cmp"
	"fmt"

	"github.com/candor-plane/candor/verify/history"
)

func (s *step) where() string {
	if s.node == "" {
		return "no node"
	}
	return fmt.Sprintf("node %s (%s)", s.node, s.nodeUID)
}

func (l *life) exhibit(s *step) history.Exhibit {
	text := fmt.Sprintf("%s (%s) at revision %d: %s on %s", l.key, l.uid, s.revision, s.phase, s.where())
	if len(s.needs) > 0 {
		text += ", needs " + s.needs.String()
	}
	return history.Exhibit{Record: "versions", Text: text}
}

func (r *report) exhibit() history.Exhibit {
	return history.Exhibit{Record: "versions", Text: fmt.Sprintf("node %s (%s) at revision %d has %s", r.name, r.uid, r.revision, r.capacity)}
}

func (c *Claim) title() string { return cmp.Or(c.Name, c.Instance) }

func (c *Claim) where() string {
	if c.Session == "" {
		return c.Node
	}
	return c.Node + " under session " + c.Session
}

func (c *Claim) exhibit() history.Exhibit {
	until := "and went on"
	if !c.To.IsZero() {
		until = "until " + c.To.String()
	}
	return history.Exhibit{Record: "claim", At: c.From.At, Text: fmt.Sprintf("%s (%s) runs on %s, %s", c.title(), c.Instance, c.where(), until)}
}
