package command_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
)

// Bytes that were encoded decode to what they were made of, and that encodes to
// the same bytes; whatever the struct held that is decoded into.
func TestACommandDecodesToWhatWasEncoded(t *testing.T) {
	var reused command.Command
	rapid.Check(t, func(t *rapid.T) {
		c := drawCommand(t)
		data := command.AppendCommand([]byte("before"), c)[len("before"):]
		var fresh command.Command
		for _, into := range []*command.Command{&fresh, &reused} {
			if err := command.DecodeCommand(data, into); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c, into, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("(-written +read):\n%s", diff)
			}
			if again := command.AppendCommand(nil, into); !bytes.Equal(again, data) {
				t.Fatalf("%x is encoded again as %x", data, again)
			}
		}
	})
}

func TestAnEntryDecodesToWhatWasEncoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := command.Entry{
			Term: rapid.Uint64().Draw(t, "term"), Time: rapid.Int64().Draw(t, "time"), Wall: rapid.Int64().Draw(t, "wall"),
			Commands: rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 200), 0, 5).Draw(t, "commands"),
		}
		data := command.AppendEntry([]byte("before"), e)[len("before"):]
		if err := command.CheckEntry(data); err != nil {
			t.Fatal(err)
		}
		got, err := command.DecodeEntry(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-written +read):\n%s", diff)
		}
	})
}

func drawCommand(t *rapid.T) *command.Command {
	return &command.Command{
		Type:  command.Type(rapid.SampledFrom([]int{1, 2, 3, 4, 5, 6, 7, 11, 12}).Draw(t, "type")),
		Actor: text(t, "actor"), RequestID: text(t, "requestID"), NotAfter: rapid.Int64().Draw(t, "notAfter"), Digest: number(t, "digest"),
		Duty: text(t, "duty"), Era: number(t, "era"),
		ReadToken: candor.Token{Term: number(t, "t"), Index: number(t, "i"), Revision: number(t, "r")},
		Reason:    text(t, "reason"), Message: text(t, "message"), Because: drawBecause(t),
		Compares: rapid.SliceOfN(rapid.Custom(drawCompare), 0, 3).Draw(t, "compares"),
		Then:     rapid.SliceOfN(rapid.Custom(drawOperation), 0, 3).Draw(t, "then"),
		Else:     rapid.SliceOfN(rapid.Custom(drawOperation), 0, 2).Draw(t, "else"),
		Term:     number(t, "term"), ServerID: text(t, "serverID"), ServerName: text(t, "serverName"), APIAddress: text(t, "address"),
		Level: rapid.Uint32().Draw(t, "level"), Revision: number(t, "revision"), CascadeID: number(t, "cascade"),
		Placements: rapid.SliceOfN(rapid.Custom(drawPlacement), 0, 3).Draw(t, "placements"),
		Beats:      rapid.SliceOfN(rapid.Custom(drawBeat), 0, 3).Draw(t, "beats"),
	}
}

func drawBecause(t *rapid.T) *candor.VersionRef {
	if rapid.Bool().Draw(t, "no because") {
		return nil
	}
	return &candor.VersionRef{Ref: drawRef(t), Revision: number(t, "because")}
}

func drawRef(t *rapid.T) candor.Ref {
	return candor.Ref{Kind: candor.KindName(text(t, "kind")), Namespace: text(t, "namespace"), Name: text(t, "name")}
}

func drawCompare(t *rapid.T) command.Compare {
	return command.Compare{
		Condition: command.Condition(rapid.IntRange(1, 5).Draw(t, "condition")), Ref: drawRef(t),
		Number: number(t, "number"), UID: text(t, "uid"),
	}
}

func drawPlacement(t *rapid.T) command.Placement {
	return command.Placement{
		Ref: drawRef(t), UID: text(t, "uid"), ResourceVersion: number(t, "resourceVersion"), Node: text(t, "node"), NodeUID: text(t, "nodeUID"),
		Nominated: text(t, "nominated"), Decision: part(t, "decision"), Reason: text(t, "reason"), Message: text(t, "message"),
	}
}

func drawBeat(t *rapid.T) command.Beat {
	return command.Beat{Node: text(t, "node"), UID: text(t, "uid"), Session: text(t, "session"), Promised: rapid.Int64().Draw(t, "promised")}
}

func drawOperation(t *rapid.T) command.Operation {
	op := command.Operation{
		Verb: command.Verb(rapid.IntRange(1, 6).Draw(t, "verb")), Kind: candor.KindName(text(t, "kind")), KindRevision: number(t, "kindRevision"),
		Namespace: text(t, "namespace"), Name: text(t, "name"), ResourceVersion: number(t, "resourceVersion"), UID: text(t, "uid"),
		Payload: part(t, "payload"), Propagation: candor.Propagation(text(t, "propagation")),
	}
	if rapid.Bool().Draw(t, "with object") {
		op.Object = drawObject(t)
	}
	return op
}

func drawObject(t *rapid.T) *candor.Object {
	o := &candor.Object{
		APIVersion: text(t, "apiVersion"), Kind: text(t, "word"), Spec: part(t, "spec"), Status: part(t, "status"), Observed: part(t, "observed"),
		Metadata: candor.Metadata{
			Name: text(t, "name"), Namespace: text(t, "namespace"), UID: text(t, "uid"), Generation: number(t, "generation"),
			ResourceVersion: number(t, "resourceVersion"), CreateRevision: number(t, "createRevision"),
			Labels:      rapid.MapOfN(rapid.String(), rapid.String(), 0, 20).Draw(t, "labels"),
			Annotations: rapid.MapOfN(rapid.String(), rapid.String(), 0, 3).Draw(t, "annotations"),
			Finalizers:  rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "finalizers"),
		},
	}
	if rapid.Bool().Draw(t, "with times") {
		o.Metadata.CreationTime = time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "sec"), rapid.Int64Range(0, 999_999_999).Draw(t, "nsec")).UTC()
		o.Metadata.DeletionTime = o.Metadata.CreationTime.Add(time.Hour)
	}
	for range rapid.IntRange(0, 2).Draw(t, "owners") {
		o.Metadata.Owners = append(o.Metadata.Owners, candor.OwnerReference{
			Kind: candor.KindName(text(t, "kind")), Name: text(t, "name"), UID: text(t, "uid"),
			Controller: rapid.Bool().Draw(t, "controller"), BlockOwnerDeletion: rapid.Bool().Draw(t, "block"),
		})
	}
	return o
}

func text(t *rapid.T, label string) string { return rapid.StringN(0, 12, 48).Draw(t, label) }

func number(t *rapid.T, label string) uint64 { return rapid.Uint64().Draw(t, label) }

func part(t *rapid.T, label string) json.RawMessage {
	return rapid.SliceOfN(rapid.Byte(), 0, 150).Draw(t, label)
}
