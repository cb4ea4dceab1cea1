package replica

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/candor-plane/candor"
)

const (
	// judgedKept bounds the refusals that are remembered one by one, and apart
	// from them the requests that were admitted.
	judgedKept = 16
	// judgedPause is how long after an admitted request of a class the next one
	// is not remembered: a busy server has no use for every one of them.
	judgedPause = 10 * time.Millisecond
)

// Judged is one request whose admission was judged.
type Judged struct {
	At     time.Time
	Class  candor.AdmissionClass
	Method string
	Reason candor.Reason
	Actor  string
}

// judgements remembers the newest requests. The zero value remembers none.
type judgements struct {
	epoch sync.Once
	began time.Time
	// next is when, after began, the next admitted request of a class is
	// remembered.
	next [len(admissionClasses)]atomic.Int64

	mu                sync.Mutex
	refused, admitted newest
}

// newest are the last requests of one sort; next is the place of the one to come.
type newest struct {
	kept [judgedKept]Judged
	next int
}

func (n *newest) add(j Judged) {
	n.kept[n.next] = j
	n.next = (n.next + 1) % judgedKept
}

// wanted says whether to remember a request.
func (j *judgements) wanted(class, reason int) bool {
	if reason != 0 {
		return true
	}
	j.epoch.Do(func() { j.began = time.Now() })
	now, due := int64(time.Since(j.began)), j.next[class].Load()
	return now >= due && j.next[class].CompareAndSwap(due, now+int64(judgedPause))
}

func (j *judgements) remember(class, reason int, method, actor string) {
	one := Judged{
		At: time.Now(), Class: admissionClasses[class], Method: method, Reason: admissionReasons[reason],
		Actor: shortened(actor),
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if reason == 0 {
		j.admitted.add(one)
		return
	}
	j.refused.add(one)
}

// shortened is an actor as it can be shown: a request may be refused for its
// actor's name.
func shortened(actor string) string {
	return strings.ToValidUTF8(actor[:min(len(actor), candor.MaxActorBytes)], "?")
}

// newestFirst lists what is remembered.
func (j *judgements) newestFirst() []Judged {
	j.mu.Lock()
	all := slices.Concat(j.refused.kept[:], j.admitted.kept[:])
	j.mu.Unlock()
	all = slices.DeleteFunc(all, func(one Judged) bool { return one.Class == "" })
	slices.SortStableFunc(all, func(a, b Judged) int { return b.At.Compare(a.At) })
	return all
}
