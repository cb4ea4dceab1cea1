package lifecycle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
)

// Name of a lifecycle.
type Name string

// The lifecycles.
const (
	Duty       Name = "duty"
	Era        Name = "era"
	Transition Name = "transition"
	Member     Name = "member"
	Leadership Name = "leadership"
	Object     Name = "object"
	Instance   Name = "instance"
	Node       Name = "node"
	Workload   Name = "workload"
	Access     Name = "access"
	Token      Name = "token"
	CatchUp    Name = "catch-up"
	Mode       Name = "mode"
	Request    Name = "request"
)

// State is a word for where something is in its life.
type State string

// States that several lifecycles share: before it was there, and after.
const (
	Absent State = "ABSENT"
	Gone   State = "GONE"
)

// Step is one change of state, and what made it.
type Step struct {
	Lifecycle Name
	From, To  State
	Event     string
}

// String is LIFECYCLE/FROM->TO:EVENT.
func (s Step) String() string {
	return string(s.Lifecycle) + "/" + string(s.From) + "->" + string(s.To) + ":" + s.Event
}

// Compare orders steps as their text is ordered.
func (s Step) Compare(o Step) int { return strings.Compare(s.String(), o.String()) }

// Parse reads what String prints; INVALID otherwise.
func Parse(text string) (Step, error) {
	name, rest, named := strings.Cut(text, "/")
	from, rest, parted := strings.Cut(rest, "->")
	to, event, _ := strings.Cut(rest, ":")
	if !named || !parted || name == "" || from == "" || to == "" {
		return Step{}, candor.Errorf(candor.ReasonInvalid, "step %q: want LIFECYCLE/FROM->TO:EVENT, for example duty/HELD->SEALED:seal", text)
	}
	return Step{Lifecycle: Name(name), From: State(from), To: State(to), Event: event}, nil
}

// Declared is a step that may be, and what it is in a sentence.
type Declared struct {
	From, To State
	// Event is the command or the observation that makes it.
	Event string
	Says  string
}

// Lifecycle is what a thing may go through.
type Lifecycle struct {
	Name Name
	// Of says what goes through it.
	Of string
	// Start is where everything begins.
	Start State
	// States are all of them, Start first.
	States []State
	Steps  []Declared
}

// Step is a declared one with the lifecycle's name.
func (l *Lifecycle) Step(d *Declared) Step {
	return Step{Lifecycle: l.Name, From: d.From, To: d.To, Event: d.Event}
}

// All are the lifecycles, in the order in which they are shown.
func All() []Lifecycle {
	return []Lifecycle{
		duty(), era(), transitions(), member(), leadership(), request(), object(), access(), tokens(),
		instance(), node(), workload(), catchUp(), mode(),
	}
}

// Find is the declared step of that text. The event may be left out where one alone
// joins the states; USAGE where several do, NOT_FOUND where none.
func Find(text string) (Step, Declared, error) {
	want, err := Parse(text)
	if err != nil {
		return Step{}, Declared{}, candor.Errorf(candor.ReasonUsage, "%s", err)
	}
	var found []Declared
	var events []string
	for _, l := range All() {
		if l.Name != want.Lifecycle {
			continue
		}
		for _, d := range l.Steps {
			if d.From == want.From && d.To == want.To && (want.Event == "" || want.Event == d.Event) {
				found, events = append(found, d), append(events, l.Step(&d).String())
			}
		}
	}
	switch len(found) {
	case 0:
		return Step{}, Declared{}, candor.Errorf(candor.ReasonNotFound, "no lifecycle declares %s", text)
	case 1:
		want.Event = found[0].Event
		return want, found[0], nil
	default:
		return Step{}, Declared{}, candor.Errorf(candor.ReasonUsage, "%s is one of several: say %s", text, strings.Join(events, ", or "))
	}
}

// check returns what a declaration gets wrong, in the order of its steps.
func (l *Lifecycle) check() []string {
	var wrong []string
	if len(l.States) == 0 || l.States[0] != l.Start {
		wrong = append(wrong, "does not begin with its first state")
	}
	seen, reached := map[Step]bool{}, map[State]bool{l.Start: true}
	for i := range l.Steps {
		d := &l.Steps[i]
		s := l.Step(d)
		switch {
		case !slices.Contains(l.States, d.From) || !slices.Contains(l.States, d.To):
			wrong = append(wrong, fmt.Sprintf("%s is of a state that is not declared", s))
		case d.Event == "" || d.Says == "":
			wrong = append(wrong, fmt.Sprintf("%s has no event, or says nothing", s))
		case seen[s]:
			wrong = append(wrong, fmt.Sprintf("%s is declared twice", s))
		}
		seen[s] = true
	}
	for more := true; more; {
		more = false
		for _, d := range l.Steps {
			if reached[d.From] && !reached[d.To] {
				reached[d.To], more = true, true
			}
		}
	}
	for _, s := range l.States {
		if !reached[s] {
			wrong = append(wrong, fmt.Sprintf("%s is not reached from %s", s, l.Start))
		}
	}
	return wrong
}

// every declares one event from each of some states to one.
func every(from []State, to State, event, says string) []Declared {
	var out []Declared
	for _, f := range from {
		if f != to {
			out = append(out, Declared{From: f, To: to, Event: event, Says: says})
		}
	}
	return out
}
