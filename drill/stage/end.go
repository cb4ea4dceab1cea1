package stage

import (
	"os"
	"slices"
	"time"

	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/stage/process"
)

// Ended are the servers that ended without being asked so far, in their order, those
// that a fault brought to it among them. One that wrote of a panic or of a data race is
// Broken, and told of also if it runs.
func (s *Stage) Ended() []drill.End {
	for _, m := range s.everyone() {
		said, err := os.ReadFile(m.server.Log)
		if err == nil && process.Faulty(said) {
			s.breaks(m, "it wrote of a panic or a data race: see "+m.server.Log)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ends)
}

// breaks notes a server that is broken, once.
func (s *Stage) breaks(m *member, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(s.ends, func(e drill.End) bool { return e.Broken && e.Server == m.name() }) {
		s.ends = append(s.ends, drill.End{Server: m.name(), At: time.Now(), Message: message, Broken: true})
	}
}

// note takes note of the end of a run that nobody asked for.
func (s *Stage) note(m *member, run *process.Run) {
	if run.Wanted() {
		return
	}
	e := drill.End{Server: m.name(), At: time.Now(), Message: run.Child.ProcessState.String()}
	if said, err := run.Said(); err == nil {
		if reason, why := process.Told(said); reason != "" {
			e.Reason, e.Message = reason, why
		}
		e.Broken = process.Faulty([]byte(said))
	}
	s.mu.Lock()
	s.ends = append(s.ends, e)
	s.mu.Unlock()
	s.logger.Warn("a server ended by itself", "server", e.Server, "how", run.Child.ProcessState.String(), "reason", string(e.Reason))
}
