package evidence_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/determinism"
	"github.com/candor-plane/candor/verify/durability"
	"github.com/candor-plane/candor/verify/evidence"
	"github.com/candor-plane/candor/verify/history"
	"github.com/candor-plane/candor/verify/watches"
)

const (
	manyOperations = 1_000_000
	manyKeys       = 1000
	manyClients    = 20
	manyWatches    = 5
)

// large is a right recording of a million operations by clients that overlap, a third of
// them writes, with watches of all of these and what the cluster keeps in the end.
var large = sync.OnceValue(func() *evidence.Evidence {
	random := rand.New(rand.NewPCG(1, 5))
	keys := make([]string, manyKeys)
	for i := range keys {
		keys[i] = fmt.Sprintf("entries.test/n/k%04d", i)
	}
	e := &evidence.Evidence{Source: "a benchmark"}
	streams := make([]watches.Stream, manyWatches)
	for i := range streams {
		streams[i].Start = watches.Start{Stream: fmt.Sprint("w", i), Kind: "entries.test", After: 1, Stamp: history.Stamp{At: 1, Seq: 1}}
	}
	versions := make([]history.Versions, manyKeys)
	state := make([]history.Item, manyKeys)
	revision, clock := uint64(1), int64(1)
	operations := make([]history.Operation, 0, manyOperations)
	for i := range manyOperations {
		client := i % manyClients
		k := random.IntN(manyKeys)
		clock += 1000
		o := history.Operation{
			Client: fmt.Sprint("c", client), Kind: history.KindGet, Outcome: history.OutcomeOK,
			// Each overlaps with those of the other clients.
			Invoke: clock - 900*int64(random.IntN(manyClients)), Return: clock,
		}
		o.Invoke = max(0, o.Invoke)
		if random.IntN(3) == 0 || state[k].Version == 0 {
			revision++
			is := history.Item{Key: keys[k], Value: fmt.Sprint("v", i)}
			o.Kind, o.Items = history.KindPut, []history.Item{is}
			is.Version = revision
			versions[k].Versions = append(versions[k].Versions, history.Version{Revision: revision, Value: is.Value})
			kind := candor.EventModified
			if state[k].Version == 0 {
				kind = candor.EventAdded
			}
			for j := range streams {
				streams[j].Batches = append(streams[j].Batches, watches.Batch{
					Stream: streams[j].Stream, Revision: revision, Stamp: history.Stamp{At: clock},
					Events: []watches.Event{{Type: kind, Revision: revision, Key: keys[k], Value: is.Value, Version: revision}},
				})
			}
			state[k] = is
		} else {
			o.Items = []history.Item{state[k]}
		}
		o.Token = candor.Token{Term: 1, Index: revision + 10, Revision: revision}
		if o.Kind == history.KindGet {
			o.Witness = &candor.Witness{NodeID: "n1", BootID: "b1", ServedToken: o.Token, Requested: candor.FreshnessStrong, Served: candor.FreshnessStrong,
				Class: candor.ServingAuthoritative, Mechanism: candor.MechanismLeaderReadIndex, ServedByLeader: true}
		}
		operations = append(operations, o)
	}
	h, err := history.New(operations)
	if err != nil {
		panic(err)
	}
	e.History, e.Watches = h, streams
	e.Finals = []durability.Final{{Scope: "entries.test/", Revision: revision, Items: state}}
	for k := range versions {
		versions[k].Key, versions[k].Revision = keys[k], revision
	}
	e.Versions = versions
	for index := range uint64(10_000) {
		for _, node := range []string{"n1", "n2", "n3"} {
			e.Digests = append(e.Digests, determinism.Digest{Node: node, Boot: "b1", Index: index + 1, Digest: fmt.Sprintf("%016x", index)})
		}
	}
	return e
})

// BenchmarkCheckAMillionOperations is held to 60 s by the project.
func BenchmarkCheckAMillionOperations(b *testing.B) {
	e := large()
	for b.Loop() {
		if s := evidence.Check(e, evidence.Demands{}); s.Verdict() != history.Pass {
			b.Fatal(s)
		}
	}
	b.Log(evidence.Check(e, evidence.Demands{}))
}

func BenchmarkReadAMillionOperations(b *testing.B) {
	var file bytes.Buffer
	if err := evidence.Write(&file, large()); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(file.Len()))
	for b.Loop() {
		if _, err := evidence.Read(bytes.NewReader(file.Bytes())); err != nil {
			b.Fatal(err)
		}
	}
}
