package limit_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/limit"
)

// refusedFor fails unless the error is a refusal of that cause, counted, with a
// hint, and naming what raises the limit.
func refusedFor(t testing.TB, l *limit.Limiter, err error, why limit.Cause, flag string) {
	t.Helper()
	e, ok := errors.AsType[*candor.Error](err)
	if !ok || e.Reason != candor.ReasonQueueSaturated {
		t.Fatalf("the error is %v; want QUEUE_SATURATED", err)
	}
	if e.RetryAfter <= 0 || !strings.Contains(e.Message, "retry after "+e.RetryAfter.String()) {
		t.Errorf("%q, retry after %s: want a hint, in the message too", e.Message, e.RetryAfter)
	}
	if !strings.Contains(e.Message, flag+" ") {
		t.Errorf("%q does not name %s", e.Message, flag)
	}
	if n := topology(l).Refused[why] + l.Stats().Watches.Refused[why]; n == 0 {
		t.Errorf("no refusal counted for %s: %v", why, topology(l).Refused)
	}
}

func topology(l *limit.Limiter) limit.ClassStats { return l.Stats().Classes[2] }

func TestNoMoreMayWaitThanTheQueueHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := few(t, 1, func(c *limit.ClassSettings) { c.Queue, c.QueuePerIdentity = 6, 2 })
		first := enter(t, l, "ana")
		var all []<-chan error
		for _, who := range []string{"ana", "ana", "ben", "cleo", "dan", "eva"} {
			all = append(all, waits(t.Context(), t, l, who))
		}
		_, err := l.Enter(t.Context(), limit.Actor("fay"), candor.AdmitTopology)
		refusedFor(t, l, err, limit.CauseQueue, "--limit topology-queue")

		first.Done()
		for _, done := range all {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestNoIdentityMayWaitForMoreThanItsPartOfTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := few(t, 1, func(c *limit.ClassSettings) { c.QueuePerIdentity = 2 })
		first := enter(t, l, "ana")
		all := []<-chan error{waits(t.Context(), t, l, "ana"), waits(t.Context(), t, l, "ana")}
		_, err := l.Enter(t.Context(), limit.Actor("ana"), candor.AdmitTopology)
		refusedFor(t, l, err, limit.CauseIdentityQueue, "--limit topology-queue-per-identity")
		all = append(all, waits(t.Context(), t, l, "ben"))
		first.Done()
		for _, done := range all {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestGreedyIdentitiesLeaveRoomInTheQueueForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const queue = 120
		l := few(t, 1, func(c *limit.ClassSettings) { c.Queue, c.QueuePerIdentity = queue, queue })
		ctx, cancel := context.WithCancel(t.Context())
		first := enter(t, l, "ana")
		for i := range 5 * queue {
			go func() {
				place, _ := l.Enter(ctx, limit.Actor(fmt.Sprintf("greedy-%d", i%5)), candor.AdmitTopology)
				place.Done()
			}()
		}
		synctest.Wait()
		if waiting := topology(l).Waiting; waiting > queue*5/6+5 {
			t.Errorf("five identities fill %d of %d places in the queue; want a sixth left", waiting, queue)
		}
		done := waits(t.Context(), t, l, "modest")
		cancel()
		synctest.Wait()
		first.Done()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestARequestThatEndsStopsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := few(t, 1, nil)
		first := enter(t, l, "ana")
		ctx, cancel := context.WithCancel(t.Context())
		done, next := waits(ctx, t, l, "ana"), waits(t.Context(), t, l, "ana")
		cancel()
		err := <-done
		refusedFor(t, l, err, limit.CauseEnded, "--limit topology-places")
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v does not wrap what ended the request", err)
		}
		if n := topology(l).Waiting; n != 1 {
			t.Errorf("%d wait; want the other one", n)
		}
		if _, err := l.Enter(ctx, limit.Actor("ben"), candor.AdmitTopology); !errors.Is(err, context.Canceled) {
			t.Errorf("a request that has ended: %v", err)
		}
		first.Done()
		if err := <-next; err != nil {
			t.Error(err)
		}
	})
}

func TestNoRequestWaitsLongerThanSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := few(t, 1, func(c *limit.ClassSettings) { c.Wait = 3 * time.Second })
		defer enter(t, l, "ana").Done()
		began := time.Now()
		_, err := l.Enter(t.Context(), limit.Actor("ben"), candor.AdmitTopology)
		refusedFor(t, l, err, limit.CauseWait, "--limit topology-places")
		if waited := time.Since(began); waited != 3*time.Second {
			t.Errorf("waited %s", waited)
		}
	})
}

