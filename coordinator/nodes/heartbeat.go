package nodes

import (
	"fmt"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/policies"
)

// heard is what a node's lease comes to under its policy.
type heard struct {
	fresh  bool
	reason string
	// since is when the silence began: the newest beat.
	since int64
	// detected is when the silence counts as a failure, act when the action is due.
	detected, act int64
	// look is when to look again at a beat that counts for longer than the policy says:
	// the next one tells of the shorter time; 0 for no such beat.
	look    int64
	action  string
	message string
}

// listen judges the lease. The silence of a node that was never heard of begins with the
// condition that says so. A policy that was shortened holds from the first beat on whose
// answer told the worker so; until then the time counts that the beat was promised.
func listen(v *View) heard {
	mode, from := policies.Silence(v.Node.Object.Metadata.Labels, v.Policies)
	h := heard{action: mode.Action, since: v.Lease.BeatAt}
	within, after := int64(mode.DetectWithin), int64(mode.ActAfter)
	if !v.Lease.Heard {
		h.reason = candor.WhyNeverHeard
		h.message = "its worker has not been heard of yet"
		since := v.Now
		if c := v.Node.Status.Conditions.Get(candor.ConditionReady); c != nil && c.Status == candor.ConditionFalse {
			since = c.LastTransitionTime.UnixNano()
		}
		h.since, h.detected = since, since
		h.act = later(since, within, after)
		return h
	}
	by := "policy " + from
	if promised := int64(v.Lease.Promised); promised > within {
		h.look = later(v.Now, within)
		within = promised
		by = "as it was promised; policy " + from + " is shorter"
	}
	h.detected = later(v.Lease.BeatAt, within)
	h.act = later(h.detected, after)
	if v.Now < h.detected {
		h.fresh, h.reason = true, candor.WhyHeartbeatFresh
		h.message = fmt.Sprintf("its worker is heard of at least every %s (%s)", time.Duration(within), by)
		return h
	}
	h.reason = candor.WhyHeartbeatMissed
	h.message = fmt.Sprintf("its worker was not heard of for %s (%s)", time.Duration(within), by)
	return h
}

// later adds durations to an instant, and stops at the end of time.
func later(at int64, by ...int64) int64 {
	for _, d := range by {
		if sum := at + d; sum >= at {
			at = sum
			continue
		}
		return 1<<63 - 1
	}
	return at
}

// lost says whether what is on the node is to be given up now.
func (h heard) lost(now int64) bool {
	return !h.fresh && h.action == candor.ActionEvict && now >= h.act
}

// closes says whether the node is to be cordoned now: once a silence, so that who opens it
// again before it ends has the last word.
func (h heard) closes(v *View) bool {
	return !h.fresh && v.Now >= h.act && h.mayClose(v)
}

func (h heard) mayClose(v *View) bool {
	return h.action == candor.ActionCordon && !policies.CordonedIn(v.Node.Meta(), h.since)
}

// next is when the judgement may change by itself.
func (h heard) next(v *View, holds bool) int64 {
	switch {
	case h.fresh && h.look > 0:
		return min(h.look, h.detected)
	case h.fresh:
		return h.detected
	case v.Now < h.act && (h.action == candor.ActionEvict && holds || h.mayClose(v)):
		return h.act
	default:
		return 0
	}
}
