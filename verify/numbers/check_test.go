package numbers_test

import (
	"errors"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/verify/numbers"
)

func answer(first, count, era, began, ended uint64) numbers.Answer {
	return numbers.Answer{Duty: tenure.DutyTSO, Holder: "server/a", First: first, Count: count, Era: era, Began: began, Ended: ended}
}

// TestEachBrokenPromiseIsFound and nothing else: a checker must be seen to fail.
func TestEachBrokenPromiseIsFound(t *testing.T) {
	for _, x := range []struct {
		name    string
		answers []numbers.Answer
		want    []string
	}{
		{"in order", []numbers.Answer{answer(1, 5, 1, 1, 2), answer(6, 1, 1, 3, 4), answer(10, 2, 2, 5, 6)}, nil},
		{"at the same time in any order", []numbers.Answer{answer(6, 5, 1, 1, 3), answer(1, 5, 1, 2, 4)}, nil},
		{"the last and the first", []numbers.Answer{answer(5, 1, 1, 2, 4), answer(1, 5, 1, 1, 3)}, []string{numbers.Once}},
		{"one inside another", []numbers.Answer{answer(1, 9, 1, 1, 3), answer(4, 1, 1, 2, 4)}, []string{numbers.Once}},
		{"behind what was known", []numbers.Answer{answer(6, 5, 1, 1, 2), answer(20, 1, 1, 3, 5), answer(1, 5, 1, 4, 6)}, []string{numbers.Growing}},
		{"an era below the one before", []numbers.Answer{answer(6, 5, 1, 1, 3), answer(1, 5, 2, 2, 4)}, []string{numbers.Inherited}},
	} {
		t.Run(x.name, func(t *testing.T) {
			var got []string
			for _, v := range numbers.Check(x.answers, true) {
				got = append(got, v.Promise)
			}
			if len(got) != len(x.want) || len(got) > 0 && got[0] != x.want[0] {
				t.Errorf("found %v, want %v", got, x.want)
			}
		})
	}
}

// TestAnswersOutsideTheirSealAreFound: below the start, above the usage, of another
// holder, and of no era that was ever granted.
func TestAnswersOutsideTheirSealAreFound(t *testing.T) {
	duty, err := tenure.DutyOf(tenure.DutyIDs)
	if err != nil {
		t.Fatal(err)
	}
	l := tenure.New(duty)
	l.Finished = tenure.Era{Number: 1, Holder: "server/a", State: tenure.StateClosed, Start: tenure.Frontiers{ID: 10}, Usage: tenure.Frontiers{ID: 20}}
	l.Current = tenure.Era{Number: 2, Holder: "server/b", State: tenure.StateActive, Start: tenure.Frontiers{ID: 20}}
	id := func(f tenure.Frontiers) uint64 { return f.ID }
	fine := []numbers.Answer{answer(11, 10, 1, 1, 2), {Holder: "server/b", First: 21, Count: 1000, Era: 2}}
	if found := numbers.CheckSeals(fine, []tenure.Lineage{l}, id); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	wrong := []numbers.Answer{answer(10, 1, 1, 1, 2), answer(20, 2, 1, 1, 2), answer(30, 1, 2, 1, 2), answer(40, 1, 3, 1, 2)}
	if found := numbers.CheckSeals(wrong, []tenure.Lineage{l}, id); len(found) != len(wrong) {
		t.Errorf("found %v, want %d", found, len(wrong))
	}
}

// TestWhatWasRefusedIsCountedAndNoAnswer.
func TestWhatWasRefusedIsCountedAndNoAnswer(t *testing.T) {
	r := numbers.NewRecorder()
	refusal := candor.Errorf(candor.ReasonNotHosted, "elsewhere")
	if err := r.Ask(tenure.DutyIDs, "server/a", func() (uint64, uint64, uint64, error) { return 0, 0, 0, refusal }); !errors.Is(err, refusal) {
		t.Error(err)
	}
	if err := r.Ask(tenure.DutyIDs, "server/a", func() (uint64, uint64, uint64, error) { return 7, 2, 1, nil }); err != nil {
		t.Error(err)
	}
	if got := r.Answers(); len(got) != 1 || got[0].First != 7 || got[0].Last() != 8 || got[0].Ended <= got[0].Began || r.Refused()[candor.ReasonNotHosted] != 1 {
		t.Errorf("%v, %v", got, r.Refused())
	}
}
