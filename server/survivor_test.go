package server

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/server/replica/datadir"
)

// lone is a stopped server's directory with that log: one letter an entry, of the
// terms beside it. c is the configuration, l a LeaderStart, w a write and n a noop.
type lone struct {
	id, cluster string
	letters     string
	terms       []uint64
	members     []string
	distrusted  bool
}

func (x lone) make(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data")
	dir, err := datadir.Open(path, datadir.Options{Name: "n-" + x.id, ServerID: x.id, ClusterID: x.cluster, BallastBytes: -1, Logger: hclog.NewNullLogger()})
	if err != nil {
		t.Fatal(err)
	}
	var logs []*raft.Log
	for i, letter := range x.letters {
		log := &raft.Log{Index: uint64(i + 1), Term: x.terms[i], Type: raft.LogCommand}
		switch letter {
		case 'c':
			log.Type, log.Data = raft.LogConfiguration, raft.EncodeConfiguration(voters(x.members))
		case 'n':
			log.Type = raft.LogNoop
		case 'l':
			log.Data = entryOf(log.Term, command.LeaderStart(log.Term, "a"))
		default:
			log.Data = entryOf(log.Term, command.Tick())
		}
		logs = append(logs, log)
	}
	if len(logs) > 0 {
		err = errors.Join(dir.Stable().SetUint64([]byte("CurrentTerm"), logs[len(logs)-1].Term), dir.Log().StoreLogs(logs))
	}
	if x.distrusted {
		err = errors.Join(err, dir.SetTrust(datadir.Trust{Quarantine: &datadir.Quarantine{Index: 2}}))
	}
	if err := errors.Join(err, dir.CloseClean()); err != nil {
		t.Fatal(err)
	}
	return path
}

func voters(ids []string) (c raft.Configuration) {
	for _, id := range ids {
		c.Servers = append(c.Servers, raft.Server{ID: raft.ServerID(id), Address: raft.ServerAddress(id + "@127.0.0.1:1")})
	}
	return c
}

func entryOf(term uint64, c *command.Command) []byte {
	return command.AppendEntry(nil, command.Entry{Term: term, Time: int64(term), Wall: 1, Commands: [][]byte{command.AppendCommand(nil, c)}})
}

var five = []string{"a", "b", "c", "d", "e"}

func planned(t *testing.T, of ...lone) (*RecoveryPlan, error) {
	t.Helper()
	r := Recovery{Logger: hclog.NewNullLogger()}
	for _, x := range of {
		r.Data = append(r.Data, x.make(t))
	}
	return PlanRecovery(r)
}

