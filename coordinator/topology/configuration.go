package topology

import (
	"cmp"
	"slices"
)

// Server is a member as its caller has just found it.
type Server struct {
	ID, Address string
	Voter       bool
	// Answers says that it answered under its own ID in this term.
	Answers bool
	// Applied is how far its view was when it answered.
	Applied uint64
	// Differs says that its state differs from the majority's.
	Differs bool
}

// Configuration is who the members are as of the log entry at Index, and who leads.
type Configuration struct {
	Index   uint64
	Leader  string
	Servers []Server
	// Proven is an index at or above everything that was acknowledged before the
	// members were asked; 0 while that is not known, and then nobody has caught up.
	Proven uint64
}

// Find returns a member by ID.
func (c *Configuration) Find(id string) (Server, bool) {
	for _, s := range c.Servers {
		if s.ID == id {
			return s, true
		}
	}
	return Server{}, false
}

// caughtUp says whether the server has shown that its view holds everything that was
// acknowledged.
func (c *Configuration) caughtUp(s Server) bool {
	return s.Answers && c.Proven != 0 && s.Applied >= c.Proven
}

// at is the member at an address.
func (c *Configuration) at(address string) (Server, bool) {
	for _, s := range c.Servers {
		if s.Address == address {
			return s, true
		}
	}
	return Server{}, false
}

// voters counts the votes, and those of servers that answer.
func (c *Configuration) voters() (voters, answer int) {
	for _, s := range c.Servers {
		if s.Voter {
			voters++
			if s.Answers {
				answer++
			}
		}
	}
	return voters, answer
}

// heir is the voter that should lead in the place of another: one that answers and
// whose state is sound, the furthest of those, and of equals the first by ID.
func (c *Configuration) heir(leaving string) (Server, bool) {
	var fit []Server
	for _, s := range c.Servers {
		if s.ID != leaving && s.Voter && s.Answers && !s.Differs {
			fit = append(fit, s)
		}
	}
	if len(fit) == 0 {
		return Server{}, false
	}
	return slices.MinFunc(fit, func(a, b Server) int {
		return cmp.Or(cmp.Compare(b.Applied, a.Applied), cmp.Compare(a.ID, b.ID))
	}), true
}

// with is the configuration after one step, as far as the step decides it.
func (c *Configuration) with(s *Step) Configuration {
	next := *c
	next.Servers = slices.Clone(c.Servers)
	i := slices.IndexFunc(next.Servers, func(m Server) bool { return m.ID == s.Server })
	switch s.Kind {
	case Add:
		if i < 0 {
			// It must answer and have caught up before it is promoted. How far it is nobody
			// knows, so that others are fitter to lead.
			next.Servers = append(next.Servers, Server{ID: s.Server, Address: s.Address, Answers: true})
			break
		}
		next.Servers[i].Address = s.Address
	case Promote:
		next.Servers[i].Voter, next.Servers[i].Answers = true, true
	case Remove:
		next.Servers = slices.Delete(next.Servers, i, i+1)
	case Transfer:
		next.Leader = s.Server
	case Replace:
	}
	return next
}
