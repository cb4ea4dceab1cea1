package replica

import (
	"errors"
	"fmt"
	"io"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/transition"
)

// applier is the state machine as raft sees it. raft calls everything but
// Persist and Release from one goroutine.
type applier struct {
	replica *Replica
	scratch []fsm.Committed
	// damaged is set once the machine refused an entry: then nothing is applied
	// any more, and the process is about to end.
	damaged bool
	// refused is why the last snapshot was.
	refused error
}

var _ raft.BatchingFSM = (*applier)(nil)

// Apply applies one entry.
func (a *applier) Apply(log *raft.Log) any { return a.ApplyBatch([]*raft.Log{log})[0] }

// ApplyBatch applies committed entries: the machine publishes its view, then the
// applied index moves, then callers are answered. A response that is no
// *fsm.EntryResult means that the entry was not applied.
func (a *applier) ApplyBatch(logs []*raft.Log) []any {
	responses := make([]any, len(logs))
	if a.damaged {
		return responses
	}
	defer a.replica.applying.begin()()
	a.scratch = a.scratch[:0]
	for _, log := range logs {
		a.scratch = append(a.scratch, committedOf(log))
	}
	results, err := a.apply(a.scratch)
	clear(a.scratch)
	if err != nil {
		a.damaged = true
		a.replica.failure.report(err)
		return responses
	}
	a.replica.applied.advance(logs[len(logs)-1].Index)
	a.replica.notices.committed()
	for i := range results {
		responses[i] = &results[i]
	}
	return responses
}

// committedOf is an entry as the state machine takes it: of a configuration, who the
// members are.
func committedOf(log *raft.Log) fsm.Committed {
	c := fsm.Committed{Term: log.Term, Index: log.Index, Data: log.Data, Configuration: log.Type != raft.LogCommand}
	if log.Type == raft.LogConfiguration {
		for _, s := range raft.DecodeConfiguration(log.Data).Servers {
			c.Servers = append(c.Servers, transition.Server{ID: string(s.ID), Address: string(s.Address), Voter: s.Suffrage == raft.Voter})
		}
	}
	return c
}

// apply turns the machine's refusal of an entry into an error.
func (a *applier) apply(batch []fsm.Committed) (results []fsm.EntryResult, err error) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case *candor.Error:
			err = candor.Wrap(fmt.Sprintf("apply entries %d to %d", batch[0].Index, batch[len(batch)-1].Index), cause)
		case error:
			if _, ok := errors.AsType[*candor.Error](cause); !ok {
				panic(cause)
			}
			err = cause
		default:
			panic(cause)
		}
	}()
	return a.replica.machine.Apply(batch), nil
}

// Snapshot captures the state between two batches.
func (a *applier) Snapshot() (raft.FSMSnapshot, error) {
	if a.damaged {
		return nil, a.replica.failure.cause()
	}
	return &capture{replica: a.replica, snapshot: a.replica.machine.Snapshot(), log: a.replica.log.bytes.Load()}, nil
}

// Restore replaces the state, or leaves it as it was.
func (a *applier) Restore(stream io.ReadCloser) error {
	defer a.replica.applying.begin()()
	defer a.replica.snapshotStore.installed()
	if err := a.restore(stream); err != nil {
		a.refused = err
		a.replica.refusedSnapshot(err)
		return err
	}
	a.replica.log.bytes.Store(0)
	a.replica.applied.advance(a.replica.machine.View().Token().Index)
	return nil
}

func (a *applier) restore(stream io.Reader) error {
	ahead, err := newReadAhead(stream)
	if err != nil {
		return candor.Wrap("restore snapshot", err)
	}
	defer ahead.close()
	return a.replica.machine.RestoreBlocks(ahead)
}

// capture is one captured state. Persist runs beside turns.
type capture struct {
	replica  *Replica
	snapshot *fsm.Snapshot
	// log is how many bytes the snapshot makes superfluous.
	log int64
}

// Persist streams the state, at the rate that leaves the disk to the log.
func (c *capture) Persist(sink raft.SnapshotSink) error {
	pace := &pacer{to: sink, rate: c.replica.settings.SnapshotRate, stop: c.replica.stopping}
	if _, err := c.snapshot.WriteTo(pace); err != nil {
		return candor.Wrap("write snapshot", err)
	}
	c.replica.log.bytes.Add(-c.log)
	return nil
}

// Release lets the machine go on pruning.
func (c *capture) Release() { c.snapshot.Release() }