func TestAPlanChoosesTheLogThatGoesFurthestAndShowsWhatTheOthersHold(t *testing.T) {
	for _, row := range []struct {
		name       string
		of         []lone
		chosen     string
		committed  uint64
		adopted    *IndexRange
		discarded  *IndexRange
		complete   bool
		quarantine bool
	}{
		{name: "alone", of: []lone{{id: "a", letters: "cnlww", terms: []uint64{1, 1, 1, 1, 1}, members: five}},
			chosen: "a", committed: 3, adopted: &IndexRange{4, 5}},
		{name: "a leader that began, and took nothing", of: []lone{{id: "a", letters: "cnlwnl", terms: []uint64{1, 1, 1, 1, 2, 2}, members: five}},
			chosen: "a", committed: 3, adopted: &IndexRange{4, 6}},
		{name: "a later leader that took commands", of: []lone{{id: "a", letters: "cnlwnlw", terms: []uint64{1, 1, 1, 1, 2, 2, 2}, members: five}},
			chosen: "a", committed: 6, adopted: &IndexRange{7, 7}},
		{name: "the longer of one term", of: []lone{
			{id: "a", letters: "cnlw", terms: []uint64{1, 1, 1, 1}, members: five},
			{id: "b", letters: "cnlww", terms: []uint64{1, 1, 1, 1, 1}, members: five}},
			chosen: "b", committed: 3, adopted: &IndexRange{4, 5}},
		{name: "the later term, although shorter", of: []lone{
			{id: "a", letters: "cnlwwww", terms: []uint64{1, 1, 1, 1, 1, 1, 1}, members: five},
			{id: "b", letters: "cnlwnl", terms: []uint64{1, 1, 1, 1, 2, 2}, members: five}},
			chosen: "b", committed: 3, adopted: &IndexRange{4, 6}, discarded: &IndexRange{5, 7}},
		{name: "two of four: every majority has one of them", of: []lone{
			{id: "a", letters: "cnlw", terms: []uint64{1, 1, 1, 1}, members: five[:4]},
			{id: "b", letters: "cnl", terms: []uint64{1, 1, 1}, members: five[:4]}},
			chosen: "a", committed: 3, adopted: &IndexRange{4, 4}, complete: true},
		{name: "a quarantined one comes last", of: []lone{
			{id: "a", letters: "cnlwww", terms: []uint64{1, 1, 1, 1, 1, 1}, members: five, distrusted: true},
			{id: "b", letters: "cnlw", terms: []uint64{1, 1, 1, 1}, members: five}},
			chosen: "b", committed: 3, adopted: &IndexRange{4, 4}, discarded: &IndexRange{5, 6}},
		{name: "nothing is known to be committed", of: []lone{{id: "a", letters: "c", terms: []uint64{1}, members: five}},
			chosen: "a", committed: 0, adopted: &IndexRange{1, 1}},
	} {
		t.Run(row.name, func(t *testing.T) {
			for i := range row.of {
				row.of[i].cluster = "c1"
			}
			p, err := planned(t, row.of...)
			if err != nil {
				t.Fatal(err)
			}
			if p.Chosen().ServerID != row.chosen || p.Chosen().Committed != row.committed || p.Complete != row.complete {
				t.Errorf("chose %s, committed at least to %d, complete %t", p.Chosen().ServerID, p.Chosen().Committed, p.Complete)
			}
			if diff := cmp.Diff(row.adopted, p.Adopted); diff != "" {
				t.Errorf("adopted: %s", diff)
			}
			last := p.Survivors[len(p.Survivors)-1]
			if diff := cmp.Diff(row.discarded, last.Discarded); diff != "" {
				t.Errorf("discarded: %s", diff)
			}
		})
	}
}

func TestAPlanIsRefusedWhereItWouldDoHarm(t *testing.T) {
	log := func(id, cluster string, members []string) lone {
		return lone{id: id, cluster: cluster, letters: "cnlw", terms: []uint64{1, 1, 1, 1}, members: members}
	}
	for name, row := range map[string]struct {
		of     []lone
		reason candor.Reason
		word   string
	}{
		"a majority is here":        {[]lone{log("a", "c1", five), log("b", "c1", five), log("c", "c1", five)}, candor.ReasonConflict, "3 of 5"},
		"the only voter":            {[]lone{log("a", "c1", five[:1])}, candor.ReasonConflict, "1 of 1"},
		"two clusters":              {[]lone{log("a", "c1", five), log("b", "c2", five)}, candor.ReasonClusterMismatch, "c2"},
		"a copy":                    {[]lone{log("a", "c1", five), log("a", "c1", five)}, candor.ReasonDataForeign, "copy"},
		"a server that was removed": {[]lone{log("x", "c1", five)}, candor.ReasonNotAMember, "removed"},
		"never part of a cluster":   {[]lone{{id: "a"}}, candor.ReasonNotAMember, "never"},
	} {
		_, err := planned(t, row.of...)
		if candor.ReasonOf(err) != row.reason || !strings.Contains(err.Error(), row.word) {
			t.Errorf("%s: %v, want %s with %q", name, err, row.reason, row.word)
		}
	}
	if _, err := PlanRecovery(Recovery{Data: []string{t.TempDir()}, Logger: hclog.NewNullLogger()}); candor.ReasonOf(err) != candor.ReasonNotFound {
		t.Errorf("an empty folder: %v", err)
	}
	path := log("a", "c1", five).make(t)
	dir, err := datadir.Open(path, datadir.Options{Logger: hclog.NewNullLogger()})
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if _, err := PlanRecovery(Recovery{Data: []string{path}, Logger: hclog.NewNullLogger()}); candor.ReasonOf(err) != candor.ReasonDataLocked {
		t.Errorf("a server runs on it: %v", err)
	}
}

