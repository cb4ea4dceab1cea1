package determinism_test

import (
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/verify/determinism"
	"github.com/candor-plane/candor/verify/history"
)

// told are the digests of three nodes, one of which has two boots, and replays of one.
func told() ([]determinism.Digest, []determinism.Replay) {
	digest := func(index uint64) string { return string(rune('a'+index%26)) + "0" }
	var digests []determinism.Digest
	var replays []determinism.Replay
	for index := uint64(100); index < 110; index++ {
		for _, boot := range []string{"n1/1", "n1/2", "n2/1", "n3/1"} {
			digests = append(digests, determinism.Digest{Node: boot[:2], Boot: boot, Index: index, Digest: digest(index)})
		}
		replays = append(replays, determinism.Replay{From: "log", Node: "n1", Index: index, Digest: digest(index)},
			determinism.Replay{From: "snapshot@90", Node: "n2", Index: index, Digest: digest(index)})
	}
	return digests, replays
}

func check(t *testing.T, report history.Report, want history.Verdict) {
	t.Helper()
	if report.Verdict != want || want == history.Violated && len(report.Violation.Exhibits) == 0 {
		t.Errorf("%+v, want %s", report, want)
	}
}

func TestOneStateAtEveryIndexPasses(t *testing.T) {
	digests, replays := told()
	check(t, determinism.Agreement(digests, 30), history.Pass)
	check(t, determinism.Same(digests, replays, 20), history.Pass)
}

// TestEveryDigestThatDiffersIsFound, wherever it is.
func TestEveryDigestThatDiffersIsFound(t *testing.T) {
	for i := range 40 {
		digests, _ := told()
		digests[i].Digest = "ff"
		check(t, determinism.Agreement(digests, 1), history.Violated)
	}
	for i := range 20 {
		digests, replays := told()
		replays[i].Digest = "ff"
		check(t, determinism.Same(digests, replays, 1), history.Violated)
		check(t, determinism.Same(nil, replays, 1), history.Violated) // one against the other
	}
}

// TestWhatOneNodeAloneToldIsNoProof.
func TestWhatOneNodeAloneToldIsNoProof(t *testing.T) {
	digests, replays := told()
	alone := []determinism.Digest{digests[0], digests[0], digests[4]}
	report := determinism.Agreement(alone, 1)
	check(t, report, history.Inconclusive)
	if !report.Empty() {
		t.Errorf("%+v: want nothing to check", report)
	}
	check(t, determinism.Same(nil, replays[:1], 1), history.Inconclusive)
}

func TestABlockedTurnIsAViolation(t *testing.T) {
	fine := determinism.Turns{Node: "n1", Boot: "b", Index: 500}
	check(t, determinism.Unbroken([]determinism.Turns{fine}, 500), history.Pass)
	check(t, determinism.Unbroken([]determinism.Turns{fine}, 501), history.Inconclusive)
	for name, spoil := range map[string]func(*determinism.Turns){
		"counted": func(t *determinism.Turns) { t.Violations = 1 },
		"recorded": func(t *determinism.Turns) {
			t.Records = []client.TurnRecord{{Index: 7, Reason: candor.ReasonInvariantViolated, Invariant: "FinalizersHold"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			broken := fine
			spoil(&broken)
			check(t, determinism.Unbroken([]determinism.Turns{fine, broken}, 1), history.Violated)
			check(t, determinism.Unfailed([]determinism.Turns{fine, broken}, 1), history.Pass)
		})
	}
	failed := determinism.Turns{Node: "n1", Index: 5, Faults: 2, Records: []client.TurnRecord{{Index: 3, Reason: candor.ReasonTurnFault}}}
	check(t, determinism.Unfailed([]determinism.Turns{failed}, 1), history.Violated)
	check(t, determinism.Unbroken([]determinism.Turns{failed}, 1), history.Pass)
}
