package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
)

// Do is what a choice does.
type Do string

// The work of clients, coordinators and workers.
const (
	DoRegister   Do = "register"
	DoTxn        Do = "transaction"
	DoRead       Do = "read"
	DoThing      Do = "thing"
	DoTidy       Do = "tidy"
	DoHold       Do = "hold"
	DoTake       Do = "take"
	DoGuarded    Do = "guarded"
	DoTransition Do = "transition"
	DoExecute    Do = "execute"
	DoInstance   Do = "instance"
	DoPlace      Do = "place"
	DoWork       Do = "work"
	DoBeat       Do = "beat"
	DoWatch      Do = "watch"
	DoTick       Do = "tick"
	DoSnapshot   Do = "snapshot"
)

// The faults. Each ends by itself, and all are over before a run ends.
const (
	FaultCrash    Do = "crash"
	FaultElection Do = "election"
	FaultGap      Do = "leaderless"
	FaultLag      Do = "lag"
	FaultPause    Do = "pause"
	FaultAnswer   Do = "lost-answer"
	FaultRepeat   Do = "repeated-command"
	FaultLate     Do = "late-command"
	FaultWall     Do = "wall-jump"
)

var (
	works = []Do{
		DoRegister, DoTxn, DoRead, DoThing, DoTidy, DoHold, DoTake, DoGuarded, DoTransition, DoExecute,
		DoInstance, DoPlace, DoWork, DoBeat, DoWatch, DoTick, DoSnapshot,
	}
	// groups are kinds of work that go together.
	groups = [][]Do{
		{DoRegister, DoTxn, DoRead}, {DoThing, DoThing, DoTidy}, {DoTake}, {DoGuarded}, {DoTransition, DoExecute, DoTidy},
		{DoInstance, DoPlace, DoWork, DoBeat}, {DoWatch}, {DoTick}, {DoSnapshot},
	}
	// Faults are all that a schedule may have.
	Faults = []Do{FaultCrash, FaultElection, FaultGap, FaultLag, FaultPause, FaultAnswer, FaultRepeat, FaultLate, FaultWall}
)

// Choice is one thing that happens at a time that was chosen before the run.
type Choice struct {
	// Number is the choice's place in the whole schedule, from 1.
	Number int `json:"number"`
	// At is in nanoseconds of virtual time.
	At int64 `json:"at"`
	Do Do    `json:"do"`
	// Draw is what everything that is drawn for the choice is drawn from.
	Draw uint64 `json:"draw,string"`
}

// Setting is what stays the same during a run.
type Setting struct {
	Servers int `json:"servers"`
	Clients int `json:"clients"`
	Keys    int `json:"keys"`
	Nodes   int `json:"nodes"`
	// Duties are those that servers contend for.
	Duties []string `json:"duties"`
	// Rates are by how many parts per million each server's clock is fast, Drift the
	// bound that holders count with.
	Rates []int64 `json:"rates"`
	Drift uint32  `json:"drift"`
	// Duration of tenures and Linger, how long entries are collected, in nanoseconds.
	Duration int64 `json:"duration"`
	Linger   int64 `json:"linger"`
	// Spread is how much later than others a replica applies, at most, in nanoseconds.
	Spread int64 `json:"spread"`
	// Anonymous is how many of a hundred writes go without a request ID.
	Anonymous int `json:"anonymous"`
	// Valid is for how long a request may be repeated, in nanoseconds of cluster time.
	Valid int64 `json:"valid"`
}

// Schedule is all that decides a run.
type Schedule struct {
	Seed    uint64   `json:"seed,string"`
	Steps   int      `json:"steps"`
	Setting Setting  `json:"setting"`
	Choices []Choice `json:"choices"`
}

const (
	// DefaultSteps is how many choices a schedule has unless it is told.
	DefaultSteps = 100

	// age is longer than requests are remembered and transitions kept, in nanoseconds.
	age = 700 * second

	microsecond = int64(1000)
	millisecond = 1000 * microsecond
	second      = 1000 * millisecond
	million     = 1_000_000
)

