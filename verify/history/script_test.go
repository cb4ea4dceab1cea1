package history_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// script reads a history as the transcripts write it, one operation a line:
//
//	INVOKE..RETURN CLIENT KIND WORDS
//
// Times are in milliseconds. Of the words, k=v is an item, k=v@3 one of version
// 3, k=- an absent one and k=~v one that is going; r5 is the token 1:5/5, and
// node=n1/b2 the node and boot that answered, whose witness is labelled as a
// node that keeps the contract would, unless other words say what it claims.
func script(t *testing.T, text string) *history.History {
	t.Helper()
	var operations []history.Operation
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		operations = append(operations, operation(t, fields))
	}
	h, err := history.New(operations)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func operation(t *testing.T, fields []string) history.Operation {
	t.Helper()
	from, to, ok := strings.Cut(fields[0], "..")
	if !ok || len(fields) < 3 {
		t.Fatalf("line %q: want INVOKE..RETURN CLIENT KIND WORDS", fields)
	}
	o := history.Operation{
		Client: fields[1], Kind: history.Kind(fields[2]), Outcome: history.OutcomeOK,
		Invoke: int64(millis(t, from)), Return: int64(millis(t, to)),
	}
	for _, word := range fields[3:] {
		say(t, &o, word)
	}
	if w := o.Witness; w != nil {
		w.ServedToken = o.Token
		if o.Kind.Reads() && o.Outcome == history.OutcomeOK {
			label(&o, w)
		}
		if o.Outcome != history.OutcomeOK {
			o.Token = candor.Token{}
		}
	}
	return o
}

// label fills in what a node that keeps the contract says, where the line does
// not say otherwise.
func label(o *history.Operation, w *candor.Witness) {
	class, mechanism := candor.ServingDegraded, candor.MechanismView
	switch {
	case o.Freshness() == candor.FreshnessStrong:
		class, mechanism, w.ServedByLeader = candor.ServingAuthoritative, candor.MechanismLeaderReadIndex, true
	case w.StalenessBound != nil:
		class, mechanism = candor.ServingBoundedStale, candor.MechanismProvenView
	}
	for _, absent := range []struct {
		field *string
		value string
	}{
		{(*string)(&w.Requested), string(o.Freshness())}, {(*string)(&w.Served), string(o.Freshness())},
		{(*string)(&w.Class), string(class)}, {(*string)(&w.Mechanism), string(mechanism)},
	} {
		if *absent.field == "" {
			*absent.field = absent.value
		}
	}
}

// say applies one word.
func say(t *testing.T, o *history.Operation, word string) {
	t.Helper()
	name, value, paired := strings.Cut(word, "=")
	asked := func() *history.Asked {
		if o.Asked == nil {
			o.Asked = &history.Asked{}
		}
		return o.Asked
	}
	witness := func() *candor.Witness {
		if o.Witness == nil {
			o.Witness = &candor.Witness{NodeID: "n", BootID: "b"}
		}
		return o.Witness
	}
	switch {
	case word == "STRONG", word == "BOUNDED", word == "BEST_EFFORT":
		asked().Freshness = candor.Freshness(word)
	case word == "unchanged":
		o.Unchanged = true
	case word == "sessionless":
		o.Sessionless = true
	case word == "unknown":
		o.Outcome, o.Reason = history.OutcomeUnknown, candor.ReasonOutcomeUnknown
	case !paired:
		o.Token = token(t, word)
	default:
		switch name {
		case "failed":
			o.Outcome, o.Reason, o.Message = history.OutcomeFailed, candor.Reason(value), "as scripted"
		case "within":
			asked().MaxStaleness = new(millis(t, value))
		case "lagging":
			asked().MaxLag = new(number(t, value))
		case "requires":
			asked().Required = token(t, value)
		case "at":
			o.At = number(t, value)
		case "scope":
			o.Scope = value
		case "node":
			node, boot, _ := strings.Cut(value, "/")
			witness().NodeID, o.Witness.BootID = node, boot
		case "history":
			witness().ClusterID, o.Witness.HistoryID = "c", value
		case "bound":
			witness().StalenessBound = new(millis(t, value))
		case "lag":
			witness().RootLag = new(number(t, value))
		case "current":
			witness().CurrentToken = new(token(t, value))
		case "requested":
			witness().Requested = candor.Freshness(value)
		case "served":
			witness().Served = candor.Freshness(value)
		case "class":
			witness().Class = candor.ServingClass(value)
		case "by":
			witness().Mechanism = candor.Mechanism(value)
		default:
			o.Items = append(o.Items, item(t, name, value))
		}
	}
}

func item(t *testing.T, key, value string) history.Item {
	t.Helper()
	i := history.Item{Key: key}
	value, version, versioned := strings.Cut(value, "@")
	if versioned {
		i.Version = number(t, version)
	}
	i.Value, i.Going = strings.CutPrefix(value, "~")
	if value == "-" {
		i.Value, i.Absent = "", true
	}
	return i
}

func token(t *testing.T, word string) candor.Token {
	t.Helper()
	if short, ok := strings.CutPrefix(word, "r"); ok {
		word = "1:" + short + "/" + short
	}
	parsed, err := candor.ParseToken(word)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func number(t *testing.T, word string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(word, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func millis(t *testing.T, word string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(word + "ms")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// checkers by the names that the transcripts use.
func checkers(t *testing.T, names []string) []history.Checker {
	t.Helper()
	known := map[string]history.Checker{
		"replay": history.Replay{}, "turns": history.Turns{}, "order": history.RealTime{}, "registers": history.Registers{},
		"asked": history.AskedBound{}, "claimed": history.ClaimedBound{}, "contract": history.Contract{}, "node": history.NodeForward{},
	}
	for _, g := range history.Guarantees {
		known[strings.ReplaceAll(string(g), " ", "-")] = history.Session{Guarantee: g}
	}
	var out []history.Checker
	for _, name := range names {
		c, ok := known[name]
		if !ok {
			t.Fatalf("no checker is called %s", name)
		}
		out = append(out, c)
	}
	return out
}
