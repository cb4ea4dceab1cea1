package report_test

import (
	"fmt"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/verify/history"
)

const (
	ms = time.Millisecond
	s  = time.Second
)

// hostile is what a name or a message may contain: markup, attributes, schemes, escape
// sequences, turned direction, bytes that are no text.
const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>` + "`${1}`'\x1b[31m\x00\u202egpj.\xff</title></style>&amp; javascript:alert(1)"

// passed is a drill in which a leader was killed and everything held.
func passed() *report.Report {
	return &report.Report{
		Verdict: history.Pass,
		Why: []string{
			"Every fault bit, 12,480 operations were checked, and no check found a violation.",
			"The longest time without an acknowledged write was 912ms; 2s are allowed.",
		},
		Scenario: scenario.Scenario{
			Name: "leader-kill", Summary: "The leader is killed twice while clients read and write; writes must go on within 2 s, and nothing may be lost.",
			Cluster: scenario.Cluster{Servers: 3},
			Load:    scenario.Load{For: scenario.Duration(20 * s), Workloads: []scenario.Workload{{Name: "registers", Clients: 8}, {Name: "readers"}}},
			Faults: []scenario.Fault{
				{Kind: scenario.Kill, At: scenario.Duration(4 * s), For: scenario.Duration(3 * s), Target: "leader", Times: 2, Every: scenario.Duration(8 * s)},
			},
			Expect: scenario.Expect{Gap: map[string]scenario.Duration{"write": scenario.Duration(2 * s)}},
		},
		Layer: "namespaces", Seed: 42, Command: "candor drill run leader-kill --seed 42",
		Began: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Took: 24 * s, Version: "candor 0.7.0 (go1.26, linux/amd64)",
		Lanes:   lanes(),
		Faults:  kills(),
		Latency: latency(48),
		Gaps: []report.Gaps{
			{Class: report.Strong, Gaps: []report.Gap{
				{From: 4010 * ms, To: 4780 * ms, Waited: []report.Wait{{On: report.Detection, For: 410 * ms}, {On: report.Election, For: 300 * ms}}},
			}},
			{Class: report.Write, Limit: 2 * s, Gaps: []report.Gap{
				{From: 4010 * ms, To: 4922 * ms, Waited: []report.Wait{{On: report.Detection, For: 410 * ms}, {On: report.Election, For: 300 * ms}, {On: report.FirstCommit, For: 202 * ms}}},
				{From: 12005 * ms, To: 12680 * ms, Waited: []report.Wait{{On: report.Detection, For: 300 * ms}, {On: report.Election, For: 250 * ms}}},
			}},
			{Class: report.BestEffort},
		},
		Properties: []history.Report{
			{Property: "each answer is what the writes make of it", Verdict: history.Pass, Checked: 9120},
			{Property: "each write has its turn", Verdict: history.Pass, Checked: 3360, Left: map[string]int{"writes of unknown outcome": 11}},
			{Property: "real time is kept", Verdict: history.Pass, Checked: 6240, Margin: &history.Margin{Value: 1, Unit: "revisions"}},
			{Property: "bounded reads keep the bound asked for", Verdict: history.Pass, Checked: 1811, Margin: &history.Margin{Value: int64(213 * ms), Unit: "ns"}},
		},
		Census: &history.Census{
			Operations: 12480, Clients: 16, Nodes: 3, Boots: 5,
			Reads:   map[candor.Freshness]int{candor.FreshnessStrong: 3100, candor.FreshnessBounded: 1811, candor.FreshnessBestEffort: 4209},
			Writes:  map[history.Outcome]int{history.OutcomeOK: 3349, history.OutcomeUnknown: 11},
			Refused: map[candor.Reason]int{candor.ReasonNotLeader: 21},
		},
		Machine: report.Machine{
			OS: "linux", Kernel: "6.12.0", Arch: "amd64", CPUs: 2, Root: true,
			Probes: []report.Probe{
				{Name: "network namespaces", Able: true, Used: true},
				{Name: "netem", Why: "the kernel has no such module", Instead: "a proxy for each direction of a link"},
			},
		},
		Files: []report.File{{Name: "n1.log", What: "what server n1 logged", Bytes: 48211}},
	}
}

func lanes() report.Lanes {
	return report.Lanes{
		Nodes: []report.NodeLane{
			{Node: "n1", Intervals: []report.Interval{
				{From: 0, To: 300 * ms, State: report.Candidate, Term: 1},
				{From: 300 * ms, To: 4 * s, State: report.Leader, Term: 2},
				{From: 4 * s, To: 7 * s, State: report.Down},
				{From: 7 * s, To: 7400 * ms, State: report.Degraded, Term: 3},
				{From: 7400 * ms, To: 24 * s, State: report.Follower, Term: 3},
			}},
			{Node: "n2", Intervals: []report.Interval{
				{From: 0, To: 4410 * ms, State: report.Follower, Term: 2},
				{From: 4410 * ms, To: 4710 * ms, State: report.Candidate, Term: 3},
				{From: 4710 * ms, To: 12 * s, State: report.Leader, Term: 3},
				{From: 12 * s, To: 15 * s, State: report.Paused},
				{From: 15 * s, To: 15300 * ms, State: report.Unknown},
				{From: 15300 * ms, To: 24 * s, State: report.Follower, Term: 4},
			}},
			{Node: "n3", Intervals: []report.Interval{
				{From: 0, To: 12300 * ms, State: report.Follower, Term: 2},
				{From: 12300 * ms, To: 12550 * ms, State: report.Candidate, Term: 4},
				{From: 12550 * ms, To: 24 * s, State: report.Leader, Term: 4},
			}},
		},
		Duties: []report.DutyLane{
			{Duty: "schedule", Eras: []report.Era{
				{From: 900 * ms, To: 4 * s, Era: 1, Holder: "n1"}, {From: 5200 * ms, To: 12100 * ms, Era: 2, Holder: "n2"}, {From: 13500 * ms, To: 24 * s, Era: 3, Holder: "n3"},
			}},
			{Duty: "allocate/orders", Eras: []report.Era{
				{From: 950 * ms, To: 9 * s, Era: 4, Holder: "n3"}, {From: 9 * s, To: 9200 * ms, Era: 5, Holder: "n2"}, {From: 9200 * ms, To: 24 * s, Era: 6, Holder: "n3"},
			}},
		},
	}
}

func kills() []report.Band {
	return []report.Band{
		{Kind: "KILL", Targets: []string{"n1"}, From: 4 * s, To: 7 * s, Bite: report.Bite{Seen: 1, What: "processes gone"}, Note: "SIGKILL"},
		{Kind: "TRANSFER", Targets: []string{"n3"}, From: 9 * s, To: 9 * s, Bite: report.Bite{Seen: 1, What: "terms begun"}},
		{Kind: "PAUSE", Targets: []string{"n2"}, From: 12 * s, To: 15 * s, Bite: report.Bite{Seen: 1, What: "processes stopped"}, Note: "SIGSTOP"},
	}
}

// latency makes so many samples of each class, with two gaps in them.
func latency(n int) []report.Series {
	draw := uint64(42)
	below := func(limit int64) int64 {
		draw = draw*6364136223846793005 + 1442695040888963407
		return int64(draw>>33) % limit
	}
	var all []report.Series
	for i, class := range []report.Class{report.BestEffort, report.Write, report.Strong, report.Bounded} {
		base := []time.Duration{150 * time.Microsecond, 3 * ms, 900 * time.Microsecond, 250 * time.Microsecond}[i]
		var samples []report.Sample
		for j := range n {
			u := below(1000)
			p := report.Sample{At: time.Duration(j) * 24 * s / time.Duration(n), Outcome: report.Answered, Took: base + base*time.Duration(u*u*u)/300_000_000}
			end := 4900 * ms
			if p.At > 6*s {
				end = 12600 * ms
			}
			if class == report.BestEffort || p.At < 4*s || p.At > end || (p.At > 4900*ms && p.At < 12*s) {
				samples = append(samples, p)
				continue
			}
			switch fate := below(5); {
			case fate == 0:
				p.Outcome, p.Reason, p.Took = report.Refused, "NOT_LEADER", p.Took*2
			case fate == 1 && class == report.Write:
				p.Outcome, p.Reason, p.Took = report.OutcomeUnknown, "OUTCOME_UNKNOWN", time.Second
			default:
				p.Took += end - p.At
			}
			samples = append(samples, p)
		}
		all = append(all, report.NewSeries(class, samples, 0))
	}
	return all
}

// violated is a drill of a cluster that lost an acknowledged write.
func violated() *report.Report {
	r := passed()
	r.Verdict = history.Violated
	token := candor.Token{Term: 3, Index: 811, Revision: 702}
	operations := []history.Operation{
		{Client: "c3", Kind: history.KindPut, Items: []history.Item{{Key: "register/7", Value: "v-118"}}, Outcome: history.OutcomeOK, Invoke: int64(5001 * s / 1000), Return: int64(5008 * ms), Token: token},
		{
			Client: "c5", Kind: history.KindGet, Items: []history.Item{{Key: "register/7", Value: "v-117", Version: 690}}, Outcome: history.OutcomeOK,
			Invoke: int64(5012 * ms), Return: int64(5013 * ms), Token: candor.Token{Term: 2, Index: 800, Revision: 691},
			Witness: &candor.Witness{NodeName: "n1", Class: candor.ServingAuthoritative, Mechanism: "CONFIRM"},
		},
	}
	r.Properties[2] = history.Report{
		Property: "real time is kept", Verdict: history.Violated, Checked: 6240, Margin: &history.Margin{Value: -11, Unit: "revisions"}, Violations: 3,
		Violation: &history.Violation{Sentence: "a STRONG read at revision 691 began after a write had returned with revision 702", Operations: operations, Exhibits: []history.Exhibit{{Record: "versions", Text: "register/7 has v-118 from revision 702 on"}, {Record: "turns", At: int64(5009 * ms), Text: "n2: no invariant was broken up to index 812"}}},
	}
	r.Violations = report.Violations(r.Properties, 0)
	r.Flags = report.Flags(r.Violations)
	r.Why = []string{"A STRONG read missed a write that had been acknowledged before it began.", "1 of 4 checks found a violation."}
	r.Ends = []report.End{{Server: "n1", At: 7100 * ms, Reason: "DISK_FAILED", Message: "sync of the log: input/output error"}}
	r.Gaps[1].Limit = 500 * ms
	return r
}

// inconclusive is a drill whose fault did nothing, of a cluster with strange names,
// without lanes and traffic to speak of.
func inconclusive() *report.Report {
	return &report.Report{
		Verdict:  history.Inconclusive,
		Why:      []string{"The fault PARTITION of 節点-ü was not seen to have an effect."},
		Scenario: scenario.Scenario{Name: "split", Load: scenario.Load{For: scenario.Duration(s)}},
		Layer:    "proxies", Seed: 7, Took: 1500 * ms, Command: "candor drill run split --seed 7",
		Lanes: report.Lanes{
			Nodes:  []report.NodeLane{{Node: "節点-ü"}, {Node: hostile, Intervals: []report.Interval{{From: 0, To: s, State: report.State(hostile)}}}},
			Duties: []report.DutyLane{{Duty: "schedule"}, {Duty: hostile, Eras: []report.Era{{From: 100 * ms, To: s, Era: 9, Holder: hostile}}}},
		},
		Faults:     []report.Band{{Kind: "PARTITION", Targets: []string{"節点-ü", hostile}, From: 500 * ms, To: 900 * ms, Note: hostile}},
		Properties: []history.Report{{Property: "each write has its turn", Verdict: history.Inconclusive, Why: "checked 0 items; 1 are wanted"}},
		Violations: []report.Violation{{Property: hostile, Sentence: hostile, Operations: []report.Operation{{From: 1, To: 2, Who: hostile, What: hostile}}}},
		Latency:    []report.Series{{Class: report.Class(hostile)}},
		Gaps:       []report.Gaps{{Class: report.Class(hostile)}},
		Ends:       []report.End{{Server: hostile, At: s, Reason: hostile, Message: hostile, Expected: true}},
		Machine:    report.Machine{OS: hostile, Probes: []report.Probe{{Name: hostile, Why: hostile, Instead: hostile}}},
		Files:      []report.File{{Name: hostile, What: hostile}, {Name: "../up", What: "outside"}, {Name: "javascript:alert(1)", What: "a scheme"}},
	}
}

// big is a long drill of a large cluster: many intervals, faults, samples and gaps.
func big() *report.Report {
	r := violated()
	r.Took = 10 * time.Minute
	r.Lanes, r.Faults, r.Gaps = report.Lanes{}, nil, nil
	for n := range 7 {
		lane := report.NodeLane{Node: fmt.Sprintf("n%d", n+1)}
		for at := time.Duration(0); at < r.Took; at += 6 * s {
			state := []report.State{report.Follower, report.Leader, report.Down, report.Paused, report.Candidate}[(int(at/s)/6+n)%5]
			lane.Intervals = append(lane.Intervals, report.Interval{From: at, To: at + 6*s, State: state, Term: uint64(at / s)})
		}
		r.Lanes.Nodes = append(r.Lanes.Nodes, lane)
		r.Lanes.Duties = append(r.Lanes.Duties, report.DutyLane{Duty: fmt.Sprintf("duty-%d", n), Eras: []report.Era{{From: s, To: r.Took, Era: uint64(n), Holder: "n1"}}})
	}
	for i := range 60 {
		at := time.Duration(i) * 10 * s
		r.Faults = append(r.Faults, report.Band{Kind: "KILL", Targets: []string{"n1"}, From: at, To: at + 4*s, Bite: report.Bite{Seen: 1}})
	}
	for _, class := range []report.Class{report.Write, report.Strong, report.Bounded, report.BestEffort} {
		g := report.Gaps{Class: class}
		for i := range 120 {
			at := time.Duration(i) * 5 * s
			g.Gaps = append(g.Gaps, report.Gap{From: at, To: at + time.Duration(i+1)*10*ms})
		}
		r.Gaps = append(r.Gaps, g)
	}
	r.Latency = latency(10_000)
	return r
}
