package replica

import (
	"errors"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/internal/zoo"
)

// What an entry adds to its commands, as upper bounds: format, stamps, count
// and checksum; the length of each command.
const (
	entryOverhead   = 64
	commandOverhead = 4
)

// lane carries one entry at a time through the log: it takes everything that
// waits, up to an entry's bounds, and answers each command's caller. While the
// other lanes' entries are on their way, the next gathers; when none is, a
// single command goes at once.
type lane struct {
	replica  *Replica
	batch    []*pending
	commands [][]byte
}

func (l *lane) run() {
	s := &l.replica.settings
	for {
		batch, lead, ok := l.replica.queue.take(l.batch[:0], s.MaxCommandsPerEntry, s.MaxEntryBytes)
		if !ok {
			return
		}
		l.batch = batch
		l.flush(lead)
		clear(l.batch)
		clear(l.commands)
	}
}

func (l *lane) flush(lead *leadership) {
	r := l.replica
	l.commands = l.commands[:0]
	size := entryOverhead
	for _, p := range l.batch {
		l.commands = append(l.commands, p.command)
		size += len(p.command) + commandOverhead
	}
	now := r.clock.Boot()
	data := command.AppendEntry(make([]byte, 0, size), command.Entry{
		Term: lead.term, Time: lead.time(now), Wall: r.clock.Wall().UnixNano(), Commands: l.commands,
	})
	if zoo.Enabled && zoo.Has(zoo.AckBeforeCommit) {
		if guess := l.foretold(); guess != nil {
			r.raft.Apply(data, 0)
			l.answer(guess, nil)
			return
		}
	}
	traced := r.trails.enter(l.batch, lead.term, len(data))
	future := r.raft.Apply(data, 0)
	traced.left()
	err := future.Error()
	r.trails.arrive(traced, l.batch, future, err)
	r.transfer.observe(err)
	if err != nil {
		l.answer(nil, r.proposalError(err))
		return
	}
	lead.prove(now)
	entry, ok := future.Response().(*fsm.EntryResult)
	if !ok || len(entry.Results) != len(l.batch) {
		l.answer(nil, candor.Errorf(candor.ReasonOutcomeUnknown, "the entry is committed, and this server could not apply it"))
		return
	}
	l.answer(entry, nil)
}

func (l *lane) answer(entry *fsm.EntryResult, err error) {
	for i, p := range l.batch {
		if p.err = err; err == nil {
			p.result = entry.Results[i]
			if zoo.Enabled && zoo.Has(zoo.SwapAnswers) {
				p.result = entry.Results[len(l.batch)-1-i]
			}
		}
		p.request.hears(candor.Token{}, &p.result, err)
		p.finish(stateEntered)
	}
}

// proposalError says what became of an entry. These three alone mean that it
// surely was not done; everything else may yet appear.
func (r *Replica) proposalError(err error) *candor.Error {
	switch {
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrEnqueueTimeout):
		return errNotLeading
	case errors.Is(err, raft.ErrLeadershipTransferInProgress):
		return &candor.Error{Reason: candor.ReasonNotLeader, Message: "this server hands leadership over"}
	default:
		return candor.Errorf(candor.ReasonOutcomeUnknown, "the command reached the log of this server and nobody knows whether it will be committed: %w", err)
	}
}
