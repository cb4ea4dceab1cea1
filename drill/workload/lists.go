package workload

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// lists are entries that hold a list to which clients append, on the condition of what
// they read. The value of an entry is its whole list, so that each answer tells which
// appends it has, in which order; what an append was made on the condition of is
// recorded with it, so that none can be lost.
type lists struct{}

func (*lists) Name() string { return Lists }

const (
	listClients = 3
	listKeys    = 3
	listPause   = 50 * time.Millisecond
	// fullAt bounds a list: one that is full is left alone, and the next of its key
	// begun, so that the record stays small.
	fullAt = 24
)

func (*lists) Prepare(ctx context.Context, e *Env) error {
	return e.prepare(ctx, Lists, func(*hand) (out []*candor.Object) {
		for key := range e.keys(listKeys) {
			out = append(out, listed(listName(key, 0), nil))
		}
		return out
	}, elements)
}

func (*lists) Run(ctx context.Context, e *Env) error {
	c := crew{env: e, value: elements}
	hands, err := c.several(Lists, e.clients(listClients))
	if err != nil {
		return err
	}
	keys, pause := e.keys(listKeys), e.pause(listPause)
	for _, h := range hands {
		a := &appender{hand: h, newest: make([]int, keys)}
		c.repeats(ctx, h, pause, func(ctx context.Context, _ *hand) { a.turn(ctx, h.random.IntN(keys)) })
	}
	return c.done()
}

func (*lists) Finish(ctx context.Context, e *Env) error { return e.finish(ctx, Lists, elements, nil) }

func listName(key, generation int) string { return fmt.Sprintf("list-%d-%d", key, generation) }

type list struct {
	Elements []string `json:"elements"`
}

// listed is an entry with a list.
func listed(name string, l []string) *candor.Object {
	o := entry(NamespaceOf(Lists), name, "")
	o.Metadata.Labels = nil
	o.Spec = fmt.Appendf(nil, `{"elements":[%s]}`, quoted(l))
	return o
}

func quoted(l []string) string {
	if len(l) == 0 {
		return ""
	}
	return `"` + strings.Join(l, `","`) + `"`
}

// elements is the whole list as one value.
func elements(o *candor.Object) string {
	l, err := elementsOf(o)
	if err != nil {
		return "no list: " + err.Error()
	}
	return "[" + strings.Join(l, " ") + "]"
}

func elementsOf(o *candor.Object) ([]string, error) {
	var l list
	err := json.Unmarshal(o.Spec, &l)
	return l.Elements, err
}

// appender is a client, and which list of each key is not full as far as it knows.
type appender struct {
	*hand
	newest []int
}

func (a *appender) turn(ctx context.Context, key int) {
	ref := entryRef(NamespaceOf(Lists), listName(key, a.newest[key]))
	o, err := a.get(ctx, ref, history.Ask{}, a.strongly()...)
	if err != nil || a.chance(40) {
		return
	}
	l, err := elementsOf(o)
	if err != nil {
		return // the record has it, and no write that made it
	}
	a.ponder(ctx)
	ctx, cancel := writing(ctx)
	defer cancel()
	if len(l) < fullAt {
		// The value is used once: whether an append that was not answered is there, no
		// other must hide.
		_, _ = a.swap(ctx, o, listed(ref.Name, append(l, a.fresh())))
		return
	}
	a.newest[key]++
	_, _ = a.caller.Create(ctx, Kind, listed(listName(key, a.newest[key]), []string{a.fresh()}))
}
