package server

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/server/link"
	"github.com/candor-plane/candor/server/replica/datadir"
)

// Recovered is what a recovery did.
type Recovered struct {
	// State is what the server begins with.
	State SnapshotInfo `json:"state,omitzero"`
	// Kept is the folder of what was replaced, with a file that says how to undo it.
	Kept string `json:"kept"`
	// Already says that the plan had been carried out before.
	Already bool `json:"already,omitempty"`
}

const (
	undoName = "UNDO.txt"
	planName = "plan.json"
)

// Recover carries a plan out. The directory must be as the plan found it, else
// CONFLICT; a server that runs on it is DATA_LOCKED. A crash at any point leaves the
// directory as it was, or recovered, and the same plan may be given again after both.
func Recover(p *RecoveryPlan, logger hclog.Logger) (Recovered, error) {
	chosen := p.Chosen()
	if _, err := os.Stat(chosen.Data); err != nil {
		return Recovered{}, candor.Errorf(candor.ReasonNotFound, "data directory %s: %w", chosen.Data, err)
	}
	done, err := isRecovered(p, logger)
	if err != nil || done.Already {
		return done, err
	}
	s, err := openSurvivor(chosen.Data, logger)
	if err != nil {
		return Recovered{}, err
	}
	out := Recovered{Kept: s.dir.Replaced(p.ID)}
	restored, err := s.recover(p)
	if err := errors.Join(err, s.dir.Close()); err != nil {
		return Recovered{}, err
	}
	out.State = infoOf(&restored)
	return out, checkStart(chosen.Data, logger)
}

// isRecovered ends what an earlier attempt began, where that is in use already.
func isRecovered(p *RecoveryPlan, logger hclog.Logger) (out Recovered, err error) {
	dir, err := datadir.Open(p.Chosen().Data, datadir.Options{ReadOnly: true, Logger: logger})
	if err != nil {
		return Recovered{}, err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	if !dir.IsReplacement(p.ID) {
		return Recovered{}, nil
	}
	return Recovered{Kept: dir.Replaced(p.ID), Already: true}, dir.Tidy(p.ID)
}

// checkStart opens the directory as a start does, and leaves it as a clean stop does.
// That a server was quicker says the same.
func checkStart(data string, logger hclog.Logger) error {
	dir, err := datadir.Open(data, datadir.Options{Logger: logger})
	if candor.ReasonOf(err) == candor.ReasonDataLocked {
		return nil
	}
	if err != nil {
		return err
	}
	return dir.CloseClean()
}

func (s *survivor) recover(p *RecoveryPlan) (fsm.Inspection, error) {
	if err := s.unchanged(p.Chosen()); err != nil {
		return fsm.Inspection{}, err
	}
	m, err := s.rebuild()
	if err != nil {
		return fsm.Inspection{}, err
	}
	meta := s.beginning(p)
	to := fsm.Rewrite{
		ClusterID: p.ClusterID, HistoryID: p.NewHistoryID, RaiseRevision: revisionMargin, Term: meta.Term, Index: meta.Index,
		Reached: s.reached(m, time.Now()), Servers: membersOf(meta.Configuration),
	}
	document, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fsm.Inspection{}, candor.Wrap("recovery plan", err)
	}
	stores := s.identity.Stores
	if stores == "" {
		stores = "raft"
	}
	replacement := datadir.Replacement{
		ID: p.ID, HistoryID: p.NewHistoryID, Term: max(s.Term, meta.Term), Snapshot: meta,
		Notes: map[string][]byte{undoName: p.undo(s.dir.Replaced(p.ID), stores), planName: document},
	}
	return streamed(
		func(w io.Writer) (fsm.Inspection, error) { return m.Rewrite(w, to) },
		func(r io.Reader) error { return s.dir.Replace(replacement, r) },
	)
}

// beginning is the snapshot with which the server begins: alone, where its log ended.
func (s *survivor) beginning(p *RecoveryPlan) raft.SnapshotMeta {
	self := raft.Server{Suffrage: raft.Voter, ID: raft.ServerID(s.ServerID), Address: link.Address(s.ServerID, p.Raft)}
	for _, x := range s.configuration.Servers {
		if x.ID == self.ID && link.HostPort(x.Address) == p.Raft {
			self.Address = x.Address
		}
	}
	return raft.SnapshotMeta{
		Index: s.LastIndex, Term: s.LastTerm, ConfigurationIndex: s.LastIndex,
		Configuration: raft.Configuration{Servers: []raft.Server{self}},
	}
}

// reached is the latest cluster time that the old history may have come to: it goes as
// real time does, and stood at the state's when the newest entry was made.
func (s *survivor) reached(m *fsm.Machine, now time.Time) int64 {
	reached := now.UnixNano()
	if since := now.Sub(s.LastWrite); !s.LastWrite.IsZero() && since > 0 {
		reached = max(reached, m.View().ClusterTime()+int64(since))
	}
	return reached
}

// unchanged is nil when the directory is as the plan found it.
func (s *survivor) unchanged(was *Survivor) error {
	for _, f := range was.Files {
		at := slices.IndexFunc(s.Files, func(x datadir.FileSum) bool { return x.Path == f.Path })
		if at < 0 || s.Files[at] != f {
			return candor.Errorf(candor.ReasonConflict, "%s is not as it was when the plan was made: make a new plan", filepath.Join(s.Data, f.Path))
		}
	}
	if len(s.Files) != len(was.Files) || s.ServerID != was.ServerID {
		return candor.Errorf(candor.ReasonConflict, "%s holds files that it did not hold when the plan was made: make a new plan", s.Data)
	}
	return nil
}

// streamed has one write what the other reads, and returns once both are done.
func streamed(write func(io.Writer) (fsm.Inspection, error), read func(io.Reader) error) (fsm.Inspection, error) {
	type outcome struct {
		written fsm.Inspection
		err     error
	}
	done := make(chan outcome, 1)
	pipe, writer := io.Pipe()
	go func() {
		written, err := write(writer)
		writer.CloseWithError(err)
		done <- outcome{written, err}
	}()
	err := read(pipe)
	// Ends the writing if the reader gave up first.
	_ = pipe.CloseWithError(err)
	wrote := <-done
	if err == nil {
		err = wrote.err
	}
	return wrote.written, err
}
