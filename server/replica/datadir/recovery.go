package datadir

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

// Recovery is what Open found.
type Recovery struct {
	State candor.RestartState
	// Why says what stands against READY, in words.
	Why string
	// Repaired are the traces of a crash that were removed, one line each.
	Repaired []string

	FirstIndex, LastIndex, LastTerm uint64
	SnapshotIndex, SnapshotTerm     uint64
	CurrentTerm                     uint64

	rebuilt string
}

func (r *Recovery) empty() bool {
	return r.LastIndex == 0 && r.SnapshotIndex == 0 && r.CurrentTerm == 0
}

func (r *Recovery) rebuild(cause error) {
	r.State, r.rebuilt = candor.RestartRebuild, cause.Error()
	r.SnapshotIndex, r.SnapshotTerm = 0, 0
	r.Why = r.rebuilt
}

// conclude derives the state: REBUILD before DEGRADED before CATCH_UP before
// READY. FATAL is Open's error.
func (r *Recovery) conclude(clean bool, found *marker, noBallast string) {
	r.LastIndex, r.LastTerm, r.CurrentTerm = found.LastIndex, found.LastTerm, found.CurrentTerm
	r.SnapshotIndex, r.SnapshotTerm = found.SnapshotIndex, found.SnapshotTerm
	r.State = candor.RestartReady
	var why []string
	if !clean && !r.empty() {
		r.State = candor.RestartCatchUp
		why = append(why, "the last stop was no clean one")
	}
	if noBallast != "" {
		r.State = candor.RestartDegraded
		why = append(why, noBallast)
	}
	if r.rebuilt != "" {
		r.State = candor.RestartRebuild
		why = append(why, r.rebuilt)
	}
	r.Why = strings.Join(why, "; ")
}

// reconcile makes log and snapshot one history, as raft expects to find them
// and a crash between its steps may not have left them.
func (d *Dir) reconcile() error {
	snapshot, err := d.snapshots.newest()
	if err != nil {
		snapshot = nil
		if err = d.abandonSnapshot(err); err != nil {
			return err
		}
	}
	first, last, err := d.bounds()
	if err != nil {
		return err
	}
	d.recovery.FirstIndex = first
	if snapshot == nil {
		if first > 1 {
			return corrupt(d.file(snapshotsName), "no snapshot, and the log begins at %d", first)
		}
		return d.checkTerms(last, 0)
	}
	if first > snapshot.Index+1 {
		return corrupt(d.log.lastFile(), "the log begins at %d; the snapshot ends at %d", first, snapshot.Index)
	}
	keep, err := d.continues(snapshot, first, last)
	if err != nil {
		return err
	}
	if !keep {
		// The snapshot came from a leader, and the stop before the log was cleared.
		if d.options.ReadOnly {
			return nil
		}
		if err := d.log.DeleteRange(first, last); err != nil {
			return err
		}
		d.recovery.FirstIndex, last = 0, 0
		d.recovery.Repaired = append(d.recovery.Repaired, "removed a log that an installed snapshot had replaced")
	}
	return d.checkTerms(last, snapshot.Term)
}

// abandonSnapshot is left without the newest snapshot, if the log reaches back
// to the first entry; otherwise that is fatal.
func (d *Dir) abandonSnapshot(cause error) error {
	if candor.ReasonOf(cause) != candor.ReasonDataCorrupt {
		return cause
	}
	var damage *candor.Error
	if !errors.As(cause, &damage) {
		return cause
	}
	id := strings.TrimSuffix(filepath.Base(damage.Subject), snapshotSuffix)
	return d.SetAside(id, cause)
}

// continues says whether the log goes on from the snapshot.
func (d *Dir) continues(snapshot *raft.SnapshotMeta, first, last uint64) (bool, error) {
	if first == 0 || first == snapshot.Index+1 {
		return true, nil
	}
	if last < snapshot.Index {
		return false, nil
	}
	var at raft.Log
	if err := d.log.GetLog(snapshot.Index, &at); err != nil {
		return false, ioError(d.log.lastFile(), err)
	}
	return at.Term == snapshot.Term, nil
}

// checkTerms refuses a vote older than what was logged under it.
func (d *Dir) checkTerms(last, snapshotTerm uint64) error {
	term, err := d.stable.term()
	if err != nil {
		return err
	}
	lastTerm, err := d.termAt(last)
	if err != nil {
		return err
	}
	if newest := max(lastTerm, snapshotTerm); term < newest {
		return corrupt(d.stable.path, "term is %d; log and snapshot have seen %d", term, newest)
	}
	return nil
}

func (d *Dir) bounds() (first, last uint64, err error) {
	if first, err = d.log.FirstIndex(); err != nil {
		return 0, 0, err
	}
	last, err = d.log.LastIndex()
	return first, last, err
}

func (d *Dir) termAt(index uint64) (uint64, error) {
	if index == 0 {
		return 0, nil
	}
	var log raft.Log
	if err := d.log.GetLog(index, &log); err != nil {
		return 0, ioError(d.log.lastFile(), err)
	}
	return log.Term, nil
}

// position is where everything ends now.
func (d *Dir) position() (*marker, error) {
	m := &marker{ServerID: d.identity.ServerID, Stores: d.identity.Stores}
	var err error
	if _, m.LastIndex, err = d.bounds(); err != nil {
		return nil, err
	}
	if m.LastTerm, err = d.termAt(m.LastIndex); err != nil {
		return nil, err
	}
	if m.CurrentTerm, err = d.stable.term(); err != nil {
		return nil, err
	}
	snapshot, err := d.snapshots.newest()
	if err != nil {
		return nil, err
	}
	if snapshot != nil {
		m.SnapshotIndex, m.SnapshotTerm = snapshot.Index, snapshot.Term
	}
	return m, nil
}
