package monitor

import (
	"bytes"
	"container/list"
	"fmt"
	"maps"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/informer"
)

const (
	// versionsKept are of one object, and objectsKept those that somebody wrote lately.
	versionsKept = 12
	objectsKept  = 2048
	// fightWindow is within which time a field is to go back and forth.
	fightWindow = int64(incident)
)

// fights are the newest versions of the objects that changed lately, to find two writers
// that set one field against each other: its states repeat, A, B, A, B, and the one is
// always the one's and the other the other's.
type fights struct {
	objects map[candor.Ref]*list.Element
	order   *list.List // of *contested, the one that changed last in front
}

type contested struct {
	ref      candor.Ref
	uid      string
	versions []written
}

type written struct {
	object *candor.Object
	writer string
	at     int64
}

func newFights() fights {
	return fights{objects: map[candor.Ref]*list.Element{}, order: list.New()}
}

// writerOf names who made a version: a duty, whoever holds it, or an actor.
func writerOf(o *candor.Object) string {
	switch {
	case o.Cause == nil:
		return "an unknown writer"
	case o.Cause.Duty != "":
		return "duty " + o.Cause.Duty
	default:
		return o.Cause.Actor
	}
}

// take takes a change, and says whether it goes on with a fight.
func (f *fights) take(c *informer.Change, now int64) (Claim, bool) {
	at, known := f.objects[c.Ref]
	if c.After == nil {
		if known {
			f.order.Remove(at)
			delete(f.objects, c.Ref)
		}
		return Claim{}, false
	}
	// Evictors and the controller count a budget's allowance together, by design.
	if c.Ref.Kind == candor.KindDisruptionBudgets || c.Before == nil || !wrote(c.Before.Object, c.After.Object) {
		return Claim{}, false
	}
	x := f.contested(c, at)
	if len(x.versions) == 0 {
		x.versions = append(x.versions, written{object: c.Before.Object, at: now})
	}
	x.versions = append(x.versions, written{object: c.After.Object, writer: writerOf(c.After.Object), at: now})
	if over := len(x.versions) - versionsKept; over > 0 {
		x.versions = append(x.versions[:0], x.versions[over:]...)
	}
	for len(x.versions) > 1 && now-x.versions[1].at > fightWindow {
		x.versions = x.versions[1:]
	}
	if !x.mayFight() {
		return Claim{}, false
	}
	return x.fight()
}

// contested is the object's entry, in front.
func (f *fights) contested(c *informer.Change, at *list.Element) *contested {
	if at == nil {
		if f.order.Len() >= objectsKept {
			oldest := f.order.Back()
			if gone, ok := f.order.Remove(oldest).(*contested); ok {
				delete(f.objects, gone.ref)
			}
		}
		x := &contested{ref: c.Ref, uid: c.After.Metadata.UID}
		f.objects[c.Ref] = f.order.PushFront(x)
		return x
	}
	f.order.MoveToFront(at)
	x, _ := at.Value.(*contested)
	if x.uid != c.After.Metadata.UID {
		*x = contested{ref: c.Ref, uid: c.After.Metadata.UID}
	}
	return x
}

// wrote says whether more changed than what workers observe.
func wrote(before, after *candor.Object) bool {
	if before.Metadata.UID != after.Metadata.UID {
		return false
	}
	return !bytes.Equal(before.Spec, after.Spec) || !bytes.Equal(before.Status, after.Status) ||
		!maps.Equal(before.Metadata.Labels, after.Metadata.Labels) || !maps.Equal(before.Metadata.Annotations, after.Metadata.Annotations)
}

// mayFight: two writers wrote twice each. It costs nothing to find out.
func (x *contested) mayFight() bool {
	times, twice := map[string]int{}, 0
	for _, v := range x.versions[1:] {
		if times[v.writer]++; times[v.writer] == 2 {
			twice++
		}
	}
	return twice >= 2
}

// state is a value that somebody gave a field.
type state struct{ value, writer string }

// fight is of the first field by path whose last four states are those of a fight.
func (x *contested) fight() (Claim, bool) {
	fields := map[string][]state{}
	var newest []candor.FieldChange
	for at := 1; at < len(x.versions); at++ {
		was, is := *x.versions[at-1].object, *x.versions[at].object
		was.Observed, is.Observed = nil, nil
		newest = candor.FieldChanges(&was, &is)
		for _, c := range newest {
			fields[c.Path] = append(fields[c.Path], state{value: string(c.Is), writer: x.versions[at].writer})
		}
	}
	for _, c := range newest {
		if a, b, is := backAndForth(fields[c.Path]); is {
			return x.claim(c.Path, a, b), true
		}
	}
	return Claim{}, false
}

// backAndForth says whether the last four states are A, B, A, B of two writers.
func backAndForth(states []state) (a, b state, is bool) {
	if len(states) < 4 {
		return a, b, false
	}
	last := states[len(states)-4:]
	a, b = last[0], last[1]
	return a, b, a == last[2] && b == last[3] && a.value != b.value && a.writer != b.writer
}

func (x *contested) claim(path string, a, b state) Claim {
	if b.writer < a.writer {
		a, b = b, a
	}
	return Claim{
		Promise: OneWriterPerField, Subject: x.ref, Step: x.uid,
		Message: fmt.Sprintf("%s goes back and forth: %s makes it %s, %s makes it %s", path, a.writer, shown(a.value), b.writer, shown(b.value)),
		Cause:   "two writers want different things of one field",
		Owner:   a.writer + " and " + b.writer, Repair: history(x.ref) + "; let one of the two leave it alone",
	}
}

// mostShown is how much of a value a message has.
const mostShown = 64

func shown(value string) string {
	switch {
	case value == "":
		return "absent"
	case len(value) > mostShown:
		return strings.ToValidUTF8(value[:mostShown], "") + "..."
	default:
		return value
	}
}
