package failpoint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What a point may do.
const (
	actionCrash = "crash"
	actionPause = "pause"
	actionPanic = "panic"
	actionError = "error"
)

// arm is what one point does.
type arm struct {
	point, subject string // an empty subject is any
	action         string
	pause          time.Duration
	// at is the hit at which it acts, 0 for each; hits is how many there were.
	at, hits uint64
}

// armory is what is armed, by the text that says so. Its owner locks it.
type armory struct {
	text string
	arms []arm
}

// load arms what the text says, and counts anew if that is another text.
func (a *armory) load(text string) error {
	if text == a.text {
		return nil
	}
	var arms []arm
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		parsed, err := parse(one)
		if err != nil {
			return err
		}
		arms = append(arms, parsed)
	}
	a.text, a.arms = text, arms
	return nil
}

// hit counts a hit of a point, and returns what it does now; nil for nothing.
func (a *armory) hit(point, subject string) (now *arm) {
	for i := range a.arms {
		x := &a.arms[i]
		if x.point != point || x.subject != "" && x.subject != subject {
			continue
		}
		x.hits++
		if now == nil && (x.at == 0 || x.at == x.hits) {
			now = x
		}
	}
	return now
}

// parse reads POINT[SUBJECT]=ACTION@HIT; a pause is pause:DURATION.
func parse(text string) (arm, error) {
	place, what, armed := strings.Cut(text, "=")
	point, subject, _ := strings.Cut(strings.TrimSuffix(place, "]"), "[")
	a := arm{point: point, subject: subject}
	if !armed || !slices.ContainsFunc(Points(), func(p Point) bool { return p.Name == point }) {
		return a, fmt.Errorf("%q arms no point", text)
	}
	what, at, counted := strings.Cut(what, "@")
	if counted {
		n, err := strconv.ParseUint(at, 10, 32)
		if err != nil || n == 0 {
			return a, fmt.Errorf("%q: hits count from 1", text)
		}
		a.at = n
	}
	var lasts string
	a.action, lasts, _ = strings.Cut(what, ":")
	switch a.action {
	case actionPause:
		var err error
		if a.pause, err = time.ParseDuration(lasts); err != nil {
			return a, fmt.Errorf("%q: %w", text, err)
		}
	case actionCrash, actionPanic, actionError:
	default:
		return a, fmt.Errorf("%q: want crash, pause:DURATION, panic or error", text)
	}
	return a, nil
}
