package client_test

import (
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// The bound at the client is the node's, and the time since the attempt that was
// answered was sent: the way there and back, and what the caller did since.
func TestAnAnswersAgeCountsFromWhenItWasAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1")
		n1 := s.node("n1")
		const way, bound, later = 30 * time.Millisecond, 120 * time.Millisecond, 400 * time.Millisecond
		n1.on("Get", sequence(
			after(time.Second, refuses(&candor.Error{Reason: candor.ReasonQueueSaturated})), // an attempt that does not count
			after(way, func(c *call) error {
				w := n1.weaker(freshnessOf(c), token(5))
				w.StalenessBound = durationpb.New(bound)
				return c.send(&candorv1.GetResponse{Object: webObject(5), Witness: w})
			}),
		))
		c := s.client([]string{"n1"})
		var age client.Age
		if _, known := age.Now(); known {
			t.Error("an age before any answer")
		}
		_, _, err := c.Get(t.Context(), web, client.WithFreshness(candor.FreshnessBounded), client.WithAge(&age))
		noError(t, err)
		answered := time.Now()
		time.Sleep(later)
		now, known := age.Now()
		if want := bound + way + later; !known || now != want {
			t.Errorf("age %v, want %v", now, want)
		}
		before, known := age.Before()
		if want := answered.Add(-way - bound); !known || !before.Equal(want) {
			t.Errorf("everything before %v, want %v", before, want)
		}
	})
}

// A read index is captured after the request came: nothing acknowledged before
// it was sent is missing. A view that proves nothing has no age.
func TestAnAnswersAgeFollowsFromItsMechanism(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1")
		n1 := s.node("n1")
		n1.on("Get", after(time.Second, n1.gets(token(5), n1)))
		c := s.client([]string{"n1"})
		var age client.Age
		_, _, err := c.Get(t.Context(), web, client.WithAge(&age))
		noError(t, err)
		if now, known := age.Now(); !known || now != time.Second {
			t.Errorf("age %v, want the second since it was sent", now)
		}
		n1.on("Get", n1.cutOff(token(6), candor.ReasonRootUnavailable))
		_, _, err = c.Get(t.Context(), web, client.WithFreshness(candor.FreshnessBestEffort), client.WithAge(&age))
		noError(t, err)
		if now, known := age.Now(); known {
			t.Errorf("a view that proves nothing is %v old", now)
		}
		if _, known := age.Before(); known {
			t.Error("a view that proves nothing misses nothing")
		}
	})
}
