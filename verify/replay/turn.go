package replay

import (
	"fmt"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/mvcc"
)

// Turn is what one command did, or one configuration.
type Turn struct {
	Index   uint64 `json:"index"`
	Term    uint64 `json:"term"`
	Ordinal int    `json:"ordinal"`
	// Wall is the clock of the leader that wrote the entry, for people.
	Wall time.Time `json:"wall,omitzero"`
	CommandSummary
	// Reason is empty for a command that was accepted.
	Reason  candor.Reason `json:"reason,omitempty"`
	Message string        `json:"message,omitempty"`
	Subject string        `json:"subject,omitempty"`
	// Remembered: the outcome is that of an earlier turn of the same request.
	Remembered bool `json:"remembered,omitempty"`
	// Token is the root's position after the turn.
	Token candor.Token `json:"token"`
	// Versions are those that the turn made, Items what became of the parts of a command
	// that judges each by itself, Blocked the faults and violations.
	Versions []Version `json:"versions,omitempty"`
	Items    []string  `json:"items,omitempty"`
	Blocked  []string  `json:"blocked,omitempty"`
	// Digest is of the state after the whole entry.
	Digest Digest `json:"digest"`
}

// Version is a version of an object that a turn made.
type Version struct {
	Object   candor.Ref `json:"object"`
	Revision uint64     `json:"revision"`
	Deleted  bool       `json:"deleted,omitempty"`
	Created  bool       `json:"created,omitempty"`
	// Changes are against the version before.
	Changes []candor.FieldChange `json:"changes,omitempty"`
}

// Result is in a word what became of the turn.
func (t *Turn) Result() string {
	switch {
	case t.Reason != "":
		return string(t.Reason)
	case t.Remembered:
		return "REMEMBERED"
	case len(t.Versions) > 0:
		return "CHANGED"
	default:
		return "ACCEPTED"
	}
}

// turnsOf are the turns of an entry that was just applied.
func turnsOf(e *Entry, result fsm.EntryResult, view *fsm.View) []Turn {
	summary := Summarize(e)
	if e.Type != Command {
		what := CommandSummary{Command: e.Type, Actor: candor.ActorSystem}
		for _, m := range e.Members {
			what.Asks = append(what.Asks, m.String())
		}
		return []Turn{{Index: e.Index, Term: e.Term, CommandSummary: what, Token: view.Token(), Digest: Digest(view.Digest())}}
	}
	var out []Turn
	for i := range result.Results {
		r := &result.Results[i]
		t := Turn{
			Index: e.Index, Term: e.Term, Ordinal: i, Wall: summary.Wall, CommandSummary: summary.Commands[i],
			Reason: r.Reason, Message: r.Message, Subject: r.Subject, Remembered: r.Replayed, Token: r.Token, Digest: Digest(view.Digest()),
		}
		if r.Changed && !r.Replayed {
			t.Versions = versionsOf(view, r.Token.Revision)
		}
		for n := range r.Items {
			if item := &r.Items[n]; item.Reason != "" {
				t.Items = append(t.Items, fmt.Sprintf("item %d: %s: %s", n, item.Reason, item.Message))
			}
		}
		for _, b := range view.Records() {
			if b.Index == e.Index && int(b.Ordinal) == i {
				t.Blocked = append(t.Blocked, blockedText(&b))
			}
		}
		out = append(out, t)
	}
	return out
}

func blockedText(r *fsm.Record) string {
	out := string(r.Reason)
	if r.Invariant != "" {
		out += " " + r.Invariant
	}
	return out + ": " + r.Subject + ": " + r.Detail
}

func versionsOf(view *fsm.View, revision uint64) []Version {
	var out []Version
	for v := view.Turn(revision); v != nil; v = v.Sibling() {
		before := view.Before(v)
		out = append(out, Version{
			Object: refOf(view, v), Revision: v.Revision, Deleted: v.Deleted, Created: before == nil && !v.Deleted,
			Changes: candor.FieldChanges(decoded(before), decoded(v)),
		})
		if n := len(out) - 1; out[n].Deleted || out[n].Created {
			out[n].Changes = nil
		}
	}
	return out
}

func refOf(view *fsm.View, v *mvcc.Version) candor.Ref {
	namespace, name := candor.SplitKey(v.Key)
	return candor.Ref{Kind: view.KindName(v.Kind), Namespace: namespace, Name: name}
}

// decoded is the object of a version; nil for none, and for one that does not decode.
func decoded(v *mvcc.Version) *candor.Object {
	if v == nil {
		return nil
	}
	o, err := v.Object()
	if err != nil {
		return nil
	}
	return o
}
