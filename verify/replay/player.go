package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
)

// batchEntries is how many entries go through the state machine at once. Digests of fewer
// are kept by it.
const batchEntries = 512

// player is one state machine on its way through a log.
type player struct {
	source  Source
	machine *fsm.Machine
	base    Base
	// at is the index of the entry that was applied last, or the base's.
	at      uint64
	entries uint64
	turns   uint64
	refused uint64
	took    time.Duration
	// digest is told of the state after every entry, and of the base's.
	digest func(index uint64, d Digest) error
}

// begin brings a state machine to the base.
func begin(ctx context.Context, source Source, base Base, digest func(uint64, Digest) error) (_ *player, err error) {
	p := &player{source: source, machine: fsm.New(fsm.Config{}), base: base, at: base.Index, digest: digest}
	if base.Snapshot == "" {
		return p, nil
	}
	contents, err := source.Snapshot(ctx, base.Snapshot)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, contents.Close()) }()
	if err := p.machine.Restore(contents); err != nil {
		return nil, candor.Wrap(base.String(), err)
	}
	view := p.machine.View()
	return p, p.tell(view.Token().Index, Digest(view.Digest()))
}

// play applies entries up to an index. one, where it is not nil, has them applied one by
// one and hears of each.
func (p *player) play(ctx context.Context, to uint64, one func(*Entry, fsm.EntryResult) error) error {
	if to <= p.at {
		return nil
	}
	var batch []Entry
	flush := func() error {
		defer func() { batch = batch[:0] }()
		return p.apply(batch, one)
	}
	for e, err := range p.source.Entries(ctx, p.at+1, to) {
		if err != nil {
			return err
		}
		if want := p.at + uint64(len(batch)) + 1; e.Index != want {
			return candor.Errorf(candor.ReasonDataCorrupt, "%s: entry %d follows entry %d", p.source.Origin().Name, e.Index, want-1)
		}
		batch = append(batch, e)
		if one != nil || len(batch) == batchEntries {
			if err := flush(); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return &candor.Error{Reason: candor.ReasonCanceled, Message: fmt.Sprintf("given up after entry %d", p.at), Err: err}
		}
	}
	return flush()
}

func (p *player) apply(batch []Entry, one func(*Entry, fsm.EntryResult) error) error {
	if len(batch) == 0 {
		return nil
	}
	began := time.Now()
	// raft hands nothing else to a state machine.
	var committed []fsm.Committed
	for i := range batch {
		if batch[i].played() {
			committed = append(committed, batch[i].committed())
		}
	}
	results, err := p.applied(committed)
	p.took += time.Since(began)
	if err != nil {
		return err
	}
	p.at = batch[len(batch)-1].Index
	p.entries += uint64(len(batch))
	for _, r := range results {
		p.turns += uint64(len(r.Results))
		for i := range r.Results {
			if r.Results[i].Reason != "" {
				p.refused++
			}
		}
	}
	if one != nil {
		var result fsm.EntryResult
		if len(results) > 0 {
			result = results[0]
		}
		if err := one(&batch[0], result); err != nil {
			return err
		}
	}
	for i := range committed {
		if d, ok := p.machine.DigestAt(committed[i].Index); ok {
			if err := p.tell(d.Index, Digest(d.Digest)); err != nil {
				return err
			}
		}
	}
	return nil
}

// applied turns the state machine's refusal of an entry into an error that names it.
func (p *player) applied(batch []fsm.Committed) (results []fsm.EntryResult, err error) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		refusal, ok := cause.(error)
		if _, known := errors.AsType[*candor.Error](refusal); !ok || !known {
			panic(cause)
		}
		err = candor.Wrap(fmt.Sprintf("%s: entry %d", p.source.Origin().Name, culprit(batch)), refusal)
	}()
	return p.machine.Apply(batch), nil
}

// culprit is the first entry of the batch that no state machine takes.
func culprit(batch []fsm.Committed) uint64 {
	for i := range batch {
		if batch[i].Configuration {
			continue
		}
		entry, err := command.DecodeEntry(batch[i].Data)
		if err != nil {
			return batch[i].Index
		}
		for _, data := range entry.Commands {
			var c command.Command
			if err := command.DecodeCommand(data, &c); err != nil || c.Type == command.TypeRaiseLevel && c.Level > candor.FeatureLevel ||
				c.Type < command.TypeWrite || c.Type > command.TypeBeat {
				return batch[i].Index
			}
		}
	}
	return batch[0].Index
}

func (p *player) tell(index uint64, d Digest) error {
	if p.digest == nil {
		return nil
	}
	return p.digest(index, d)
}
