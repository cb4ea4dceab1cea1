package output_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"sigs.k8s.io/yaml"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// The commands of the transcripts, input in YAML:
//
//	footer               a witness
//	accepted             {token, witness}
//	failure [colour]     {asked, reason, message, op, fields, revision, leader, witness, try}
//	columns              a list of printer columns, kept
//	table [wide] [all]   shows a list of objects
//	list FORMAT [cut]    a list of objects; cut ends it with an error
//	document FORMAT      any value
//	facts                a list of [label, value]
func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var columns []candor.PrinterColumn
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "footer":
				return output.Footer(read[candor.Witness](t, d.Input)) + "\n"
			case "accepted":
				in := read[struct {
					Token   candor.Token   `json:"token"`
					Witness candor.Witness `json:"witness"`
				}](t, d.Input)
				return output.Accepted(in.Token, in.Witness) + "\n"
			case "failure":
				return failure(t, d)
			case "columns":
				columns = read[[]candor.PrinterColumn](t, d.Input)
				return ""
			case "table":
				return table(t, d, columns)
			case "list":
				return list(t, d)
			case "document":
				return document(t, d)
			case "facts":
				var out strings.Builder
				facts := output.NewFacts(&out, output.Palette{})
				for _, pair := range read[[][2]string](t, d.Input) {
					facts.Add(pair[0], pair[1])
				}
				must(t, facts.Flush())
				return out.String()
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func failure(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	in := read[struct {
		Asked    string                  `json:"asked"`
		Reason   candor.Reason           `json:"reason"`
		Message  string                  `json:"message"`
		Op       string                  `json:"op"`
		Fields   []candor.FieldViolation `json:"fields"`
		Revision uint64                  `json:"revision"`
		Leader   *candor.LeaderHint      `json:"leader"`
		Witness  *candor.Witness         `json:"witness"`
		Try      []string                `json:"try"`
	}](t, d.Input)
	err := &candor.Error{
		Reason: in.Reason, Message: in.Message, Op: in.Op, Fields: in.Fields,
		Revision: in.Revision, Leader: in.Leader, Witness: in.Witness,
	}
	shown := output.Failure{Asked: in.Asked, Err: err, Try: in.Try}
	if d.HasArg("colour") {
		return strings.ReplaceAll(shown.In(output.NewPalette(true)), "\x1b", "ESC")
	}
	return shown.String()
}

func table(t *testing.T, d *datadriven.TestData, printers []candor.PrinterColumn) string {
	t.Helper()
	var out strings.Builder
	columns := output.NewColumns(printers, d.HasArg("wide"), now)
	columns.Namespace = d.HasArg("all")
	table := output.NewTable(&out, output.Palette{}, columns.Names()...)
	for _, o := range objects(t, d.Input) {
		table.Row(columns.Cells(o)...)
	}
	must(t, table.Flush())
	return lineEnds(out.String())
}

func list(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	format, err := output.ParseFormat(d.CmdArgs[0].String())
	must(t, err)
	header := output.ListHeader{Revision: 977, Witness: &candor.Witness{NodeID: "a", BootID: "b", Served: candor.FreshnessStrong}}
	var out bytes.Buffer
	err = format.List(&out, header, sequence(objects(t, d.Input), d.HasArg("cut")))
	if d.HasArg("cut") != (err != nil) {
		t.Fatalf("list cut %v: error %v", d.HasArg("cut"), err)
	}
	var whole any
	parses := yaml.Unmarshal(out.Bytes(), &whole) == nil
	if format.Structured() && format.String() != "jsonpath" && parses == d.HasArg("cut") {
		t.Errorf("cut %v, and it parses as a whole document: %v", d.HasArg("cut"), parses)
	}
	return out.String()
}

func document(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	format, err := output.ParseFormat(d.CmdArgs[0].String())
	if err != nil {
		return err.Error() + "\n"
	}
	var out strings.Builder
	must(t, format.Document(&out, read[any](t, d.Input)))
	return out.String()
}