func TestARequestWhoseDeadlineIsBeforeItsTurnIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := few(t, 1, nil)
		entered := &log{make(chan string, 1000)}
		for range 1000 {
			entered.ask(t, l, limit.Actor("greedy"), 100*time.Millisecond)
		}
		synctest.Wait()
		time.Sleep(10*time.Second + time.Millisecond) // 100 have entered; one every 100 ms
		deadline := func(after time.Duration, who string) (time.Duration, error) {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			began := time.Now()
			place, err := l.Enter(ctx, limit.Actor(who), candor.AdmitTopology)
			place.Done()
			return time.Since(began), err
		}

		waited, err := deadline(20*time.Second, "greedy")
		refusedFor(t, l, err, limit.CauseDeadline, "--limit topology-places")
		if waited != 0 {
			t.Errorf("the 900th in its queue waited %s for a deadline that it could not meet", waited)
		}
		if _, err := deadline(time.Second, "modest"); err != nil {
			t.Errorf("the next in turn has a second: %v", err)
		}
		for len(entered.entered) < 1000 {
			time.Sleep(time.Second)
		}
		synctest.Wait()
	})
}

func TestServersAreNeverQueuedBehindClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := few(t, 4, func(c *limit.ClassSettings) { c.Reserved = 2 })
		mine := []limit.Place{enter(t, l, "ana"), enter(t, l, "ben")}
		clients := []<-chan error{waits(t.Context(), t, l, "ana"), waits(t.Context(), t, l, "cleo")}

		one, two := enterNow(t, l, "server/1"), enterNow(t, l, "server/2")
		if s := topology(l); s.InUse != 4 || s.InUseByServers != 2 || s.Waiting != 2 {
			t.Errorf("%+v", s)
		}
		peer := waits(t.Context(), t, l, "server/1")
		one.Done()
		if err := <-peer; err != nil { // though clients have waited for longer
			t.Error(err)
		}
		synctest.Wait()
		if len(clients[0])+len(clients[1]) != 0 {
			t.Error("a client has a place that is reserved for servers")
		}
		two.Done()
		for i, place := range mine {
			place.Done()
			if err := <-clients[i]; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestServersHaveThePlacesThatClientsLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := few(t, 8, func(c *limit.ClassSettings) { c.Reserved, c.Share = 2, 1 })
		var all []limit.Place
		for range 8 {
			all = append(all, enterNow(t, l, "server/1"))
		}
		done, peer := waits(t.Context(), t, l, "ana"), waits(t.Context(), t, l, "server/1")
		for _, place := range all {
			place.Done()
		}
		for _, done := range []<-chan error{done, peer} {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestARateHoldsBackWhatComesALittleEarlyAndRefusesTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := few(t, 1, func(c *limit.ClassSettings) { c.Rate, c.Burst, c.RateWait = 10, 5, 250*time.Millisecond })
		for range 5 {
			enterNow(t, l, "ana").Done()
		}
		began := time.Now()
		enter(t, l, "ana").Done()
		if waited := time.Since(began); waited != 100*time.Millisecond {
			t.Errorf("the sixth waited %s; want 100ms", waited)
		}
		enterNow(t, l, "ben").Done()
		for range 10 {
			enterNow(t, l, "server/2").Done() // which no rate binds
		}
		time.Sleep(time.Minute)
		for range 5 {
			enterNow(t, l, "cleo").Done()
		}
		for range 2 {
			go func() {
				place, err := l.Enter(t.Context(), limit.Actor("cleo"), candor.AdmitTopology)
				if err != nil {
					t.Error(err)
				}
				place.Done()
			}()
			synctest.Wait()
		}
		_, err := l.Enter(t.Context(), limit.Actor("cleo"), candor.AdmitTopology)
		refusedFor(t, l, err, limit.CauseRate, "--limit topology-rate")
		if e, _ := errors.AsType[*candor.Error](err); e == nil || e.RetryAfter != 300*time.Millisecond {
			t.Errorf("%v; want to retry after 300ms", err)
		}
		time.Sleep(100 * time.Millisecond) // one would be held back for 200 ms now
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
		defer cancel()
		began = time.Now()
		_, err = l.Enter(ctx, limit.Actor("cleo"), candor.AdmitTopology)
		refusedFor(t, l, err, limit.CauseRate, "--limit topology-rate")
		if waited := time.Since(began); waited != 0 {
			t.Errorf("one with a deadline before its token is due waited %s", waited)
		}
		ended, end := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, end)
		_, err = l.Enter(ended, limit.Actor("cleo"), candor.AdmitTopology)
		refusedFor(t, l, err, limit.CauseEnded, "--limit topology-places")
		time.Sleep(time.Minute)
	})
}

