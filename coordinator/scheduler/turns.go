package scheduler

import (
	"cmp"
	"container/heap"

	"github.com/candor-plane/candor"
)

// urgency is what decides whose turn it is, apart from the key.
type urgency struct {
	priority int32
	created  uint64
}

func urgencyOf(i *instance) urgency { return urgency{priority: i.class.priority, created: i.created} }

// turnOf is one instance's turn, by the urgency that it had when it became active.
type turnOf struct {
	urgency
	ref candor.Ref
	key string // of ref
}

// turns are a heap in the order of byUrgency.
type turns []turnOf

func (t *turns) push(x turnOf) { heap.Push(t, x) }

func (t *turns) pop() turnOf { return heap.Pop(t).(turnOf) } //nolint:forcetypeassert // push alone adds

func (t turns) Len() int { return len(t) }

func (t turns) Less(i, j int) bool {
	a, b := &t[i], &t[j]
	if order := cmp.Or(cmp.Compare(b.priority, a.priority), cmp.Compare(a.created, b.created)); order != 0 {
		return order < 0
	}
	return a.key < b.key
}

func (t turns) Swap(i, j int) { t[i], t[j] = t[j], t[i] }

// Push appends for package heap.
func (t *turns) Push(x any) { *t = append(*t, x.(turnOf)) } //nolint:forcetypeassert // push alone adds

// Pop takes the last for package heap.
func (t *turns) Pop() any {
	last := len(*t) - 1
	x := (*t)[last]
	(*t)[last] = turnOf{}
	*t = (*t)[:last]
	return x
}
