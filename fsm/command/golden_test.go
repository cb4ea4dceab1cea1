package command_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/policy"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
)

var update = flag.Bool("update", false, "add what is missing to testdata")

const widgets = candor.KindName("widgets.test")

// sample is one command of which the log format is pinned.
type sample struct {
	name    string
	command command.Command
}

// samples are every command type, and between them every field, verb and
// condition.
func samples() []sample {
	widget := candor.Ref{Kind: widgets, Namespace: "default", Name: "a"}
	full := &candor.Object{
		APIVersion: "test/v1", Kind: "Widget",
		Metadata: candor.Metadata{
			Name: "a", Namespace: "default", UID: "uid-a", Generation: 2, ResourceVersion: 9, CreateRevision: 5,
			CreationTime: time.Unix(1_700_000_000, 123_000_000).UTC(), DeletionTime: time.Unix(1_700_000_001, 0).UTC(),
			Labels: map[string]string{"app": "x", "tier": ""}, Annotations: map[string]string{"note": "é"},
			Owners:     []candor.OwnerReference{{Kind: widgets, Name: "p", UID: "uid-p", Controller: true, BlockOwnerDeletion: true}},
			Finalizers: []string{"test/hold", ""},
		},
		Spec: []byte(`{"n":1}`), Status: []byte(`{"phase":"Ready"}`), Observed: []byte(`{"n":1}`),
		Cause: &candor.Cause{Actor: "ana", PriorRevision: 7},
	}
	return []sample{
		{"Write", command.Command{
			Type: command.TypeWrite, Actor: "ana", RequestID: "r-1", NotAfter: 1_700_000_030_000_000_000, Digest: 0xfedcba9876543210,
			Duty: "control/test", Era: 3, ReadToken: candor.Token{Term: 2, Index: 41, Revision: 30}, Reason: "SCALED", Message: "more load",
			Because: &candor.VersionRef{Ref: candor.Ref{Kind: widgets, Namespace: "default", Name: "p"}, Revision: 8},
			Compares: []command.Compare{
				{Condition: command.IfExists, Ref: widget, Number: 1},
				{Condition: command.IfResourceVersion, Ref: widget, Number: 9},
				{Condition: command.IfGeneration, Ref: widget, Number: 2},
				{Condition: command.IfUID, Ref: widget, UID: "uid-a"},
				{Condition: command.IfRootRevision, Number: 977},
			},
			Then: []command.Operation{
				{Verb: command.VerbCreate, Kind: widgets, KindRevision: 2, Object: full},
				{Verb: command.VerbUpdate, Kind: widgets, KindRevision: 2, Object: full},
				{Verb: command.VerbUpdateStatus, Kind: widgets, KindRevision: 2, Namespace: "default", Name: "a", ResourceVersion: 9, UID: "uid-a", Payload: []byte(`{"phase":"Ready"}`)},
				{Verb: command.VerbObserve, Kind: widgets, KindRevision: 2, Namespace: "default", Name: "a", Payload: []byte(`{"n":1}`)},
				{Verb: command.VerbDelete, Kind: widgets, Namespace: "default", Name: "a", ResourceVersion: 9, UID: "uid-a", Propagation: candor.PropagateOrphan},
			},
			Else: []command.Operation{{Verb: command.VerbGet, Kind: widgets, Namespace: "default", Name: "a"}},
		}},
		{"LeaderStart", *command.LeaderStart(7, "4f3c2b1a-0000-4000-8000-000000000001")},
		{"Tick", *command.Tick()},
		{"Compact", *command.Compact(1_000_000)},
		{"CascadePage", *command.CascadePage(12)},
		{"RaiseLevel", *command.RaiseLevel(2)},
		{"Hello", *command.Hello("4f3c2b1a-0000-4000-8000-000000000001", "n1", "127.0.0.1:7070", 1)},
	}
}

// items are the samples whose items a turn judges one by one.
func items() []sample {
	return slices.DeleteFunc(added(), func(s sample) bool {
		return s.command.Type != command.TypePlacement && s.command.Type != command.TypeBeat
	})
}