func sequence(objects []*candor.Object, cut bool) iter.Seq2[*candor.Object, error] {
	return func(yield func(*candor.Object, error) bool) {
		for _, o := range objects {
			if !yield(o, nil) {
				return
			}
		}
		if cut {
			yield(nil, errors.New("cut"))
		}
	}
}

func objects(t *testing.T, input string) []*candor.Object {
	t.Helper()
	found := read[[]*candor.Object](t, input)
	for i, o := range found {
		o.Cause = &candor.Cause{Actor: fmt.Sprintf("actor-%d", i)}
	}
	return found
}

func read[T any](t *testing.T, input string) T {
	t.Helper()
	var value T
	text, err := yaml.YAMLToJSONStrict([]byte(input))
	must(t, err)
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	must(t, dec.Decode(&value))
	return value
}

// lineEnds makes blanks at the end of a line visible.
func lineEnds(text string) string {
	return strings.ReplaceAll(text, " \n", "·\n")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTextFromObjectsCannotReachTheTerminal(t *testing.T) {
	hostile := "a\x1b[2Jb\rc\nd\te\u202Ef\u009bg"
	const want = "a\uFFFD[2Jb\uFFFDc\\nd\\te\uFFFDf\uFFFDg"
	if got := output.Clean(hostile); got != want {
		t.Errorf("cleaned: %q, want %q", got, want)
	}
	var out strings.Builder
	table := output.NewTable(&out, output.Palette{}, "NAME")
	table.Row(hostile)
	must(t, table.Flush())
	stream, err := output.NewStream(&out, output.Palette{}, "NAME")
	must(t, err)
	must(t, stream.Row(hostile))
	facts := output.NewFacts(&out, output.Palette{})
	facts.Add("Name", hostile)
	must(t, facts.Flush())
	_, err = io.WriteString(&out, output.Failure{Asked: hostile, Err: errors.New(hostile), Try: []string{hostile}}.String())
	must(t, err)
	if strings.ContainsAny(out.String(), "\x1b\r\u202e\u009b") {
		t.Errorf("a control character reached the output: %q", out.String())
	}
}

func TestAStreamKeepsItsColumnsAsTheyWiden(t *testing.T) {
	var out strings.Builder
	stream, err := output.NewStream(&out, output.Palette{}, "EVENT", "NAME", "AGE")
	must(t, err)
	for _, row := range [][]string{{"ADDED", "a", "1s"}, {"ADDED", "a-long-name", "2s"}, {"DELETED", "b", ""}} {
		must(t, stream.Row(row...))
	}
	want := "EVENT   NAME   AGE\nADDED   a      1s\nADDED   a-long-name   2s\nDELETED   b             -\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestQuantities(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 5 * time.Second: "5s", 119 * time.Second: "119s", 2 * time.Minute: "2m", 119 * time.Minute: "119m",
		2 * time.Hour: "2h", 7*time.Hour + 12*time.Minute: "7h12m", 47 * time.Hour: "47h", 100 * time.Hour: "4d", -time.Hour: "0s",
	} {
		if got := output.Age(now, now.Add(-d)); got != want {
			t.Errorf("age of %v: %s, want %s", d, got, want)
		}
	}
	if got := output.Age(now, time.Time{}); got != "" {
		t.Errorf("age of an unknown time: %q, want none", got)
	}
	for d, want := range map[time.Duration]string{
		0: "0 µs", 1500: "2 µs", 40 * time.Millisecond: "40 ms", 40*time.Millisecond + 1: "41 ms",
		1240 * time.Millisecond: "1.3 s", 9999 * time.Millisecond: "10.0 s", 61 * time.Second: "61 s", 125 * time.Second: "2 m 5 s",
	} {
		if got := output.Span(d); got != want {
			t.Errorf("span of %v: %s, want %s", d, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 4 << 30: "4.0 GiB", 1<<64 - 1: "16.0 EiB"} {
		if got := output.Bytes(n); got != want {
			t.Errorf("bytes of %d: %s, want %s", n, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := output.Count(n); got != want {
			t.Errorf("count of %d: %s, want %s", n, got, want)
		}
	}
}
