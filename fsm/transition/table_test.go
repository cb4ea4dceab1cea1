package transition_test

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor/fsm/transition"
)

const (
	plain   transition.Kind = "place"
	derived                 = transition.MemberAdd
	target                  = "n4"
)

var (
	intentA = transition.IntentDigest(plain, target, []byte(`{"a":1}`))
	intentB = transition.IntentDigest(plain, target, []byte(`{"b":1}`))
	ends    = []transition.Phase{
		transition.PhasePublished, transition.PhaseCompleted, transition.PhaseCancelled, transition.PhaseConflicted,
		transition.PhaseSuperseded, transition.PhaseAborted, transition.PhaseFailed,
	}
	columns = []transition.Situation{
		transition.SituationSamePending, transition.SituationAlreadyDone, transition.SituationSuperseded,
		transition.SituationAnotherPending, transition.SituationNone,
	}
)

type question struct {
	facts transition.Facts
	event transition.Event
}

// questions are every combination of a small world: two kinds, two intents, what
// may be pending, what may have ended, and every event about the first intent.
func questions() []question {
	var out []question
	for _, kind := range []transition.Kind{plain, derived} {
		for _, satisfied := range []bool{false, true} {
			for _, entry := range entries(kind) {
				for _, event := range events(kind) {
					out = append(out, question{transition.Facts{Entry: entry, Satisfied: satisfied}, event})
				}
			}
		}
	}
	return out
}

func entries(kind transition.Kind) []transition.Entry {
	pending := []transition.Record{{}}
	for _, intent := range []transition.Digest{intentA, intentB} {
		for _, planned := range []uint64{5, 6} {
			for _, shown := range []uint64{0, 70} {
				pending = append(pending, transition.Record{
					ID: transition.ID(kind, target, planned), Planned: planned, Intent: intent, Phase: transition.PhasePlanned, Shown: shown,
				})
			}
		}
	}
	ended := []transition.Record{{}}
	for _, intent := range []transition.Digest{intentA, intentB} {
		for _, planned := range []uint64{1, 3} {
			for _, phase := range ends {
				r := transition.Record{ID: transition.ID(kind, target, planned), Planned: planned, Ended: planned + 1, Intent: intent, Phase: phase}
				if phase == transition.PhaseSuperseded {
					r.SupersededBy = "place-x"
				}
				ended = append(ended, r)
			}
		}
	}
	var out []transition.Entry
	for _, p := range pending {
		for _, e := range ended {
			out = append(out, transition.Entry{Pending: p, Ended: e})
		}
	}
	return out
}

func events(kind transition.Kind) []transition.Event {
	var out []transition.Event
	for source := uint64(1); source <= 7; source++ {
		out = append(out, transition.Event{Type: transition.EventPlan, Source: source})
	}
	for _, planned := range []uint64{0, 1, 2, 3, 5, 6, 7} {
		out = append(out, transition.Event{Type: transition.EventCancel, Planned: planned})
		if planned == 0 {
			continue
		}
		for _, phase := range ends {
			e := transition.Event{Type: transition.EventTerminal, Planned: planned, Phase: phase}
			if phase == transition.PhaseSuperseded {
				e.SupersededBy = "place-x"
			}
			if phase != transition.PhaseCancelled {
				out = append(out, e)
			}
		}
	}
	for i := range out {
		out[i].Kind, out[i].Target, out[i].Intent = kind, target, intentA
	}
	return out
}