// added are samples that the entry below does not hold: it is pinned whole.
func added() []sample {
	return []sample{
		{"verified Write", command.Command{
			Type: command.TypeWrite, Actor: "ana", Verified: true, Accessor: "k7f2",
			Asks: []policy.Ask{{Verb: policy.Delete, Kind: policy.Members, Name: "n1"}, {Verb: policy.Update, Kind: string(widgets), Namespace: "default", Name: "a", Section: policy.Status}},
		}},
		{"OpenAccess", command.Command{
			Type: command.TypeOpenAccess, Actor: "ana", Epoch: 2,
			Then: []command.Operation{{Verb: command.VerbDelete, Kind: widgets, Namespace: "default", Name: "a"}},
		}},
		{"fenced Write", command.Command{Type: command.TypeWrite, Actor: candor.ActorSystem, Duty: "janitor", Era: 3, Holder: "server/a"}},
		{"Tenure", *command.Tenure("ids", "server/a", tenure.Campaign{
			Holder: "server/a", Candidacy: "c1", Expect: 3, Cite: tenure.Digest{1, 2, 3}, Start: tenure.Frontiers{ID: 7, Timestamp: 8, Transition: 9}, Duration: 3_000_000_000,
		})},
		{"Tenure seal", *command.Tenure("ids", "server/a", tenure.Seal{Era: 4, Holder: "server/a", Usage: tenure.Frontiers{ID: 9}, To: "server/b"})},
		{"Tenure confirm", *command.Tenure("ids", "server/b", tenure.Confirm{Era: 5, Holder: "server/b", Predecessor: 4, Cite: tenure.Digest{4}})},
		{"Transition plan", *command.Plan(&removal, "")},
		{"Transition plan under a tenure", *command.Plan(&transition.Plan{
			Kind: transition.LeaderTransfer, Target: "b", Intent: transition.Membership{}.Intent(), Source: removal.Source, Actor: candor.ActorSystem,
			Duty: tenure.DutyTopology, Era: 3, Parent: "member-replace-1",
		}, "server/a")},
		{"Transition assessed", command.Command{Type: command.TypeTransition, Actor: "ana", Transition: command.TransitionEvent{
			Verb: command.TransitionEnd, Assess: true, Kind: "place", Target: "x", Digest: transition.Digest{7}, Planned: 41, Expect: 44,
			Phase: transition.PhaseSuperseded, SupersededBy: "place-2",
		}}},
		{"Transition cancel", *command.Cancel("ana", &removal, "CHANGED_MY_MIND", "it stays")},
		{"Transition end", *command.End(tenure.DutyTopology, 3, "server/a", &removal, transition.PhaseFailed, &transition.Journal{
			Times: transition.Times{Admitted: 5, Executing: 6, Applied: 7}, Outcome: transition.OutcomeFailed, Reason: candor.ReasonQuorumAtRisk, Message: "3 voters",
		})},
		{"Placement", *command.Place(tenure.DutySchedule, 3, "server/a", candor.Token{Term: 2, Index: 60, Revision: 40},
			command.Placement{
				Ref: candor.Ref{Kind: candor.KindInstances, Namespace: "default", Name: "web-0"}, UID: "uid-web-0", ResourceVersion: 39,
				Node: "w1", NodeUID: "uid-w1", Decision: []byte(`{"id":"d-40-0","verdict":"PLACED"}`), Reason: candor.WhyPlaced, Message: "best of 3",
			},
			command.Placement{
				Ref: candor.Ref{Kind: candor.KindInstances, Namespace: "default", Name: "web-1"}, UID: "uid-web-1", ResourceVersion: 38,
				Nominated: "w2", Decision: []byte(`{"id":"d-40-1","verdict":"NOMINATED"}`), Reason: candor.WhyNominated,
			})},
		{"Beat", *command.Beats(command.Beat{Node: "w1", UID: "uid-w1", Session: "s-1"}, command.Beat{Node: "w2", UID: "uid-w2", Session: "s-2"})},
		{"Beat promised", *command.Beats(command.Beat{Node: "w1", UID: "uid-w1", Session: "s-1", Promised: 15_000_000_000})},
		{"Transition dispose", *command.Dispose(tenure.DutyJanitor, 3, "server/a", 86_400_000_000_000, "member-add-1", "member-add-2")},
	}
}

