package limit_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/limit"
)

// bench is a limiter with a model of what it owes to whom.
type bench struct {
	limiter                 *limit.Limiter
	settings                limit.Settings
	holding, waiting        []*asked
	places, reserved, share int
	asked                   int
}

// asked is one request of the model.
type asked struct {
	number int
	who    string
	peer   bool
	cancel context.CancelFunc
	place  limit.Place
	err    error
	done   atomic.Bool
}

var parties = []string{"ana", "ben", "cleo", "dan", "server/1", "server/2"}

func TestWhateverHappensNobodyWaitsForAPlaceThatIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The struct hides Deadline, which no bubble has.
		rapid.Check(struct{ testing.TB }{t}, func(r *rapid.T) {
			b := &bench{settings: limit.Defaults()}
			b.draw(r)
			l, err := limit.New(b.settings)
			if err != nil {
				r.Fatal(err)
			}
			b.limiter = l
			defer b.end(r)
			r.Repeat(map[string]func(*rapid.T){
				"":      b.check,
				"ask":   b.ask,
				"leave": b.leave,
				"end":   b.cancel,
				"set": func(r *rapid.T) {
					b.draw(r)
					if err := b.limiter.Set(b.settings); err != nil {
						r.Fatal(err)
					}
					b.settle()
				},
			})
		})
	})
}

func (b *bench) draw(r *rapid.T) {
	c := &b.settings.Topology
	c.Places = rapid.IntRange(1, 6).Draw(r, "places")
	c.Reserved = rapid.IntRange(0, c.Places-1).Draw(r, "reserved")
	c.Share = rapid.IntRange(1, 6).Draw(r, "share")
	c.Wait = 1000 * time.Hour
	b.places, b.reserved, b.share = c.Places, c.Reserved, c.Share
}

func (b *bench) ask(r *rapid.T) {
	who := rapid.SampledFrom(parties).Draw(r, "who")
	ctx, cancel := context.WithCancel(context.Background())
	b.asked++
	a := &asked{number: b.asked, who: who, peer: who[:3] == "ser", cancel: cancel}
	b.waiting = append(b.waiting, a)
	go func() {
		a.place, a.err = b.limiter.Enter(ctx, limit.Actor(who), candor.AdmitTopology)
		a.done.Store(true)
	}()
	b.settle()
}

func (b *bench) leave(r *rapid.T) {
	if len(b.holding) == 0 {
		r.Skip("nobody is in")
	}
	i := rapid.IntRange(0, len(b.holding)-1).Draw(r, "holder")
	a := b.holding[i]
	b.holding = append(b.holding[:i:i], b.holding[i+1:]...)
	a.cancel()
	a.place.Done()
	b.settle()
}

func (b *bench) cancel(r *rapid.T) {
	if len(b.waiting) == 0 {
		r.Skip("nobody waits")
	}
	a := b.waiting[rapid.IntRange(0, len(b.waiting)-1).Draw(r, "waiter")]
	a.cancel()
	b.settle()
	if !a.done.Load() || a.err == nil {
		r.Fatalf("%s ended while it waited: done %t, %v", a.who, a.done.Load(), a.err)
	}
}

// settle lets everything happen that can, and sorts the requests by it.
func (b *bench) settle() {
	synctest.Wait()
	var still []*asked
	for _, a := range b.waiting {
		switch {
		case !a.done.Load():
			still = append(still, a)
		case a.err == nil:
			b.holding = append(b.holding, a)
		}
	}
	b.waiting = still
}

func (b *bench) check(r *rapid.T) {
	clients, peers, of := 0, 0, map[string]int{}
	for _, a := range b.holding {
		of[a.who]++
		if a.peer {
			peers++
		} else {
			clients++
		}
	}
	s := topology(b.limiter)
	if s.InUse != clients+peers || s.InUseByServers != peers || s.Waiting != len(b.waiting) {
		r.Fatalf("%d clients and %d peers are in and %d wait; the limiter says %+v", clients, peers, len(b.waiting), s)
	}
	free := clients+max(peers, b.reserved) < b.places
	for _, a := range b.waiting {
		for _, other := range b.holding {
			if other.who == a.who && other.number > a.number {
				r.Fatalf("request %d of %s waits, and %d is in", a.number, a.who, other.number)
			}
		}
		if a.peer && (peers < b.reserved || free) {
			r.Fatalf("%s waits, and %d of %d are in, %d of them peers", a.who, clients+peers, b.places, peers)
		}
		if !a.peer && free && of[a.who] < b.share {
			r.Fatalf("%s waits with %d of %d places of its own, and %d of %d are in", a.who, of[a.who], b.share, clients+peers, b.places)
		}
	}
}

func (b *bench) end(r *rapid.T) {
	for _, a := range b.waiting {
		a.cancel()
	}
	for len(b.holding) > 0 {
		a := b.holding[0]
		b.holding = b.holding[1:]
		a.cancel()
		a.place.Done()
	}
	b.settle()
	if s := topology(b.limiter); s.InUse != 0 || s.Waiting != 0 || len(b.waiting)+len(b.holding) != 0 {
		r.Errorf("all have left; %+v", s)
	}
}

// On real cores: what synctest runs one after the other. With few workers the
// queue is empty again and again, with many it never is.
func TestNoWakeUpIsLostAmongCores(t *testing.T) {
	t.Run("a short queue", func(t *testing.T) { crowd(t, 4) })
	t.Run("a long queue", func(t *testing.T) { crowd(t, 24) })
}

func crowd(t *testing.T, workers int) {
	const places, share, parties = 3, 2, 4
	each := 48_000 / workers
	l := few(t, places, func(c *limit.ClassSettings) { c.Reserved, c.Share, c.Wait = 1, share, time.Minute })
	var in, most, ended atomic.Int64
	var own [parties]atomic.Int64
	work := func(party int, who limit.Who, random *rand.Rand) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if random.IntN(3) == 0 {
			time.AfterFunc(time.Duration(random.IntN(60))*time.Microsecond, cancel)
		}
		place, err := l.Enter(ctx, who, candor.AdmitTopology)
		if err != nil {
			ended.Add(1)
			return
		}
		defer place.Done()
		defer in.Add(-1)
		defer own[party].Add(-1)
		n := in.Add(1)
		for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
		}
		if n := own[party].Add(1); party != parties-1 && n > share {
			t.Errorf("an identity has %d places; want at most %d", n, share)
		}
		for range random.IntN(3) {
			runtime.Gosched() // so that the others come by
		}
	}
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			party := w % parties
			who := limit.Actor(fmt.Sprintf("client-%d", party))
			if party == parties-1 {
				who = limit.Actor("server/1")
			}
			random := rand.New(rand.NewPCG(uint64(w), 1))
			for range each {
				work(party, who, random)
			}
		})
	}
	group.Wait()
	s := topology(l)
	if most.Load() > places || s.InUse != 0 || s.Waiting != 0 || s.Refused[limit.CauseWait] != 0 {
		t.Errorf("%d were in at once; afterwards %+v", most.Load(), s)
	}
	if s.Entered+uint64(ended.Load()) != uint64(workers*each) {
		t.Errorf("%d entered and %d ended; want %d together", s.Entered, ended.Load(), workers*each)
	}
	if s.Queued == 0 || ended.Load() == 0 {
		t.Errorf("%d waited and %d ended: too few to tell", s.Queued, ended.Load())
	}
	t.Logf("%d entered, %d waited, %d ended", s.Entered, s.Queued, ended.Load())
}