// New draws the schedule of a seed: which kinds of work and faults it has, how often,
// and when. Few of them at a time, so that no one hides another.
func New(seed uint64, steps int) Schedule {
	if steps <= 0 {
		steps = DefaultSteps
	}
	r := rand.New(rand.NewPCG(seed, 0x5eed))
	s := Schedule{Seed: seed, Steps: steps, Setting: setting(r)}
	menu := []Do{DoRegister, DoHold, DoHold, DoHold}
	for _, group := range groups {
		if r.IntN(100) < 40 {
			menu = append(menu, weigh(r, group, 85, 6)...)
		}
	}
	faults, share := weigh(r, Faults, 40, 3), [...]int{3, 8, 15, 30}[r.IntN(4)]
	if !slices.Contains(menu, DoInstance) {
		s.Setting.Nodes = 0
	}
	s.Setting.Duties = contended(menu, r)
	// In some a time passes in which what is kept for long is forgotten.
	ages := r.IntN(6 * steps)
	gap := [...]int64{200 * microsecond, millisecond, 5 * millisecond}[r.IntN(3)]
	at := int64(0)
	s.Choices = make([]Choice, steps)
	for i := range s.Choices {
		at += 1 + r.Int64N(2*gap)
		if r.IntN(20) == 0 {
			at += r.Int64N(s.Setting.Duration)
		}
		if i == ages {
			at += age
		}
		from := menu
		if len(faults) > 0 && r.IntN(100) < share {
			from = faults
		}
		s.Choices[i] = Choice{Number: i + 1, At: at, Do: from[r.IntN(len(from))], Draw: r.Uint64()}
	}
	return s
}

// needs are the duties that work takes.
var needs = map[Do][]string{
	DoTidy: {tenure.DutyJanitor}, DoTake: {tenure.DutyIDs, tenure.DutyTSO}, DoGuarded: {tenure.DutyControllers},
	DoExecute: {tenure.DutyTopology}, DoPlace: {tenure.DutySchedule},
}

func contended(menu []Do, r *rand.Rand) []string {
	duties := []string{tenure.DutyTSO}
	if r.IntN(2) == 0 {
		duties[0] = tenure.DutyIDs
	}
	for _, do := range works {
		if !slices.Contains(menu, do) {
			continue
		}
		for _, duty := range needs[do] {
			if !slices.Contains(duties, duty) {
				duties = append(duties, duty)
			}
		}
	}
	return duties
}

func setting(r *rand.Rand) Setting {
	s := Setting{
		Servers: [...]int{3, 3, 3, 3, 2, 5}[r.IntN(6)], Clients: 1 + r.IntN(4), Keys: 1 + r.IntN(4), Nodes: 1 + r.IntN(3),
		Drift: 100_000, Duration: [...]int64{20, 60, 200}[r.IntN(3)] * millisecond, Linger: r.Int64N([...]int64{1, millisecond, 6 * millisecond}[r.IntN(3)]),
		Spread: [...]int64{millisecond, 5 * millisecond, 40 * millisecond}[r.IntN(3)],
		Valid:  [...]int64{30, 300, 3000}[r.IntN(3)] * millisecond,
	}
	if r.IntN(2) == 0 {
		s.Anonymous = r.IntN(60)
	}
	for range s.Servers {
		s.Rates = append(s.Rates, r.Int64N(98_000)-49_000)
	}
	return s
}

// weigh takes each of some with a chance of so many in a hundred, and repeats it up to
// most times.
func weigh(r *rand.Rand, of []Do, chance, most int) (menu []Do) {
	for _, do := range of {
		n := 1 + r.IntN(most)
		if r.IntN(100) >= chance {
			continue
		}
		for range n {
			menu = append(menu, do)
		}
	}
	return menu
}

// Numbers are those of the choices that are left.
func (s *Schedule) Numbers() []int {
	numbers := make([]int, len(s.Choices))
	for i := range s.Choices {
		numbers[i] = s.Choices[i].Number
	}
	return numbers
}