var removal = transition.Plan{
	Kind: transition.MemberRemove, Target: "b", Revision: 41, Source: candor.Token{Term: 2, Index: 60, Revision: 40},
	Intent: transition.Membership{Force: true}.Intent(), Deadline: 1_700_000_060_000_000_000, PhaseLimit: 20_000_000_000, Configuration: 30,
	Retry: candor.RetryLater, Actor: "ana", Reason: "DECOMMISSIONED", Message: "old machine",
}

// entryOf holds the commands under one stamp.
func entryOf(commands ...[]byte) command.Entry {
	return command.Entry{Term: 7, Time: 1_700_000_000_000_000_000, Wall: 1_700_000_000_123_456_789, Commands: commands}
}

// TestOldLogsStayReadable holds the encoding to the bytes in testdata, both
// ways. A log lives as long as a cluster: these bytes change with a feature
// level or not at all.
func TestOldLogsStayReadable(t *testing.T) {
	pinned := readGolden(t)
	var entry [][]byte
	all := samples()
	for i, s := range append(all, added()...) {
		now := command.AppendCommand(nil, &s.command)
		if i < len(all) {
			entry = append(entry, now)
		}
		was := pinned.bytes(t, s.name, now)
		if !bytes.Equal(was, now) {
			t.Errorf("%s is written as\n%x, the log format says\n%x", s.name, now, was)
		}
		var read command.Command
		if err := command.DecodeCommand(was, &read); err != nil {
			t.Errorf("%s of an old log: %v", s.name, err)
		}
		if diff := cmp.Diff(s.command, read, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s of an old log reads differently (-written +read):\n%s", s.name, diff)
		}
	}
	for name, e := range map[string]command.Entry{"entry": entryOf(entry...), "entry without commands": entryOf(), "entry without a stamp": {Commands: entry[:1]}} {
		now := command.AppendEntry(nil, e)
		was := pinned.bytes(t, name, now)
		if !bytes.Equal(was, now) {
			t.Errorf("%s is written as\n%x, the log format says\n%x", name, now, was)
		}
		read, err := command.DecodeEntry(was)
		if err != nil {
			t.Errorf("%s of an old log: %v", name, err)
		}
		if diff := cmp.Diff(e, read, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s of an old log reads differently (-written +read):\n%s", name, diff)
		}
	}
}

// TestEveryTypeVerbAndConditionIsPinned: one that is added gets its sample.
func TestEveryTypeVerbAndConditionIsPinned(t *testing.T) {
	types, verbs, conditions := map[command.Type]bool{}, map[command.Verb]bool{}, map[command.Condition]bool{}
	for _, s := range append(samples(), added()...) {
		types[s.command.Type] = true
		for _, op := range append(s.command.Then, s.command.Else...) {
			verbs[op.Verb] = true
		}
		for _, c := range s.command.Compares {
			conditions[c.Condition] = true
		}
	}
	for n := 1; command.Type(n).String() != "unknown"; n++ {
		if !types[command.Type(n)] {
			t.Errorf("no sample has type %s", command.Type(n))
		}
	}
	for n := 1; command.Verb(n).String() != "unknown"; n++ {
		if !verbs[command.Verb(n)] {
			t.Errorf("no sample has verb %s", command.Verb(n))
		}
	}
	for c := command.IfExists; c <= command.IfRootRevision; c++ {
		if !conditions[c] {
			t.Errorf("no sample has condition %d", c)
		}
	}
}

// golden is testdata/golden.txt: a name and bytes in hex on each line.
type golden struct {
	path  string
	lines map[string]string
}

func readGolden(t *testing.T) *golden {
	g := &golden{path: filepath.Join("testdata", "golden.txt"), lines: map[string]string{}}
	text, err := os.ReadFile(g.path)
	if err != nil && !*update {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if name, digits, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && !strings.HasPrefix(name, "#") {
			g.lines[name] = digits
		}
	}
	return g
}

// bytes are those on the line of the name. With -update a missing line is
// added; one that is there is never rewritten.
func (g *golden) bytes(t *testing.T, name string, now []byte) []byte {
	digits, known := g.lines[name]
	if !known && *update {
		f, err := os.OpenFile(g.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		fmt.Fprintf(f, "%s: %x\n", name, now)
		return now
	}
	if !known {
		t.Fatalf("%s has no line %q; add it with go test -update", g.path, name)
	}
	data, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatalf("%s: line %q: %v", g.path, name, err)
	}
	return data
}
