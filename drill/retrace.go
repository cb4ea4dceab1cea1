package drill

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/verify/evidence"
	"github.com/candor-plane/candor/verify/history"
	"github.com/candor-plane/candor/verify/replay"
)

const (
	// retraces is how often the logs are read anew where a server drops what is being
	// read of its own.
	retraces = 5
	// retracing is the pause before.
	retracing = 200 * time.Millisecond
)

// retrace runs the root's log again: that which reaches back furthest as a whole, and
// that of another server from where the seed says. What the states were then, which must
// be what servers told, and what was accepted under which tenure, is recorded.
func (r *run) retrace(ctx context.Context, k *client.Client) (err error) {
	choice := rand.New(rand.NewPCG(r.Seed, ^uint64(0)))
	for range retraces {
		if err = r.retraceOnce(ctx, k, choice); err == nil || !passes(ctx, retracing) {
			return err
		}
	}
	return err
}

func (r *run) retraceOnce(ctx context.Context, k *client.Client, choice *rand.Rand) error {
	journals, err := r.journals(ctx, k)
	if err != nil {
		return err
	}
	log := retraced{told: r.recorder.Told()}
	for i, j := range journals[:min(len(journals), 2)] {
		base, options := j.origin.Bases()[0], replay.Options{Step: log.turn}
		if i > 0 {
			bases := j.origin.Bases()
			base = bases[choice.IntN(len(bases))]
			options = replay.Options{From: cmp.Or(base.Snapshot, "log")}
		}
		options.Digest = func(index uint64, d replay.Digest) { log.state(base, j.origin.Name, index, d) }
		report, err := replay.Run(ctx, j, options)
		if err != nil {
			return err
		}
		if len(report.Damaged) > 0 {
			return candor.Errorf(candor.ReasonDataCorrupt, "%s: %s", j.origin.Name, report.Damaged[0])
		}
		if m := report.Mismatch; m != nil {
			log.note(func(e *evidence.Recorder) { e.Digest(j.origin.Name, m.By, m.Index, m.Digest[:]) })
		}
	}
	for _, record := range log.records {
		record(r.recorder)
	}
	return nil
}

// journals are the logs that can be run again, the one that reaches back furthest first,
// then the others in their order.
func (r *run) journals(ctx context.Context, k *client.Client) ([]*journal, error) {
	var all []*journal
	var failed, unplayable error
	for _, name := range r.Stage.Servers() {
		j, err := r.journal(ctx, k, name)
		if err != nil && r.gone(name) {
			continue
		}
		if err != nil {
			failed = errors.Join(failed, candor.Wrap(name, err))
			continue
		}
		if _, err := j.origin.Base(""); err != nil {
			unplayable = errors.Join(unplayable, err)
			continue
		}
		all = append(all, j)
	}
	slices.SortStableFunc(all, func(a, b *journal) int {
		return cmp.Compare(a.origin.Bases()[0].Index, b.origin.Bases()[0].Index)
	})
	if len(all) == 0 {
		none := candor.Errorf(candor.ReasonReplayUnavailable, "no server's log can be run again")
		return nil, errors.Join(failed, unplayable, none)
	}
	return all, failed
}

func (r *run) journal(ctx context.Context, k *client.Client, name string) (*journal, error) {
	ctx, cancel := context.WithTimeout(ctx, 4*glance)
	defer cancel()
	return journalOf(ctx, name, k.Diagnostics(r.Stage.Endpoint(name)))
}

// retraced is what the logs show, to be recorded once all of it was read.
type retraced struct {
	// told are the indexes at which servers told what their state was.
	told    map[uint64]bool
	records []func(*evidence.Recorder)
}

func (l *retraced) note(record func(*evidence.Recorder)) { l.records = append(l.records, record) }

func (l *retraced) state(base replay.Base, node string, index uint64, d replay.Digest) {
	if !l.told[index] {
		return
	}
	from := "log"
	if base.Snapshot != "" {
		from = fmt.Sprintf("snapshot@%d", base.Index)
	}
	l.note(func(e *evidence.Recorder) { e.Replayed(from, node, index, d[:]) })
}

// turn notes what was written under a tenure. Events of tenures themselves are no such
// writes: by them the root changes who holds one.
func (l *retraced) turn(t *replay.Turn) error {
	if t.Duty == "" || t.Reason != "" || t.Remembered || len(t.Versions) == 0 || len(t.Blocked) > 0 || t.Command == command.TypeTenure.String() {
		return nil
	}
	act, key, revision := t.CommandSummary, history.Key(t.Versions[0].Object), t.Token.Revision
	l.note(func(e *evidence.Recorder) { e.Logged(act.Holder, act.Duty, act.Era, revision, key) })
	return nil
}
