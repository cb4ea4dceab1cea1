package report_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/verify/history"
)

// TestViolationsAreOnTheAxisOfTheDrill: what checks found, with the operations as text
// and a flag where the last of them ended.
func TestViolationsAreOnTheAxisOfTheDrill(t *testing.T) {
	checks := []history.Report{
		{Property: "fine", Verdict: history.Pass},
		{Property: "broken", Verdict: history.Violated, Violations: 2, Violation: &history.Violation{
			Sentence: "it cannot be", Operations: []history.Operation{
				{Client: "a", Kind: history.KindPut, Items: []history.Item{{Key: "k", Value: "1"}}, Outcome: history.OutcomeUnknown, Invoke: 1_000, Return: 5_000},
				{Client: "b", Kind: history.KindGet, Items: []history.Item{{Key: "k", Absent: true}}, Outcome: history.OutcomeOK, Invoke: 2_000, Return: 3_000},
			},
		}},
		{Property: "without operations", Verdict: history.Violated, Violations: 1},
		{Property: "of other records", Verdict: history.Violated, Violations: 1, Violation: &history.Violation{
			Sentence: "two states", Exhibits: []history.Exhibit{{Record: "digest", Text: "n1 at 7"}, {Record: "batch", At: 8_000, Text: "w got it"}},
		}},
	}
	found := report.Violations(checks, 1_000)
	want := []report.Violation{
		{Property: "broken", Sentence: "it cannot be", Count: 2, Operations: []report.Operation{
			{From: 0, To: 4 * time.Microsecond, Who: "a", What: "PUT k=1: UNKNOWN"},
			{From: time.Microsecond, To: 2 * time.Microsecond, Who: "b", What: "GET STRONG k absent: OK at 0:0/0"},
		}},
		{Property: "without operations", Count: 1},
		{Property: "of other records", Sentence: "two states", Count: 1, Exhibits: []report.Exhibit{
			{Record: "digest", Text: "n1 at 7"}, {Record: "batch", At: new(7 * time.Microsecond), Text: "w got it"},
		}},
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]report.Flag{{At: 4 * time.Microsecond, Property: "broken"}, {At: 7 * time.Microsecond, Property: "of other records"}}, report.Flags(found)); diff != "" {
		t.Error(diff)
	}
}