// documented is the table as docs/protocol.md has it: event -> situation -> cell.
func documented(t *testing.T) map[transition.EventType]map[transition.Situation]string {
	t.Helper()
	f, err := os.Open("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table := map[transition.EventType]map[transition.Situation]string{}
	inside := false
	for lines := bufio.NewScanner(f); lines.Scan(); {
		cells := strings.Split(strings.Trim(lines.Text(), "| "), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case cmp.Equal(cells, []string{"event", "same pending", "already done", "superseded", "another pending", "none"}):
			inside = true
		case !inside || strings.HasPrefix(cells[0], "---"):
		case len(cells) != 1+len(columns):
			inside = false
		default:
			row := map[transition.Situation]string{}
			for i, s := range columns {
				row[s] = cells[i+1]
			}
			table[transition.EventType(cells[0])] = row
		}
	}
	if len(table) != 3 {
		t.Fatalf("the table of docs/protocol.md has %d rows, want 3", len(table))
	}
	return table
}

// said is a verdict in the words of the table.
func said(v transition.Verdict) string {
	switch v.Action {
	case transition.ActionApply:
		return "apply"
	case transition.ActionSkip:
		return "skip, " + string(v.Phase)
	default:
		return string(v.Phase)
	}
}

// TestEveryCellIsWhatTheProtocolSays asks everything, and compares with the page. Only
// where the root knows better than an executor does a cell say something else.
func TestEveryCellIsWhatTheProtocolSays(t *testing.T) {
	table := documented(t)
	reached := map[string]int{}
	untrue := 0
	for _, q := range questions() {
		v := transition.Assess(q.facts, &q.event)
		want, ok := table[q.event.Type][v.Situation]
		if !ok {
			t.Fatalf("%+v: no such cell", v)
		}
		if v.Why != "" && v.Action == transition.ActionRefuse {
			if q.event.Kind != derived || q.event.Type != transition.EventTerminal || !q.event.Phase.Succeeded() || v.Phase != transition.PhaseAborted {
				t.Errorf("%+v of %+v: refused beside the table", v, q)
			}
			untrue++
			continue
		}
		reached[string(q.event.Type)+" "+string(v.Situation)]++
		if got := said(v); got != want {
			t.Errorf("%s in situation %s: %q, the page says %q", q.event.Type, v.Situation, got, want)
		}
	}
	if len(reached) != 15 || untrue == 0 {
		t.Errorf("%d of 15 cells reached, %d successes refused that the root does not show: %v", len(reached), untrue, reached)
	}
	t.Logf("%d questions; %d by the root's own truth; cells %v", len(questions()), untrue, reached)
}

// TestPublishDoesWhatAssessSaid over every question, once and repeated.
func TestPublishDoesWhatAssessSaid(t *testing.T) {
	for _, q := range questions() {
		const revision = 9
		assessed := transition.Assess(q.facts, &q.event)
		after, v := transition.Publish(q.facts, &q.event, revision)
		standing := v
		if v.Action == transition.ActionApply && q.event.Type == transition.EventPlan {
			standing.Standing = assessed.Standing
		}
		if standing != assessed {
			t.Fatalf("%+v: assessed %+v, published %+v", q, assessed, v)
		}
		if v.Action != transition.ActionApply {
			if after != q.facts.Entry {
				t.Errorf("%+v: %s changed the entry to %+v", q, v.Action, after)
			}
			if (v.Err() != nil) != (v.Action == transition.ActionRefuse) {
				t.Errorf("%+v: %+v is error %v", q, v, v.Err())
			}
			continue
		}
		if q.event.Type == transition.EventPlan {
			if !q.facts.Entry.Pending.IsZero() || after.Pending.ID != transition.ID(q.event.Kind, target, revision) || after.Ended != q.facts.Entry.Ended {
				t.Errorf("%+v: planned %+v", q, after)
			}
		} else if p := q.facts.Entry.Pending; !after.Pending.IsZero() || after.Ended.ID != p.ID || after.Ended.Ended != revision || !after.Ended.Phase.Terminal() {
			t.Errorf("%+v: ended %+v", q, after)
		}
		// The reply was lost: the same event again changes nothing, and is no error.
		again, v := transition.Publish(transition.Facts{Entry: after, Satisfied: q.facts.Satisfied}, &q.event, revision+1)
		if again != after || v.Action != transition.ActionSkip {
			t.Errorf("%+v: repeated it is %+v", q, v)
		}
	}
}

// TestNothingSlipsBetweenAssessingAndPublishing: what would apply is refused once the
// entry has changed since the assessment.
func TestNothingSlipsBetweenAssessingAndPublishing(t *testing.T) {
	refused := 0
	for _, q := range questions() {
		applies := transition.Assess(q.facts, &q.event).Action == transition.ActionApply
		changed := q.facts.Entry.Changed()
		for expect := uint64(1); expect < 9; expect++ {
			event := q.event
			event.Expect = expect
			v := transition.Assess(q.facts, &event)
			switch {
			case applies && changed > expect:
				refused++
				if v.Action != transition.ActionRefuse || v.Phase != transition.PhaseConflicted {
					t.Errorf("%+v as of %d: %+v", q, expect, v)
				}
			case v != transition.Assess(q.facts, &q.event):
				t.Errorf("%+v as of %d: %+v", q, expect, v)
			}
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
}
