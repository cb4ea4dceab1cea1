package workload

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/verify/history"
)

// holders are clients that hold duties of their own, control/drill-N: several campaign
// for each, renew, reserve, write under the fence, end the handovers of eras before,
// hand over and release. They also stand still for longer than an era lasts and go on as
// if nothing had happened, and write once more under an era that is over: what the root
// takes of that is recorded, and must be nothing.
type holders struct{}

func (*holders) Name() string { return Holders }

const (
	holderClients = 6
	holderDuties  = 2
	holderPause   = 40 * time.Millisecond
	// holderLasts is how long an era lasts without renewal.
	holderLasts = 800 * time.Millisecond
	// reserves is by how much a holder raises what it may use, at most.
	reserves = 100
)

func (*holders) Prepare(ctx context.Context, e *Env) error {
	return e.prepare(ctx, Holders, func(h *hand) []*candor.Object { return firsts(h, Holders, e.keys(holderDuties)) }, nil)
}

func (*holders) Run(ctx context.Context, e *Env) error {
	c := crew{env: e}
	duties, pause := e.keys(holderDuties), e.pause(holderPause)
	var all []*holder
	for i := range e.clients(holderClients) {
		h, err := c.joinAs(fmt.Sprintf("%s-%d", Holders, i+1))
		if err != nil {
			return firstOf(err, c.done())
		}
		duty := i % duties
		all = append(all, &holder{hand: h, control: h.client.Control(groupName(duty)), key: keyName(duty)})
	}
	for _, h := range all {
		h.rivals = slices.DeleteFunc(slices.Clone(all), func(o *holder) bool { return o == h || o.key != h.key })
		c.repeats(ctx, h.hand, pause, func(context.Context, *hand) { h.turn(ctx) })
	}
	return c.done()
}

// Finish records the entries, and the lineages of the duties.
func (*holders) Finish(ctx context.Context, e *Env) error {
	if err := e.finish(ctx, Holders, nil, named(e.keys(holderDuties))); err != nil {
		return err
	}
	var duties []string
	for duty := range e.keys(holderDuties) {
		duties = append(duties, "control/"+groupName(duty))
	}
	return candor.Wrap("finish "+Holders, e.lineages(ctx, duties))
}

func groupName(duty int) string { return fmt.Sprintf("drill-%d", duty+1) }

// holder is one client that may hold a duty, which is about one entry.
type holder struct {
	*hand
	control *client.Control
	key     string
	rivals  []*holder
	// holds is the duty's tenure as it was told last, under an era of this client; nil
	// where it holds none. over is the newest of its eras that ended.
	holds *client.Tenure
	over  uint64
	// self is who it is to the root, once it has held the duty.
	self string
	// used is what it says of its era when that ends, between its start and its bound.
	used client.Frontiers
}

// turn is one step. ctx is that of the run: whoever stands still does so no longer.
func (h *holder) turn(ctx context.Context) {
	if h.holds == nil {
		if h.over != 0 && h.chance(20) {
			h.write(h.over)
			return
		}
		h.campaign()
		return
	}
	era := h.holds.Current.Number
	switch n := h.random.IntN(100); {
	case n < 50:
		h.write(era)
	case n < 70:
		h.step(func(ctx context.Context) (*client.Tenure, error) { return h.control.Renew(ctx, era) })
	case n < 85:
		h.handOn()
	case n < 90:
		h.reserve(era)
	case n < 93:
		rest(ctx, h.random, 3*holderLasts/2)
		h.write(era)
	case n < 95:
		h.step(func(ctx context.Context) (*client.Tenure, error) { return h.control.Release(ctx, era, h.used) })
	default:
		h.step(func(ctx context.Context) (*client.Tenure, error) {
			return h.control.Seal(ctx, era, h.used, h.successor())
		})
	}
}

// successor is a rival or, one time in three, nobody.
func (h *holder) successor() string {
	if len(h.rivals) == 0 || h.chance(33) {
		return ""
	}
	return string(candor.PartyClient) + "/" + h.rivals[h.random.IntN(len(h.rivals))].name
}

func (h *holder) campaign() {
	ctx, cancel := writing(context.Background())
	defer cancel()
	ask := client.Candidate{Candidacy: fmt.Sprintf("%016x", h.random.Uint64()), Duration: holderLasts}
	known, err := h.client.Tenures(ctx)
	if err != nil {
		return
	}
	for i := range known.Tenures {
		if t := &known.Tenures[i]; t.Duty == h.control.Duty() && t.Current != nil {
			ask.Expect, ask.Cite = t.Current.Number, t.Current.Seal
			if t.Current.Usage != nil {
				ask.Start = *t.Current.Usage
			}
		}
	}
	// One that was granted late may be over by the time of the answer.
	if won, err := h.control.Campaign(ctx, ask); err == nil && won.Current.Active() && won.Current.Candidacy == ask.Candidacy {
		h.holds, h.self, h.used = won, won.Current.Holder, won.Current.Start
	}
}

// step puts one event through the root. One that says that the era is over ends it here;
// after an answer that is missing it goes on, as one that does not know would.
func (h *holder) step(event func(ctx context.Context) (*client.Tenure, error)) {
	ctx, cancel := writing(context.Background())
	defer cancel()
	after, err := event(ctx)
	era := h.holds.Current.Number
	switch {
	case err == nil && after.Current.Number == era && after.Current.Active():
		h.holds = after
	case err == nil, candor.ReasonOf(err) == candor.ReasonEraStale:
		h.holds, h.over = nil, era
	default: // refused or unknown: a later step shows
	}
}

// handOn ends the handover of the oldest era before, a step further.
func (h *holder) handOn() {
	if len(h.holds.Unfinished) == 0 {
		return
	}
	era, oldest := h.holds.Current.Number, &h.holds.Unfinished[0]
	h.step(func(ctx context.Context) (*client.Tenure, error) {
		if oldest.State == "CONFIRMED" {
			return h.control.Close(ctx, era, oldest.Number)
		}
		return h.control.Confirm(ctx, era, oldest.Number, oldest.Seal)
	})
}

// reserve raises what the era may use, and uses a part of it.
func (h *holder) reserve(era uint64) {
	bound := h.holds.Current.Bound
	bound.ID += uint64(1 + h.random.IntN(reserves))
	h.step(func(ctx context.Context) (*client.Tenure, error) { return h.control.Reserve(ctx, era, bound) })
	if h.holds != nil && h.holds.Current.Bound.ID >= bound.ID {
		h.used.ID += uint64(h.random.IntN(int(bound.ID-h.used.ID) + 1))
	}
}

// write writes the duty's entry under an era, and records what the root took.
func (h *holder) write(era uint64) {
	ctx, cancel := writing(context.Background())
	defer cancel()
	ref := entryRef(NamespaceOf(Holders), h.key)
	from := h.env.Recorder.Stamp()
	result, err := h.caller.Update(ctx, Kind, entry(ref.Namespace, ref.Name, h.fresh()), client.WithTenure(h.control.Duty(), era))
	switch {
	case err == nil:
		h.env.Recorder.Acted(h.self, h.control.Duty(), era, result.Token.Revision, history.Key(ref), from)
	case candor.ReasonOf(err) == candor.ReasonEraStale && h.holds != nil && h.holds.Current.Number == era:
		h.holds, h.over = nil, era
	default: // refused for another reason, or unknown
	}
}
