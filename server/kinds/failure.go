package kinds

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/candor-plane/candor"
)

// tells is what a signal tells of, and what may be done about it: all that somebody obeys.
type tells struct{ failures, actions []string }

// signals are those of each kind. A beat that does not come does not say whether the
// machine is gone or cut off. A process that is gone is made anew by its workload,
// whatever a policy says, so None is no action on its end.
var signals = map[candor.KindName]map[string]tells{
	candor.KindNodes: {
		candor.SignalHeartbeat: {
			failures: []string{string(candor.FailureCrash), string(candor.FailurePartition)},
			actions:  []string{candor.ActionEvict, candor.ActionCordon, candor.ActionNone},
		},
	},
	candor.KindWorkloads: {
		candor.SignalExit: {
			failures: []string{string(candor.FailureCrash)},
			actions:  []string{candor.ActionRestart, candor.ActionReplace},
		},
		candor.SignalProbe: {
			failures: []string{string(candor.FailureSlow), string(candor.FailureCrash)},
			actions:  []string{candor.ActionRestart, candor.ActionReplace, candor.ActionNone},
		},
	},
}

// leastSilence is the shortest time in which workers and leaders can be told from
// those that are gone: three beats and an election.
const leastSilence = time.Second

// failureMode is one as it is written; its durations are still to be read.
type failureMode struct {
	Failure       string          `json:"failure"`
	Signal        string          `json:"signal"`
	Action        string          `json:"action"`
	DetectWithin  json.RawMessage `json:"detectWithin"`
	ActAfter      json.RawMessage `json:"actAfter"`
	RecoverWithin json.RawMessage `json:"recoverWithin"`
}

func policyMeans(_ string, spec []byte, wrong *faults) error {
	var p struct {
		Kind    candor.KindName `json:"kind"`
		Objects string          `json:"objects"`
		Modes   []failureMode   `json:"modes"`
	}
	if err := json.Unmarshal(spec, &p); err != nil {
		return err
	}
	checkSelector("spec.objects", p.Objects, wrong)
	for i := range p.Modes {
		m, path := &p.Modes[i], "spec.modes["+strconv.Itoa(i)+"]"
		m.checkAgainst(p.Modes[:i], path, wrong)
		m.checkWords(path, p.Kind, wrong)
		m.checkTimes(path, wrong)
	}
	return nil
}

// checkAgainst: a failure is declared once by one signal; failures that one signal tells of
// cannot be told apart by it, so that they are treated alike.
func (m *failureMode) checkAgainst(before []failureMode, path string, wrong *faults) {
	for i := range before {
		b := &before[i]
		switch {
		case b.Signal != m.Signal:
		case b.Failure == m.Failure:
			wrong.addf(0, path, "%s by %s is said already, at modes[%d]", m.Failure, m.Signal, i)
			return
		case !m.like(b):
			wrong.addf(0, path, "%s does not tell %s from %s, of modes[%d]: want the same times and action for both", m.Signal, m.Failure, b.Failure, i)
			return
		}
	}
}

// like says whether two modes come to the same; times that do not read are judged
// elsewhere.
func (m *failureMode) like(b *failureMode) bool {
	var ignored faults
	for _, of := range []func(*failureMode) json.RawMessage{
		func(m *failureMode) json.RawMessage { return m.DetectWithin },
		func(m *failureMode) json.RawMessage { return m.ActAfter },
		func(m *failureMode) json.RawMessage { return m.RecoverWithin },
	} {
		mine, known := duration("", of(m), &ignored)
		other, both := duration("", of(b), &ignored)
		if known && both && mine != other {
			return false
		}
	}
	return m.Action == b.Action
}

// checkWords takes what somebody obeys.
func (m *failureMode) checkWords(path string, kind candor.KindName, wrong *faults) {
	of, known := signals[kind]
	if !known {
		return
	}
	can, known := of[m.Signal]
	if !known {
		checkWord(path+".signal", "signal of "+string(kind), m.Signal, slices.Sorted(maps.Keys(of)), wrong)
		can.actions = actions(of)
		checkWord(path+".action", "action on "+string(kind), m.Action, can.actions, wrong)
		return
	}
	checkWord(path+".failure", "failure that "+m.Signal+" tells of", m.Failure, can.failures, wrong)
	checkWord(path+".action", "action on "+m.Signal+" of "+string(kind), m.Action, can.actions, wrong)
}

// actions are those on any signal of a kind.
func actions(of map[string]tells) []string {
	var all []string
	for _, can := range of {
		all = append(all, can.actions...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// checkWord takes one of what there is; an absent word is the schema's to judge.
func checkWord(path, what, word string, known []string, wrong *faults) {
	if word == "" || slices.Contains(known, word) {
		return
	}
	wrong.addf(0, path, "%s is no %s%s; want %s", quoted(word), what, suggest(word, known), strings.Join(known, " or "))
}

func (m *failureMode) checkTimes(path string, wrong *faults) {
	detect, known := duration(path+".detectWithin", m.DetectWithin, wrong)
	act, acts := duration(path+".actAfter", m.ActAfter, wrong)
	recovery, bounded := duration(path+".recoverWithin", m.RecoverWithin, wrong)
	switch {
	case known && detect <= 0:
		wrong.addf(0, path+".detectWithin", "is %s: want a time in which silence means something", detect)
		return
	case known && m.Signal == candor.SignalHeartbeat && detect < leastSilence:
		wrong.addf(0, path+".detectWithin", "is %s: want at least %s, for a change of the leader keeps beats from counting as long", detect, leastSilence)
	}
	if !known || !acts || !bounded {
		return
	}
	switch {
	case act > 0 && m.Action == candor.ActionNone:
		wrong.addf(0, path+".actAfter", "is %s, and None is never done: leave it out", act)
		return
	case act > 0 && m.Action == candor.ActionReplace && m.Signal == candor.SignalExit:
		wrong.addf(0, path+".actAfter", "is %s, and a process that is gone and not started again is replaced at once: leave it out", act)
		return
	}
	if due := detect + act; due < detect {
		wrong.addf(0, path+".actAfter", "is %s after %s: more than fits", act, detect)
	} else if recovery < due {
		wrong.addf(0, path+".recoverWithin", "is %s, and the action is not due before %s (detectWithin and actAfter): want more", recovery, due)
	}
}

// duration reads one; an absent one is none, and known.
func duration(path string, text json.RawMessage, wrong *faults) (d time.Duration, known bool) {
	if len(text) == 0 {
		return 0, true
	}
	var told candor.Duration
	if err := json.Unmarshal(text, &told); err != nil {
		wrong.addf(0, path, "%s", said(err))
		return 0, false
	}
	return time.Duration(told), true
}