func TestAPlanIsCarriedOutOnTheDirectoryThatItReadAlone(t *testing.T) {
	fresh := func() *RecoveryPlan {
		p, err := planned(t, lone{id: uuid.NewString(), cluster: "c1", letters: "cnlw", terms: []uint64{1, 1, 1, 1}, members: nil})
		if err == nil || p != nil {
			t.Fatal("a configuration without members was taken")
		}
		id := uuid.NewString()
		p, err = planned(t, lone{id: id, cluster: "c1", letters: "cnlw", terms: []uint64{1, 1, 1, 1}, members: []string{id, "b", "c"}})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	quiet := hclog.NewNullLogger()

	p := fresh()
	file := filepath.Join(t.TempDir(), "plan.json")
	if err := p.Write(file); err != nil {
		t.Fatal(err)
	}
	if err := p.Write(file); candor.ReasonOf(err) != candor.ReasonAlreadyExists {
		t.Errorf("a plan was written over: %v", err)
	}
	read, err := ReadRecoveryPlan(file)
	if err != nil || cmp.Diff(p, read) != "" {
		t.Fatalf("read another plan: %v\n%s", err, cmp.Diff(p, read))
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), `"term": 1`, `"term": 2`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadRecoveryPlan(file); candor.ReasonOf(err) != candor.ReasonInvalid {
		t.Errorf("a plan that was edited: %v", err)
	}

	dir, err := datadir.Open(p.Chosen().Data, datadir.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Recover(p, quiet); candor.ReasonOf(err) != candor.ReasonDataLocked {
		t.Errorf("a server runs on it: %v", err)
	}
	if err := errors.Join(dir.Log().StoreLogs([]*raft.Log{{Index: 5, Term: 1, Type: raft.LogNoop}}), dir.CloseClean()); err != nil {
		t.Fatal(err)
	}
	if _, err := Recover(p, quiet); candor.ReasonOf(err) != candor.ReasonConflict {
		t.Errorf("an entry came since: %v", err)
	}

	p = fresh()
	done, err := Recover(p, quiet)
	if err != nil || done.Already || done.State.HistoryID != p.NewHistoryID || done.State.ClusterID != "c1" || done.State.Contents != p.Contents || done.State.Token.Index != 4 {
		t.Fatalf("recovered %+v: %v", done, err)
	}
	again, err := Recover(p, quiet)
	if err != nil || !again.Already || again.Kept != done.Kept {
		t.Errorf("once more: %+v, %v", again, err)
	}
	if _, err := os.Stat(filepath.Join(done.Kept, "UNDO.txt")); err != nil {
		t.Error(err)
	}
	found, err := openSurvivor(p.Chosen().Data, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := found.dir.Close(); err != nil {
		t.Fatal(err)
	}
	if servers := found.configuration.Servers; len(servers) != 1 || string(servers[0].ID) != p.Chosen().ServerID || found.Term != 1 || !found.CleanStop {
		t.Errorf("recovered directory: %+v of %+v", found.Survivor, servers)
	}
	if _, err := PlanRecovery(Recovery{Data: []string{p.Chosen().Data}, Logger: quiet}); candor.ReasonOf(err) != candor.ReasonConflict {
		t.Errorf("a cluster of one was planned for: %v", err)
	}
}