func TestWatchesAreBoundedByIdentityAndInTotal(t *testing.T) {
	l := newLimiter(t, func(s *limit.Settings) { s.Watches, s.WatchesPerIdentity = 5, 3 })
	watch := func(actor string) limit.Watch {
		t.Helper()
		w, err := l.Watch(limit.Actor(actor))
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	first := watch("ana")
	watch("ana")
	watch("ana")
	_, err := l.Watch(limit.Actor("ana"))
	refusedFor(t, l, err, limit.CauseIdentityWatches, "--limit watches-per-identity")
	watch("ben")
	watch("ben")
	_, err = l.Watch(limit.Actor("ben"))
	refusedFor(t, l, err, limit.CauseWatches, "--limit watches")
	watch("server/1")
	first.Done()
	if s := l.Stats().Watches; s.Open != 5 || s.Limit != 5 || s.Busiest[0].InUse != 2 {
		t.Errorf("%+v", s)
	}
}

func TestSettingsMayChangeWhileRequestsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settings := limit.Defaults()
		c := &settings.Topology
		c.Places, c.Reserved, c.Share = 2, 0, 1
		l := newLimiter(t, func(s *limit.Settings) { *s = settings })
		ana, ben := enter(t, l, "ana"), enter(t, l, "ben")
		inRing, parked := waits(t.Context(), t, l, "cleo"), waits(t.Context(), t, l, "ana")

		c.Share, c.Places = 1, 3
		change(t, l, settings)
		if err := <-inRing; err != nil {
			t.Error(err)
		}
		if len(parked) != 0 {
			t.Error("ana has more than her share")
		}
		c.Share = 2
		change(t, l, settings)
		if err := <-parked; err != nil {
			t.Error(err)
		}

		c.Places = 1
		change(t, l, settings)
		last := waits(t.Context(), t, l, "dan")
		ana.Done()
		synctest.Wait()
		if len(last) != 0 {
			t.Error("a class that became too small took somebody in")
		}
		ben.Done()
		if err := <-last; err != nil {
			t.Error(err)
		}
		c.Places = 0
		if err := l.Set(settings); candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("no places: %v", err)
		}
		enterNow(t, l, "eva").Done()
	})
}

func change(t testing.TB, l *limit.Limiter, settings limit.Settings) {
	t.Helper()
	if err := l.Set(settings); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func TestAPlaceThatIsLeftTwiceIsAFault(t *testing.T) {
	l := few(t, 1, nil)
	limit.Place{}.Done()
	place := enter(t, l, "ana")
	place.Done()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	place.Done()
}

func TestAClassWithoutLimitsIsAFault(t *testing.T) {
	if _, err := few(t, 1, nil).Enter(t.Context(), limit.Actor("ana"), "SIESTA"); candor.ReasonOf(err) != candor.ReasonInternal {
		t.Error(err)
	}
}

func TestWhoHasNoNameSharesTheLimitsOfTheirAddress(t *testing.T) {
	key := func(address string) string { return limit.Address(netip.MustParseAddr(address)).Key() }
	for _, same := range [][2]string{
		{"192.0.2.1", "::ffff:192.0.2.1"},
		{"2001:db8::1", "2001:db8::ffff:1"},
		{"fe80::1%eth0", "fe80::2%eth1"},
	} {
		if key(same[0]) != key(same[1]) {
			t.Errorf("%s and %s: %s and %s", same[0], same[1], key(same[0]), key(same[1]))
		}
	}
	if key("192.0.2.1") == key("192.0.2.2") || key("2001:db8::1") == key("2001:db8:0:1::1") {
		t.Error("two addresses have one key")
	}
	if err := candor.CheckActor(key("192.0.2.1")); err == nil {
		t.Errorf("%s may be an actor too", key("192.0.2.1"))
	}
	if got := limit.Address(netip.Addr{}).Key(); got == "" {
		t.Error("whose address is unknown has no key")
	}
}
