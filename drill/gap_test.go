package drill

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/verify/history"
)

const ms = time.Millisecond

// put is a write; in milliseconds.
func put(invoke, ret int64, outcome history.Outcome) history.Operation {
	o := history.Operation{
		Client: "c", Kind: history.KindPut, Items: []history.Item{{Key: "k", Value: "v"}}, Outcome: outcome,
		Invoke: invoke * int64(ms), Return: ret * int64(ms),
	}
	if outcome != history.OutcomeOK {
		o.Reason = "UNAVAILABLE"
	}
	return o
}

// TestAGapIsATimeInWhichSomebodyWaitedAndNobodyWasAnswered.
func TestAGapIsATimeInWhichSomebodyWaitedAndNobodyWasAnswered(t *testing.T) {
	for name, c := range map[string]struct {
		calls []history.Operation
		want  []report.Gap
	}{
		"answers close together":    {[]history.Operation{put(0, 10, history.OutcomeOK), put(100, 200, history.OutcomeOK), put(300, 950, history.OutcomeOK)}, []report.Gap{{From: 300 * ms, To: 950 * ms}}},
		"nobody asked":              {[]history.Operation{put(0, 10, history.OutcomeOK), put(800, 810, history.OutcomeOK), put(900, 990, history.OutcomeOK)}, nil},
		"refusals are no answers":   {[]history.Operation{put(0, 10, history.OutcomeOK), put(100, 110, history.OutcomeFailed), put(400, 500, history.OutcomeUnknown), put(600, 700, history.OutcomeOK), put(700, 990, history.OutcomeOK)}, []report.Gap{{From: 100 * ms, To: 700 * ms}, {From: 700 * ms, To: 990 * ms}}},
		"it lasts until the end":    {[]history.Operation{put(0, 10, history.OutcomeOK), put(500, 5000, history.OutcomeUnknown)}, []report.Gap{{From: 500 * ms, To: 1000 * ms}}},
		"it began before the start": {[]history.Operation{put(-400, 600, history.OutcomeOK), put(700, 950, history.OutcomeOK)}, []report.Gap{{From: 0, To: 600 * ms}, {From: 700 * ms, To: 950 * ms}}},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range c.calls {
				if c.calls[i].Invoke < 0 {
					c.calls[i].Invoke = 0
				}
			}
			h, err := history.New(c.calls)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, gapsOf(h, 0, 1000*ms)[report.Write]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWhatAGapWaitedOnIsToldByWhoWasSeenToStandAndToLead.
func TestWhatAGapWaitedOnIsToldByWhoWasSeenToStandAndToLead(t *testing.T) {
	lane := func(node string, intervals ...report.Interval) report.NodeLane {
		return report.NodeLane{Node: node, Intervals: intervals}
	}
	at := func(from, to int, state report.State) report.Interval {
		return report.Interval{From: time.Duration(from) * ms, To: time.Duration(to) * ms, State: state}
	}
	gap := report.Gap{From: 100 * ms, To: 1000 * ms}
	dead := lane("n1", at(0, 100, report.Leader), at(100, 2000, report.Unknown))
	for name, c := range map[string]struct {
		lanes []report.NodeLane
		want  []report.Wait
		bands []report.Band
	}{
		"one stood and led": {[]report.NodeLane{dead, lane("n2", at(0, 600, report.Follower), at(600, 800, report.Candidate), at(800, 2000, report.Leader))},
			[]report.Wait{{On: report.Detection, For: 500 * ms}, {On: report.Election, For: 200 * ms}, {On: report.FirstCommit, For: 200 * ms}}, nil},
		"the candidacy was too short to be seen": {[]report.NodeLane{dead, lane("n2", at(0, 600, report.Follower), at(600, 2000, report.Leader))},
			[]report.Wait{{On: report.Detection, For: 500 * ms}, {On: report.Election}, {On: report.FirstCommit, For: 400 * ms}}, nil},
		"who led next was seen after the gap": {[]report.NodeLane{lane("n1", at(0, 900, report.Leader), at(900, 2000, report.Unknown)), lane("n2", at(0, 1040, report.Follower), at(1040, 2000, report.Leader))},
			[]report.Wait{{On: report.Watchdog, For: 900 * ms}, {On: report.Election}, {On: report.FirstCommit}},
			[]report.Band{{Kind: "HANG_DISK", Targets: []string{"n1"}, From: 50 * ms, To: 1500 * ms}}},
		"nobody led anew": {[]report.NodeLane{lane("n1", at(0, 2000, report.Leader))}, nil, nil},
	} {
		if diff := cmp.Diff(c.want, waits(gap, c.lanes, c.bands)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
