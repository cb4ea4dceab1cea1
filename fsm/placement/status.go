package placement

import (
	"strconv"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/literal"
)

// rfc3339 is how objects write an instant, with as many digits as it takes.
const rfc3339 = "2006-01-02T15:04:05.999999999Z07:00"

// Outcome is what a turn made of one proposal.
type Outcome struct {
	// Node and NodeUID are the instance's place from now on; empty for none.
	Node, NodeUID string
	Nominated     string
	// Verdict and Refusal take the place of what the decision says.
	Verdict  candor.Verdict
	Refusal  candor.Reason
	Decision []byte
	// Generation is the one that was decided about; 0 leaves it as it is.
	Generation uint64
	// Reason and Message are of the condition Scheduled, Time is cluster time.
	Reason, Message string
	Time            int64
}

// AppendStatus appends the status of an instance after the outcome: what the outcome
// says, the other conditions as they were, and every other member of the status
// before.
func AppendStatus(b, before []byte, o *Outcome) []byte {
	start := len(b)
	member := func(name string) {
		if len(b) > start {
			b = append(b, ',')
		} else {
			b = append(b, '{')
		}
		b = append(b, '"')
		b = append(b, name...)
		b = append(b, '"', ':')
	}
	text := func(name, value string) {
		if value != "" {
			member(name)
			b = literal.AppendText(b, value)
		}
	}
	phase := candor.InstancePending
	if o.Node != "" {
		phase = candor.InstancePlaced
	}
	generation := o.Generation
	if generation == 0 {
		generation, _ = strconv.ParseUint(string(literal.Member(before, "observedGeneration")), 10, 64)
	}
	if generation != 0 {
		member("observedGeneration")
		b = strconv.AppendUint(b, generation, 10)
	}
	text("phase", string(phase))
	text("node", o.Node)
	text("nodeUID", o.NodeUID)
	text("nominated", o.Nominated)
	member("decision")
	b = appendDecision(b, o)
	member("conditions")
	b = appendConditions(b, literal.Member(before, "conditions"), o, generation)
	literal.Members(before, func(name, value []byte) bool {
		switch string(name) {
		case "observedGeneration", "phase", "node", "nodeUID", "nominated", "decision", "conditions":
		default:
			member(string(name))
			b = append(b, value...)
		}
		return true
	})
	return append(b, '}')
}

// Decided is nil for a decision that may be stored: one JSON object, compact, of
// names without an escape.
func Decided(decision []byte) *candor.Error {
	if len(decision) > maxDecision {
		return candor.Errorf(candor.ReasonInvalid, "the decision has %d bytes; at most %d are stored", len(decision), maxDecision)
	}
	if !literal.Valid(decision) || !literal.Plain(decision) {
		return candor.Errorf(candor.ReasonInvalid, "the decision is no compact JSON object")
	}
	return nil
}

// maxDecision bounds a decision, so that a full batch fits a turn.
const maxDecision = 8 << 10

// appendDecision appends the decision with the verdict and the refusal that the turn
// gave it.
func appendDecision(b []byte, o *Outcome) []byte {
	b = append(b, '{')
	literal.Members(o.Decision, func(name, value []byte) bool {
		switch string(name) {
		case "verdict", "refusal":
		default:
			b = append(b, '"')
			b = append(b, name...)
			b = append(b, '"', ':')
			b = append(b, value...)
			b = append(b, ',')
		}
		return true
	})
	b = append(b, `"verdict":`...)
	b = literal.AppendText(b, string(o.Verdict))
	if o.Refusal != "" {
		b = append(b, `,"refusal":`...)
		b = literal.AppendText(b, string(o.Refusal))
	}
	return append(b, '}')
}

// appendConditions appends the conditions with Scheduled as the outcome has it, in
// its old place or at the end.
func appendConditions(b, before []byte, o *Outcome, generation uint64) []byte {
	elements, _ := literal.Elements(before)
	b = append(b, '[')
	set := false
	for i, e := range elements {
		if i > 0 {
			b = append(b, ',')
		}
		if kind, _ := literal.Text(literal.Member(e, "type")); kind != candor.ConditionScheduled || set {
			b = append(b, e...)
			continue
		}
		set = true
		b = appendScheduled(b, e, o, generation)
	}
	if !set {
		if len(elements) > 0 {
			b = append(b, ',')
		}
		b = appendScheduled(b, nil, o, generation)
	}
	return append(b, ']')
}

func appendScheduled(b, before []byte, o *Outcome, generation uint64) []byte {
	is := candor.ConditionFalse
	if o.Node != "" {
		is = candor.ConditionTrue
	}
	b = append(b, `{"type":"Scheduled","status":`...)
	b = literal.AppendText(b, string(is))
	b = append(b, `,"reason":`...)
	b = literal.AppendText(b, o.Reason)
	if o.Message != "" {
		b = append(b, `,"message":`...)
		b = literal.AppendText(b, o.Message)
	}
	if generation != 0 {
		b = append(b, `,"observedGeneration":`...)
		b = strconv.AppendUint(b, generation, 10)
	}
	since := literal.Member(before, "lastTransitionTime")
	if was, _ := literal.Text(literal.Member(before, "status")); was == string(is) && since != nil {
		b = append(b, `,"lastTransitionTime":`...)
		return append(append(b, since...), '}')
	}
	b = append(b, `,"lastTransitionTime":"`...)
	b = time.Unix(0, o.Time).UTC().AppendFormat(b, rfc3339)
	return append(b, '"', '}')
}
