package audit

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	candor "github.com/candor-plane/candor"
)

func full() Record {
	return Record{
		Time:  time.Date(2026, 3, 4, 5, 6, 7, 80, time.FixedZone("elsewhere", 3600)),
		Actor: "ana", AuthenticatedBy: ByToken, Accessor: "t-1", Source: "10.0.0.7:4001",
		Method: "/candor.v1.ObjectService/Update", Verb: "update", Kind: "widgets.example",
		Namespace: "default", Name: "w", Section: "spec", Verdict: Failed,
		Reason: candor.ReasonConflict, Message: "the version has moved on",
		RootToken: candor.Token{Term: 7, Index: 1042, Revision: 977}, RequestID: "r-1",
		PolicyRevision: 12, Duration: 1500*time.Microsecond + 1,
	}
}

func TestTheKeysOfALineAreStable(t *testing.T) {
	id := identity{"n1", "id-1", "boot-1"}
	var got []byte
	records := []Record{
		full(),
		{Time: time.Unix(0, 0), Verdict: Denied, Method: MethodTLSHandshake, AuthenticatedBy: ByNone, Reason: candor.ReasonUnauthenticated},
		{Time: time.Unix(0, 0), Verdict: Lost, own: own{count: 3, unsynced: 2, since: time.Unix(1, 5)}},
		{Time: time.Unix(0, 0), Verdict: Allowed, Actor: strings.Repeat("a", MaxString+1), Message: strings.Repeat("b", MaxMessage+1)},
	}
	for at := range records {
		records[at].bound()
		got = id.appendLine(got, &records[at], uint64(at+1))
	}
	want, err := os.ReadFile("testdata/lines.golden")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("testdata/lines.golden (-want +got):\n%s", diff)
	}
}

// every string of a record, by its key.
func stringsOf(r *Record) map[string]*string {
	return map[string]*string{
		"actor": &r.Actor, "authenticatedBy": (*string)(&r.AuthenticatedBy), "accessor": &r.Accessor,
		"source": &r.Source, "method": &r.Method, "verb": &r.Verb, "kind": &r.Kind,
		"namespace": &r.Namespace, "name": &r.Name, "section": &r.Section,
		"verdict": (*string)(&r.Verdict), "reason": (*string)(&r.Reason), "message": &r.Message,
		"requestId": &r.RequestID,
	}
}

func FuzzNoStringForgesALineOrAField(f *testing.F) {
	for _, s := range []string{
		"a\nb", "a\r\nb", `x","verdict":"ALLOWED`, "x\x00y", "\xff\xfe", "\u2028\u2029", `\`, `\"`, "\x7f", "</script>", "ä…",
		"{\"time\":\"2026-01-01T00:00:00Z\"}\n", strings.Repeat("é", MaxString), strings.Repeat("\xff", 2*MaxMessage),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var r Record
		var keys []string
		for key, field := range stringsOf(&r) {
			*field = s
			keys = append(keys, key)
		}
		r.bound()
		line := string(identity{"n", "i", "b"}.appendLine(nil, &r, 1))
		if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") || !utf8.ValidString(line) {
			t.Fatalf("not one line of text: %q", line)
		}
		if len(line) > maxLine {
			t.Fatalf("a line of %d bytes: more than the %d that readers allow", len(line), maxLine)
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		bounded := stringsOf(&r)
		for _, key := range keys {
			want := *bounded[key]
			have, _ := got[key].(string)
			if have != strings.Join(validRunes(want), "") {
				t.Fatalf("%s is %q, want %q", key, have, want)
			}
			delete(got, key)
		}
		for _, key := range []string{"time", "node", "nodeId", "bootId", "sequence", "cut"} {
			delete(got, key)
		}
		if len(got) != 0 {
			t.Fatalf("fields of nobody's making: %v", got)
		}
	})
}

// validRunes are the characters, with U+FFFD for each byte that is none.
func validRunes(s string) []string {
	var all []string
	for _, r := range s {
		all = append(all, string(r))
	}
	return all
}

func TestAnOverlongStringIsCutAtACharacterAndSaidSo(t *testing.T) {
	for key := range stringsOf(&Record{}) {
		r := full()
		*stringsOf(&r)[key] = "x" + strings.Repeat("é", MaxMessage)
		r.bound()
		line := string(identity{"n", "i", "b"}.appendLine(nil, &r, 1))
		if diff := cmp.Diff([]string{key}, parse(t, line).Cut); diff != "" {
			t.Errorf("%s: cut (-want +got):\n%s", key, diff)
		}
		most := MaxString
		if key == "message" {
			most = MaxMessage
		}
		if got := *stringsOf(&r)[key]; len(got) > most || len(got) < most-1 || !utf8.ValidString(got) {
			t.Errorf("%s: %d bytes, valid %v; want %d or one less", key, len(got), utf8.ValidString(got), most)
		}
	}
}

func TestACallerCannotMakeTheLogsOwnFields(t *testing.T) {
	dir := t.TempDir()
	l := open(t, options(dir))
	ticket, err := l.Reserve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ticket.Commit(Record{Verdict: Allowed, own: own{count: 9}, cut: 1})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := records(t, dir); len(got) != 1 || got[0].Count != 0 || got[0].Cut != nil || got[0].Time.IsZero() {
		t.Errorf("got %+v", got)
	}
}

func TestALevelWantsWhatItSays(t *testing.T) {
	type event struct {
		class   Class
		verdict Verdict
	}
	events := []event{
		{ClassRead, Allowed}, {ClassRead, Failed}, {ClassRead, Denied},
		{ClassWrite, Allowed}, {ClassWrite, Failed}, {ClassWrite, Denied},
		{ClassHandshake, Allowed}, {ClassHandshake, Failed}, {ClassHandshake, Denied},
	}
	for level, want := range map[Level]string{
		LevelNone:    ".........",
		LevelDenials: "..x..x.xx",
		LevelWrites:  "..xxxx.xx",
		LevelAll:     "xxxxxxxxx",
	} {
		got := ""
		for _, e := range events {
			mark := "."
			if level.Wants(e.class, e.verdict) {
				mark = "x"
			}
			got += mark
		}
		if got != want {
			t.Errorf("%s wants %s, want %s", level, got, want)
		}
		if parsed, err := ParseLevel(string(level)); err != nil || parsed != level {
			t.Errorf("ParseLevel(%s) = %s, %v", level, parsed, err)
		}
	}
	_, err := ParseLevel("some")
	wantReason(t, err, candor.ReasonInvalid)
}
