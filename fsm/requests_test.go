package fsm

import (
	"fmt"
	"testing"

	"github.com/candor-plane/candor"
)

func request(actor string, i int, second int64) *Remembered {
	return &Remembered{
		Actor: actor, RequestID: fmt.Sprintf("request-%d", i), Digest: uint64(i), NotAfter: second*bucketWidth + int64(i),
		Token: candor.Token{Term: 3, Index: uint64(i), Revision: uint64(2 * i)}, Changed: i%2 == 0, Succeeded: i%3 == 0,
	}
}

func listed(h heldRequests) (out []Remembered) {
	_ = h.each(func(r *Remembered) error {
		out = append(out, *r)
		return nil
	})
	return out
}

func TestEveryRecordOfABucketHasItsOwnPlace(t *testing.T) {
	seen := map[[2]int]bool{}
	for i := range uint32(smallRecords + 3*largeChunk) {
		chunk, at := locate(i)
		if seen[[2]int{chunk, at}] || at >= min(firstChunk<<min(chunk, 20), largeChunk) {
			t.Fatalf("record %d is at %d of chunk %d", i, at, chunk)
		}
		seen[[2]int{chunk, at}] = true
	}
}

// A capture holds what the table held, in order, whatever the table does next;
// forgetting leaves nothing behind, actors' names and digest included.
func TestACaptureOutlivesWhatItCaptured(t *testing.T) {
	table := newRequestTable()
	empty := table.sum
	var want []Remembered
	for i := range 3000 {
		r := request(fmt.Sprintf("actor-%d", i%7), i, 10)
		table.put(r)
		want = append(want, *r)
	}
	held := table.capture()
	for i := 3000; i < 4000; i++ {
		table.put(request("late", i, 10))
		table.put(request("later", i, 12))
	}
	table.expire(11*bucketWidth, 2500)
	if table.len() != 5000-2500 {
		t.Errorf("%d records are left, want 2500", table.len())
	}
	if _, ok := table.find("actor-0", "request-0"); ok {
		t.Error("a forgotten request is found")
	}
	got := listed(held)
	if len(got) != len(want) {
		t.Fatalf("captured %d records, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("captured %+v, want %+v", got[i], want[i])
		}
	}
	table.expire(20*bucketWidth, 1<<20)
	if table.len() != 0 || table.sum != empty || len(table.actors.numbers) != 0 || table.buckets.Len() != 0 {
		t.Errorf("after all expired: %d records, %d actors, %d buckets, sum %v", table.len(), len(table.actors.numbers), table.buckets.Len(), table.sum)
	}
}

// Two requests whose hashes are equal are told apart.
func TestRequestsOfOneHashAreToldApart(t *testing.T) {
	table := newRequestTable()
	first, second := request("a", 1, 5), request("b", 2, 5)
	table.put(first)
	table.index[hashRequest(second.Actor, second.RequestID)] = table.index[hashRequest(first.Actor, first.RequestID)]
	if _, ok := table.find(second.Actor, second.RequestID); ok {
		t.Error("another request's outcome was found")
	}
	table.put(second)
	for _, want := range []*Remembered{first, second} {
		r, ok := table.find(want.Actor, want.RequestID)
		if !ok || r.remembered(want.Actor) != *want {
			t.Errorf("found %+v, want %+v", r, want)
		}
	}
	table.expire(6*bucketWidth, 10)
	if len(table.clashes) != 0 {
		t.Errorf("clashes are left: %v", table.clashes)
	}
}
