package tenuremodel

import (
	"fmt"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
)

// Bounds are what a model leaves out: everything within is visited.
type Bounds struct {
	// Duty decides the mandate: "tso" hands timestamps out, and leans on belief.
	Duty    string
	Holders int
	// Eras is the most that are granted, Values the most that are reserved.
	Eras   uint64
	Values uint64
	// InFlight is how many commands are on their way at once.
	InFlight int
	// Lasts is how many ticks of the clocks an era lasts.
	Lasts int64
	// What holders do besides campaigning, sealing, confirming and closing.
	Reserves, Writes, Renews, Releases, Transfers bool
	// Answers is how many answers are on their way to the one client; 0: nobody asks.
	Answers int
	// Leaders change, and with them terms.
	Leaders bool
	// Stops lets cluster time stand still while real time goes on.
	Stops bool
	// Drift is by how many parts per million a holder's clock may be slower.
	Drift uint32
	// Named tells holders apart in keys. It takes more states, and is for goals alone:
	// those ask that each holder is dealt with fairly.
	Named bool
}

// String is the bounds for people.
func (b Bounds) String() string {
	var with []string
	for _, w := range []struct {
		on   bool
		word string
	}{
		{b.Reserves, "values"}, {b.Writes, "writes"}, {b.Renews, "renewals"}, {b.Releases, "releases"},
		{b.Transfers, "transfers"}, {b.Answers > 0, "a client"}, {b.Leaders, "changes of leader"}, {b.Stops, "stopped clocks"}, {b.Named, "holders by name"},
	} {
		if w.on {
			with = append(with, ", "+w.word)
		}
	}
	return fmt.Sprintf("duty %s, %d holders, %d eras of %d ticks, %d values, %d commands and %d answers in flight, crashes, lost, repeated and late commands, lost answers%s",
		b.Duty, b.Holders, b.Eras, b.Lasts, b.Values, b.InFlight, b.Answers, strings.Join(with, ""))
}

// Rules are what decides. Production's are those of Real; a test that takes one
// away must see the model fail.
type Rules struct {
	Apply func(tenure.Lineage, tenure.Now, tenure.Event) (tenure.Lineage, *candor.Error)
	Fence func(l tenure.Lineage, era uint64) *candor.Error
	// Believes says whether a holder of duty tso may answer, at an instant of its
	// clock.
	Believes func(b tenure.Belief, at int64, drift uint32) bool
	// Takes is the client's floor: whether it takes an answer of an era, having seen
	// another.
	Takes func(seen, era uint64) bool
	// Check is run over every event; nil leaves only the promises seen from outside.
	Check func(before, after tenure.Lineage) *tenure.Violation
	// Drains says that a holder stops using its era before it seals it.
	Drains bool
	// CountsFirst says that a belief counts from when its command was first sent, and
	// not from the repeat that was answered.
	CountsFirst bool
	// Pending is what the holder of the active era has to do for handovers to end.
	Pending func(l tenure.Lineage, holder string) tenure.Event
}

// Real are the rules of production.
func Real() Rules {
	return Rules{
		Apply:       tenure.Lineage.Apply,
		Fence:       tenure.Lineage.Fence,
		Believes:    tenure.Belief.Holds,
		Takes:       func(seen, era uint64) bool { return era >= seen },
		Check:       tenure.Check,
		Drains:      true,
		CountsFirst: true,
		Pending:     tenure.Lineage.Pending,
	}
}
