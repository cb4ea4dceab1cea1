package cli_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/cli"
)

func TestReadingsAreParsed(t *testing.T) {
	lag, age := uint64(7), 500*time.Millisecond
	token := candor.Token{Term: 7, Index: 1042, Revision: 977}
	for text, want := range map[string]cli.Reading{
		"strong":                             {Freshness: candor.FreshnessStrong},
		"strong:follower":                    {Freshness: candor.FreshnessStrong, Follower: true},
		"best-effort":                        {Freshness: candor.FreshnessBestEffort},
		"best-effort:token=7:1042/977":       {Freshness: candor.FreshnessBestEffort, Token: token},
		"bounded":                            {Freshness: candor.FreshnessBounded},
		"bounded:lag=7,age=500ms":            {Freshness: candor.FreshnessBounded, MaxLag: &lag, MaxAge: &age},
		"bounded:age=500ms,token=7:1042/977": {Freshness: candor.FreshnessBounded, MaxAge: &age, Token: token},
	} {
		got, err := cli.ParseReading(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []string{
		"eventual", "STRONG", "strong:lag=1", "bounded:lag=-1", "bounded:age=0s", "bounded:age", "bounded:token=7",
		"best-effort:age=1s", "bounded:", "strong:follower=yes", "bounded:lag=1,,age=1s",
	} {
		got, err := cli.ParseReading(text)
		if candor.ReasonOf(err) != candor.ReasonUsage {
			t.Errorf("%s: got %+v, %v, want USAGE", text, got, err)
		}
	}
}

func TestLabelsAreParsedAndMade(t *testing.T) {
	objects, labels, err := cli.ParseLabels([]string{"widget", "web-", "a=1", "b=", "c-"})
	if candor.ReasonOf(err) == candor.ReasonUsage {
		// "web-" is a label to remove, so it must come after the objects: it does.
		t.Fatal(err)
	}
	if got := strings.Join(objects, " "); got != "widget" {
		t.Errorf("objects: %q, want widget", got)
	}
	made, changed, err := labels.On(map[string]string{"c": "3", "web": "x", "keep": "k"}, false)
	must(t, err)
	if diff := cmp.Diff(map[string]string{"a": "1", "b": "", "keep": "k"}, made); diff != "" || !changed {
		t.Errorf("changed %v (-want +got):\n%s", changed, diff)
	}
	if _, _, err := labels.On(map[string]string{"a": "2"}, false); candor.ReasonOf(err) != candor.ReasonConflict {
		t.Errorf("another value without --overwrite: got %v, want CONFLICT", err)
	}
	if made, _, err = labels.On(map[string]string{"a": "2"}, true); err != nil || made["a"] != "1" {
		t.Errorf("another value with --overwrite: got %v, %v, want a=1", made, err)
	}
	if _, changed, err = labels.On(map[string]string{"a": "1", "b": ""}, false); err != nil || changed {
		t.Errorf("labels that are there already: changed %v, %v", changed, err)
	}
	for _, args := range [][]string{
		{"widget", "web"}, {"widget", "a=1", "web"}, {"widget", "web", "a=1", "a=2"}, {"widget", "web", "a=1", "a-"},
		{"widget", "web", "=1"}, {"widget", "web", "a=not a value"}, {"widget", "web", "-"},
	} {
		if _, _, err := cli.ParseLabels(args); candor.ReasonOf(err) != candor.ReasonUsage {
			t.Errorf("%v: got %v, want USAGE", args, err)
		}
	}
}

func TestWaitsKnowWhatTheyWaitFor(t *testing.T) {
	web := &candor.Object{
		Metadata: candor.Metadata{Name: "web"},
		Spec:     json.RawMessage(`{"replicas":3,"empty":null,"ports":[{"n":1},{"n":1}],"eq":"a=b"}`),
		Status:   json.RawMessage(`{"phase":"Running","conditions":[{"type":"Ready","status":"True"},{"type":"Idle","status":"False","message":"busy"}]}`),
	}
	for _, c := range []struct {
		text   string
		object *candor.Object
		met    bool
		seen   string
	}{
		{"create", web, true, ""}, {"create", nil, false, "it does not exist"},
		{"delete", nil, true, ""}, {"delete", web, false, "it still exists"},
		{"condition=Ready", web, true, ""}, {"condition=ready=true", web, true, ""}, {"condition=Ready=False", web, false, "its condition Ready is True"},
		{"condition=Idle", web, false, "its condition Idle is False: busy"}, {"condition=Odd", web, false, "it has no condition Odd"},
		{"condition=Ready", nil, false, "it does not exist"},
		{"jsonpath={.spec.replicas}=3", web, true, ""}, {"jsonpath={.spec.replicas}=3.0", web, true, ""}, {"jsonpath=.spec.replicas=3", web, true, ""},
		{"jsonpath={.spec.replicas}=4", web, false, ".spec.replicas is 3, not 4"}, {"jsonpath={.spec.ports[*].n}=1", web, true, ""},
		{"jsonpath={.spec.eq}=a=b", web, true, ""}, {"jsonpath={.spec.replicas}", web, true, ""},
		{"jsonpath={.spec.empty}", web, false, "it has nothing at .spec.empty"}, {"jsonpath={.spec.none}=x", web, false, "it has nothing at .spec.none"},
		{`jsonpath={.status.conditions[?(@.type=="Ready")].status}=True`, web, true, ""},
		{"jsonpath={.spec.replicas}=", web, false, ".spec.replicas is 3, not "},
	} {
		is, err := cli.ParseFor(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		met, seen := is(c.object)
		if met != c.met || !met && seen != c.seen {
			t.Errorf("%s: met %v, seen %q; want %v, %q", c.text, met, seen, c.met, c.seen)
		}
	}
	for _, text := range []string{"", "ready", "condition", "condition=", "jsonpath=", "jsonpath={.a", "jsonpath={.a}x", "jsonpath={.a[?(@.b>1)]}=1"} {
		if _, err := cli.ParseFor(text); candor.ReasonOf(err) != candor.ReasonUsage {
			t.Errorf("%q: got %v, want USAGE", text, err)
		}
	}
}
