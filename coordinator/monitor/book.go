package monitor

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/candor-plane/candor"
)

const (
	// MaxOpen is how many findings are open at most; the rest is counted in one of them.
	MaxOpen = 256
	// Retention is how long a finding that is not open any more is kept.
	Retention = time.Hour
	// reword is how often a finding's words change at most: a cause may name what moves.
	reword = 30 * time.Second
)

// Stored is a finding as the root has it. A status that was never written is zero.
type Stored struct {
	Name, UID       string
	ResourceVersion uint64
	Status          candor.FindingStatus
}

// Step is one change of a finding: it is created, its status is written, or it goes.
type Step struct {
	Name   string
	Verb   Verb
	Status candor.FindingStatus
	// Stored is what is there: of a step that creates, nothing.
	Stored Stored
	// Breach is what it is about; nil where the promise holds again.
	Breach *Breach
}

// Verb is what a step does.
type Verb uint8

// The verbs.
const (
	Open Verb = iota
	Update
	Remove
)

// Book keeps findings in step with breaches. It is not safe for concurrent use.
type Book struct {
	// worded is when a finding was last given its words.
	worded map[string]int64
}

// NewBook returns a book.
func NewBook() *Book { return &Book{worded: map[string]int64{}} }

// Plan says what to change: with nothing to change, and nothing else going on, it is
// empty. Breaches are the gravest first. judged is false for promises of which nothing
// is known now: their findings stay as they are.
func (b *Book) Plan(now int64, stored []Stored, breaches []Breach, judged func(Promise) bool) []Step {
	there := make(map[string]*Stored, len(stored))
	for i := range stored {
		there[stored[i].Name] = &stored[i]
	}
	var steps []Step
	wanted := map[string]bool{}
	for _, breach := range bounded(now, stored, breaches, judged) {
		name := Name(breach.Key())
		wanted[name] = true
		if s, ok := b.open(now, name, there[name], &breach); ok {
			steps = append(steps, s)
		}
	}
	for i := range stored {
		s := &stored[i]
		if wanted[s.Name] || s.Status.Open && !judged(Promise(s.Status.Promise)) {
			continue
		}
		delete(b.worded, s.Name)
		switch {
		case s.Status.Open:
			next := s.Status
			next.Open, next.Until = false, now
			steps = append(steps, Step{Name: s.Name, Verb: Update, Status: next, Stored: *s})
		case now-s.Status.Until > int64(Retention):
			steps = append(steps, Step{Name: s.Name, Verb: Remove, Stored: *s})
		}
	}
	return steps
}

// bounded are at most MaxOpen: those first that are open already, so that they stay.
func bounded(now int64, stored []Stored, breaches []Breach, judged func(Promise) bool) []Breach {
	standing := 0 // findings that stay without a breach
	open := map[string]bool{}
	for i := range stored {
		if !stored[i].Status.Open {
			continue
		}
		open[stored[i].Name] = true
		if !judged(Promise(stored[i].Status.Promise)) {
			standing++
		}
	}
	room := max(1, MaxOpen-standing)
	if len(breaches) <= room {
		return breaches
	}
	ordered := slices.Clone(breaches)
	slices.SortStableFunc(ordered, func(x, y Breach) int { return rank(&x, open) - rank(&y, open) })
	rest := len(ordered) - (room - 1)
	return append(ordered[:room-1:room-1], Breach{Since: now, Claim: Claim{
		Promise: EveryFindingIsShown, Subject: candor.Ref{Kind: candor.KindFindings, Name: "rest"},
		Message: fmt.Sprintf("more promises are broken than the %d findings that are kept", MaxOpen),
		Cause:   fmt.Sprintf("%d are not shown", rest),
		Owner:   "whoever mends those that are shown", Repair: "candor get findings; mend the oldest first",
	}})
}

func rank(b *Breach, open map[string]bool) int {
	switch {
	case b.Promise.Safety():
		return 0
	case open[Name(b.Key())]:
		return 1
	default:
		return 2
	}
}

// open is the step that has a breach shown; false where it is shown.
func (b *Book) open(now int64, name string, stored *Stored, breach *Breach) (Step, bool) {
	status := candor.FindingStatus{
		Promise: string(breach.Promise), Safety: breach.Promise.Safety(), Subject: breach.Subject, Since: breach.Since,
		Message: breach.Message, Cause: breach.Cause, Owner: breach.Owner, Repair: breach.Repair, Open: true,
	}
	if stored == nil {
		b.worded[name] = now
		return Step{Name: name, Verb: Open, Status: status, Breach: breach}, true
	}
	was := stored.Status
	if was.Open {
		status.Since = was.Since
		if was == status || now-b.worded[name] < int64(reword) && b.worded[name] != 0 {
			return Step{}, false
		}
	}
	b.worded[name] = now
	return Step{Name: name, Verb: Update, Status: status, Stored: *stored, Breach: breach}, true
}

// mostSubject is how much of a subject's name a finding's name has.
const mostSubject = 40

// Name is the name of the finding of a promise about a subject: always the same one.
func Name(of Key) string {
	sum := sha256.Sum256([]byte(string(of.Promise) + "\x00" + string(of.Subject.Kind) + "\x00" + of.Subject.Key()))
	subject := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(of.Subject.Name))
	subject = strings.Trim(subject[:min(len(subject), mostSubject)], "-")
	parts := []string{kebab(string(of.Promise)), subject, hex.EncodeToString(sum[:4])}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "-")
}

// kebab is "pending-is-placed".
func kebab(word string) string {
	var out strings.Builder
	for at, r := range word {
		if unicode.IsUpper(r) && at > 0 {
			out.WriteByte('-')
		}
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}
