package server

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/candor-plane/candor"
)

// What operators do once a majority of the voters is lost for good: one server that
// survived goes on alone, in a new history, with all that its log holds.
//
// The state may hold what was never committed, and may miss what was acknowledged
// after it. So the history gets a new ID, by which clients, sessions and the servers of
// the old one are refused, the revision and the values of duties are raised by margins
// as a restore does, and everything that a server would rely on is replaced at once.

const recoveryFormat = 1

// RecoveryPlan says what a recovery would do, and of which files.
type RecoveryPlan struct {
	Format int `json:"format"`
	// ID names the recovery. NewHistoryID is that of what begins with it.
	ID           string    `json:"id"`
	Made         time.Time `json:"made"`
	ClusterID    string    `json:"clusterID"`
	HistoryID    string    `json:"historyID"`
	NewHistoryID string    `json:"newHistoryID"`
	// Survivors are the directories that were read; the first is the one that goes on.
	Survivors []Survivor       `json:"survivors"`
	Members   []RecoveryMember `json:"members"`
	// Voters and Quorum are of the configuration that the chosen one knows; Here is how
	// many of these voters were read.
	Voters int `json:"voters"`
	Quorum int `json:"quorum"`
	Here   int `json:"here"`
	// Complete says that no acknowledged write can be missing: every majority of that
	// configuration has a member among those that were read.
	Complete bool `json:"complete"`
	// Adopted are entries that may never have been committed and become true.
	Adopted *IndexRange `json:"adopted,omitempty"`
	// Raft is the address at which the server will be reached.
	Raft string `json:"raft"`
	// API is where it served clients, where that is known.
	API string `json:"api,omitempty"`
	// The state that goes on, at the end of the log.
	Revision uint64 `json:"revision"`
	Objects  uint64 `json:"objects"`
	Contents string `json:"contents"`
	// SHA256 is of this document without it.
	SHA256 string `json:"sha256"`
}

// RecoveryMember is a member of the configuration that the chosen directory knows.
type RecoveryMember struct {
	ServerID string `json:"serverID"`
	Name     string `json:"name,omitempty"`
	Raft     string `json:"raft"`
	Voter    bool   `json:"voter"`
	// Here says that its directory was read.
	Here bool `json:"here"`
}

// Chosen is the directory that goes on.
func (p *RecoveryPlan) Chosen() *Survivor { return &p.Survivors[0] }

func (p *RecoveryPlan) sum() (string, error) {
	bare := *p
	bare.SHA256 = ""
	data, err := json.Marshal(&bare)
	if err != nil {
		return "", candor.Wrap("recovery plan", err)
	}
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:]), nil
}

// Write writes the plan to a file that does not exist yet.
func (p *RecoveryPlan) Write(path string) error {
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return candor.Wrap("recovery plan", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return candor.Errorf(candor.ReasonAlreadyExists, "recovery plan %s is there already: name another file, or remove it", path)
	}
	if err != nil {
		return candor.Wrap("recovery plan", err)
	}
	_, err = f.Write(append(data, '\n'))
	return candor.Wrap("recovery plan", errors.Join(err, f.Sync(), f.Close()))
}

// ReadRecoveryPlan reads a plan as it was written; any other is INVALID.
func ReadRecoveryPlan(path string) (*RecoveryPlan, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, candor.Errorf(candor.ReasonNotFound, "recovery plan %s: %w", path, err)
	}
	p := new(RecoveryPlan)
	if err := json.Unmarshal(data, p); err != nil {
		return nil, candor.Errorf(candor.ReasonInvalid, "recovery plan %s: no plan: %w", path, err)
	}
	if p.Format != recoveryFormat {
		return nil, candor.Errorf(candor.ReasonInvalid, "recovery plan %s: format %d; this build reads %d: make the plan anew", path, p.Format, recoveryFormat)
	}
	sum, err := p.sum()
	if err != nil {
		return nil, err
	}
	if sum != p.SHA256 || len(p.Survivors) == 0 {
		return nil, candor.Errorf(candor.ReasonInvalid, "recovery plan %s: it was changed after it was made: make it anew", path)
	}
	return p, nil
}

// undo tells how what a recovery did is undone.
func (p *RecoveryPlan) undo(kept string, stores string) []byte {
	data := p.Chosen().Data
	return fmt.Appendf(nil, `Recovery %s of server %s began history %s of cluster %s
in %s
This folder holds what it replaced. To go back to history %s, which lost
its majority, stop the server, and then, in this order, the first only if the folder is
not in its place already:

  mv %q %q
  mv %q %q

Whatever was written after the recovery is then given up. Do not start a copy of this
folder as a server while the recovered one runs.
Remove the folder once the cluster has been well for a while; nothing refers to it.
`, p.ID, p.Chosen().Name, p.NewHistoryID, p.ClusterID, data, p.HistoryID,
		filepath.Join(kept, stores), filepath.Join(data, stores),
		filepath.Join(kept, "identity.json"), filepath.Join(data, "identity.json"))
}
