package replica

import (
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
)

// foretold is what an entry of the lane's writes would come to on the view as it stands;
// nil where it has others. Only a mistake of internal/zoo asks for it: nobody may be told
// of a turn that was not done.
func (l *lane) foretold() *fsm.EntryResult {
	view := l.replica.machine.View()
	entry := new(fsm.EntryResult)
	for _, p := range l.batch {
		var c command.Command
		if command.DecodeCommand(p.command, &c) != nil || c.Type != command.TypeWrite {
			return nil
		}
		entry.Results = append(entry.Results, view.DryRun(&c, l.replica.clock.Wall().UnixNano()))
	}
	return entry
}