// Dropped are the numbers of the choices that were left out.
func (s *Schedule) Dropped() []int {
	kept := s.Numbers()
	var dropped []int
	for n := 1; n <= s.Steps; n++ {
		if !slices.Contains(kept, n) {
			dropped = append(dropped, n)
		}
	}
	return dropped
}

// Only is the schedule with the choices of these numbers alone.
func (s Schedule) Only(numbers []int) Schedule {
	return s.filtered(func(n int) bool { return slices.Contains(numbers, n) })
}

// Without is the schedule without the choices of these numbers.
func (s Schedule) Without(numbers []int) Schedule {
	return s.filtered(func(n int) bool { return !slices.Contains(numbers, n) })
}

func (s Schedule) filtered(keep func(number int) bool) Schedule {
	var kept []Choice
	for _, c := range s.Choices {
		if keep(c.Number) {
			kept = append(kept, c)
		}
	}
	s.Choices = kept
	return s
}

// Check returns an Error of reason INVALID for a schedule that no run can follow.
func (s *Schedule) Check() error {
	t := &s.Setting
	switch {
	case t.Servers < 1 || t.Servers > 9 || len(t.Rates) != t.Servers:
		return candor.Errorf(candor.ReasonInvalid, "schedule: %d servers with %d clocks: want 1 to 9, and as many clocks", t.Servers, len(t.Rates))
	case t.Clients < 1 || t.Keys < 1 || t.Clients > 100 || t.Keys > 100 || t.Nodes < 0 || t.Nodes > 100:
		return candor.Errorf(candor.ReasonInvalid, "schedule: %d clients, %d keys, %d nodes: want 1 to 100, 1 to 100 and 0 to 100", t.Clients, t.Keys, t.Nodes)
	case t.Duration <= 0 || t.Spread <= 0 || t.Linger < 0 || t.Valid <= 0:
		return candor.Errorf(candor.ReasonInvalid, "schedule: durations %d, %d, %d, %d: want all above 0", t.Duration, t.Spread, t.Linger, t.Valid)
	}
	for _, duty := range t.Duties {
		if _, err := tenure.DutyOf(duty); err != nil {
			return err
		}
	}
	for _, rate := range t.Rates {
		if rate <= -million/2 || rate >= million {
			return candor.Errorf(candor.ReasonInvalid, "schedule: a clock that is %d parts per million fast: want above -500000 and below a million", rate)
		}
	}
	last := int64(0)
	for i := range s.Choices {
		c := &s.Choices[i]
		if c.At < last {
			return candor.Errorf(candor.ReasonInvalid, "schedule: choice %d is at %d, before the one before it: want them in order", c.Number, c.At)
		}
		if !slices.Contains(works, c.Do) && !slices.Contains(Faults, c.Do) {
			return candor.Errorf(candor.ReasonInvalid, "schedule: choice %d does %q, which is nothing that a simulation does", c.Number, c.Do)
		}
		last = c.At
	}
	return nil
}

// Ranges writes numbers in the form that ReadRanges reads: "3,7-12".
func Ranges(numbers []int) string {
	var parts []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		if i == j {
			parts = append(parts, fmt.Sprint(numbers[i]))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", numbers[i], numbers[j]))
		}
		i = j + 1
	}
	return strings.Join(parts, ",")
}

// ReadRanges reads numbers such as "3,7-12". Otherwise the error's reason is INVALID.
func ReadRanges(text string) ([]int, error) {
	var numbers []int
	for part := range strings.SplitSeq(text, ",") {
		from, to, is := strings.Cut(part, "-")
		if !is {
			to = from
		}
		first, err := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err != nil || err2 != nil || first < 1 || last < first || last-first > million {
			return nil, candor.Errorf(candor.ReasonInvalid, "%q are no numbers of choices: want some like 3,7-12", text)
		}
		for n := first; n <= last; n++ {
			numbers = append(numbers, n)
		}
	}
	return numbers, nil
}
