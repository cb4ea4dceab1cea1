package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"sigs.k8s.io/yaml"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/cli"
)

var start = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// The commands of the transcripts, each on what those before it left:
//
//	objects               puts the objects of the input, a YAML list, on the shelf
//	versions              sets what history tells, newest first
//	events                sets what a watch delivers, one batch of events a list entry
//	tenures               sets what every server says of duties
//	transferred           sets what becomes of a handover
//	lineage NAME          sets what history tells of a tenure, newest first
//	transitions at=TIME   sets what every server says of transitions, newest first, and
//	                      the cluster time
//	reshaped ID           names the transition that changes of the members were
//	unanswering           has nobody hear the end of a replacement from here on
//	explained             sets what why tells of the subject of the explanation in the input
//	plan                  sets what a plan comes to
//	decision [same|differs|unavailable]
//	                      sets what every decision is, and what its replay comes to
//	did                   sets what controllers did about everything
//	outcome OUTCOME       sets what outcome tells
//	file NAME             writes a file; » is a tab
//	reachable             has the members know the address of n2 from here on
//	reconfigure           adds to the members' configuration index
//	stale                 has reads answered as BEST_EFFORT from here on
//	damage                breaks the snapshot that the cluster sends from here on
//	refuse VERB REASON    orders the next refusal of a verb, VERB@ADDRESS that of one
//	                      server; the input is its message, of=CLASS a read of
//	                      n2 that asked for the class
//	env NAME=VALUE        sets a variable
//	editor                sets the shell commands that edit runs on the file $1
//	run [dry]             runs the command line in the first line of the input,
//	                      with the rest as stdin, and shows what came of it;
//	                      dry: what is written meanwhile is not kept
func TestTranscripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	snapshot, err := os.ReadFile("testdata/state.candor")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		full, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Chdir(t.TempDir())
			t.Setenv("TMPDIR", t.TempDir())
			s := &stage{shelf: newShelf(), env: map[string]string{"HOME": "/home/ana"}}
			s.shelf.snapshot = snapshot
			datadriven.RunTest(t, full, s.act)
		})
	}
}

type stage struct {
	shelf  *shelf
	env    map[string]string
	editor string
}

func (s *stage) act(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	switch d.Cmd {
	case "objects":
		for _, o := range read[[]staged](t, d.Input) {
			s.shelf.objects = append(s.shelf.objects, o.object())
		}
	case "versions":
		s.shelf.history = nil
		for _, v := range read[[]staged](t, d.Input) {
			o := v.object()
			s.shelf.history = append(s.shelf.history, client.Version{Revision: o.Metadata.ResourceVersion, Deleted: v.Deleted, Object: o})
		}
	case "events":
		s.shelf.batches = []client.WatchBatch{{Revision: s.shelf.revision, Bookmark: true}}
		for _, batch := range read[[][]staged](t, d.Input) {
			b := client.WatchBatch{}
			for _, e := range batch {
				o := e.object()
				b.Revision = o.Metadata.ResourceVersion
				b.Events = append(b.Events, candor.Event{Type: e.Type, Revision: b.Revision, Object: o})
			}
			s.shelf.batches = append(s.shelf.batches, b)
		}
	case "tenures":
		s.shelf.tenures = read[*client.Tenures](t, d.Input)
		w := s.shelf.witness()
		s.shelf.tenures.Witness = &w
	case "transitions":
		s.shelf.transitions = read[[]client.Transition](t, d.Input)
		at, err := strconv.ParseInt(d.CmdArgs[0].Vals[0], 10, 64)
		must(t, err)
		s.shelf.clusterTime = at
	case "reshaped":
		s.shelf.reshaped = d.CmdArgs[0].Key
	case "unanswering":
		s.shelf.unanswering = true
	case "transferred":
		s.shelf.transferred = read[*client.Transferred](t, d.Input)
	case "lineage":
		s.shelf.lineages[d.CmdArgs[0].Key] = nil
		for _, v := range read[[]staged](t, d.Input) {
			o := v.object()
			s.shelf.lineages[d.CmdArgs[0].Key] = append(s.shelf.lineages[d.CmdArgs[0].Key], client.Version{Revision: o.Metadata.ResourceVersion, Object: o})
		}
	case "explained":
		x := read[*candor.Explanation](t, d.Input)
		s.shelf.explaining.of[x.Subject.String()] = x
	case "plan":
		s.shelf.explaining.plan = read[*candor.Plan](t, d.Input)
	case "did":
		s.shelf.explaining.did = read[[]candor.Reconciliation](t, d.Input)
	case "decision":
		s.shelf.explaining.decision = read[*candor.Decision](t, d.Input)
		s.shelf.explaining.replay = map[string]candor.Replay{
			"same": {Same: true}, "differs": {Reason: "DECISION_DIFFERS", Message: "w2 now"}, "unavailable": {Reason: "REPLAY_UNAVAILABLE", Message: "revision 8123 is compacted"},
		}[d.CmdArgs[0].Key]
	case "outcome":
		s.shelf.outcome = client.WriteOutcome{}
		if len(d.CmdArgs) > 0 {
			s.shelf.outcome.Outcome = candor.Outcome(d.CmdArgs[0].Key)
		}
		if s.shelf.outcome.Outcome == candor.OutcomeApplied {
			s.shelf.outcome.Token = candor.Token{Term: 7, Index: 1041, Revision: 976}
		}
	case "file":
		path := d.CmdArgs[0].Key
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(strings.ReplaceAll(d.Input, "»", "\t")+"\n"), 0o644))
	case "reachable":
		s.shelf.reachable = true
	case "reconfigure":
		s.shelf.configuration++
	case "stale":
		s.shelf.stale = true
	case "warn":
		s.shelf.warnings = strings.Split(d.Input, "\n")
	case "damage":
		s.shelf.snapshot = bytes.Clone(s.shelf.snapshot)
		s.shelf.snapshot[len(s.shelf.snapshot)/2] ^= 1
	case "refuse":
		verb := d.CmdArgs[0].Key
		err := &candor.Error{Reason: candor.Reason(d.CmdArgs[1].Key), Message: d.Input}
		for _, arg := range d.CmdArgs[2:] {
			switch arg.Key {
			case "subject":
				err.Subject = arg.Vals[0]
			case "field":
				err.Fields = append(err.Fields, candor.FieldViolation{Path: arg.Vals[0], Message: "is wrong"})
			case "of":
				w := node{s.shelf, "127.0.0.1:7102"}.witness()
				w.Requested, w.Mode, w.DegradedReason = candor.Freshness(arg.Vals[0]), candor.ModeRootLagging, "LAG"
				err.Witness, err.Leader = &w, w.Leader
			}
		}
		s.shelf.refusals[verb] = append(s.shelf.refusals[verb], err)
	case "env":
		for _, arg := range d.CmdArgs {
			s.env[arg.Key] = strings.Join(arg.Vals, ",")
		}
	case "editor":
		s.editor = d.Input
	case "run":
		s.shelf.dry = d.HasArg("dry")
		return s.run(t, d.Input)
	default:
		t.Fatalf("unknown command %s", d.Cmd)
	}
	return ""
}

