package coverage

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/verify/replay"
)

// Replay notes what the log of a source shows, from the oldest state that it can begin
// at: what led there is not seen. Of a source that does not know which entries were
// committed, the last ones may never have been. It returns how many turns it saw.
func (c *Coverage) Replay(ctx context.Context, by Source, from replay.Source) (turns int, err error) {
	origin := from.Origin()
	base, err := origin.Base("")
	if err != nil {
		return 0, err
	}
	m := fsm.New(fsm.Config{ClusterID: origin.ClusterID})
	if base.Snapshot != "" {
		if err := restore(ctx, m, from, base.Snapshot); err != nil {
			return 0, err
		}
	}
	last := uint64(math.MaxUint64)
	if origin.Committed != 0 {
		last = origin.Committed
	}
	for entry, err := range from.Entries(ctx, base.Index+1, last) {
		if err != nil {
			return turns, err
		}
		if entry.Type != replay.Command && entry.Type != replay.Configuration {
			continue
		}
		turn, err := applied(m, &entry)
		if err != nil {
			return turns, candor.Wrap(fmt.Sprintf("%s: entry %d", origin.Name, entry.Index), err)
		}
		c.Add(by, fmt.Sprintf("%s index %d", origin.Name, entry.Index), OfTurn(turn)...)
		turns += len(turn.Results)
	}
	return turns, nil
}

func restore(ctx context.Context, m *fsm.Machine, from replay.Source, id string) (err error) {
	contents, err := from.Snapshot(ctx, id)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, contents.Close()) }()
	return candor.Wrap("snapshot "+id, m.Restore(contents))
}

// applied makes an error of the panic with which a machine refuses an entry.
func applied(m *fsm.Machine, e *replay.Entry) (turn *Turn, err error) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case *candor.Error:
			err = cause
		case error:
			if _, ours := errors.AsType[*candor.Error](cause); !ours {
				panic(cause)
			}
			err = cause
		default:
			panic(cause)
		}
	}()
	committed := fsm.Committed{Term: e.Term, Index: e.Index, Data: e.Data, Configuration: e.Type == replay.Configuration}
	for _, s := range e.Members {
		committed.Servers = append(committed.Servers, transition.Server{ID: s.ServerID, Address: s.Address, Voter: s.Voter})
	}
	turn = &Turn{Before: m.View()}
	if !committed.Configuration {
		if turn.Commands, err = commandsOf(e.Data); err != nil {
			return nil, err
		}
	}
	turn.Results = m.Apply([]fsm.Committed{committed})[0].Results
	turn.After = m.View()
	return turn, nil
}

func commandsOf(data []byte) ([]*command.Command, error) {
	entry, err := command.DecodeEntry(data)
	if err != nil {
		return nil, err
	}
	commands := make([]*command.Command, len(entry.Commands))
	for i := range commands {
		commands[i] = new(command.Command)
		if err := command.DecodeCommand(entry.Commands[i], commands[i]); err != nil {
			return nil, err
		}
	}
	return commands, nil
}