func (s *stage) run(t *testing.T, input string) string {
	t.Helper()
	line, stdin, _ := strings.Cut(input, "\n")
	words := fields(t, line)
	if words[0] != "candor" {
		t.Fatalf("%q: want a candor command", line)
	}
	now := start
	var out, errs bytes.Buffer
	f := &cli.Factory{
		In: strings.NewReader(stdin), Out: &out, Err: &errs, Version: "v0", Flags: &cli.Flags{},
		Getenv: func(name string) string { return s.env[name] },
		Now:    func() time.Time { return now },
		Sleep: func(ctx context.Context, d time.Duration) error {
			now = now.Add(d)
			return ctx.Err()
		},
		Edit: func(_ context.Context, _, path string) error { return s.edit(path) },
		Connect: func(e cli.Endpoint) (*cli.Remote, error) {
			return s.shelf.connect(e)
		},
	}
	s.shelf.log = nil
	code := cli.Run(t.Context(), f, words[1:])
	var text strings.Builder
	fmt.Fprintf(&text, "exit %d\n", code)
	quote(&text, "out", out.String())
	quote(&text, "err", temporary().ReplaceAllString(errs.String(), "TEMPORARY.yaml"))
	for _, line := range s.shelf.log {
		fmt.Fprintf(&text, "asked to %s\n", line)
	}
	return text.String()
}

// edit does what the transcript's editor says, a sed of sorts: lines of
// "old => new", or the word fail.
func (s *stage) edit(path string) error {
	if s.editor == "fail" {
		return errors.New("exit status 1")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for line := range strings.Lines(s.editor) {
		was, is, _ := strings.Cut(strings.TrimSpace(line), " => ")
		text = bytes.ReplaceAll(text, []byte(was), []byte(is))
	}
	return os.WriteFile(path, text, 0o600)
}

// temporary is the file of an editor, whose name is never the same.
func temporary() *regexp.Regexp {
	return regexp.MustCompile(regexp.QuoteMeta(os.TempDir()) + `/candor-[a-z0-9-]+\.yaml`)
}

func quote(out *strings.Builder, name, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(out, "%s| %s\n", name, strings.TrimSuffix(line, "\n"))
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		out.WriteString("(no line end)\n")
	}
}

// fields splits a command line at blanks; single quotes keep them.
func fields(t *testing.T, line string) []string {
	t.Helper()
	var words []string
	quoted := false
	for i, part := range strings.Split(line, "'") {
		switch {
		case quoted && i > 0 && len(words) > 0 && !strings.HasSuffix(strings.Split(line, "'")[i-1], " "):
			words[len(words)-1] += part
		case quoted:
			words = append(words, part)
		default:
			words = append(words, strings.Fields(part)...)
		}
		quoted = !quoted
	}
	return words
}

// staged is an object of a transcript: its JSON form, and what has none.
type staged struct {
	text    json.RawMessage
	Actor   string
	Reason  string
	Message string
	Created uint64
	Deleted bool
	Type    candor.EventType
}

func (s *staged) UnmarshalJSON(text []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return err
	}
	for name, into := range map[string]any{
		"actor": &s.Actor, "reason": &s.Reason, "message": &s.Message, "created": &s.Created, "deleted": &s.Deleted, "type": &s.Type,
	} {
		if value, ok := members[name]; ok {
			if err := json.Unmarshal(value, into); err != nil {
				return err
			}
			delete(members, name)
		}
	}
	var err error
	s.text, err = json.Marshal(members)
	return err
}

func (s *staged) object() *candor.Object {
	o := new(candor.Object)
	if err := json.Unmarshal(s.text, o); err != nil {
		panic(err)
	}
	o.Metadata.CreateRevision = s.Created
	o.Cause = &candor.Cause{Actor: s.Actor, Reason: s.Reason, Message: s.Message}
	return o
}

func read[T any](t *testing.T, input string) T {
	t.Helper()
	var value T
	if err := yaml.Unmarshal([]byte(input), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
