package client

import "github.com/candor-plane/candor"

// step is what becomes of a request whose attempt failed.
type step uint8

const (
	// giveUp: the caller gets what the attempt met.
	giveUp step = iota
	// sameNode and later repeat the request where it was, after a pause.
	sameNode
	later
	// toTheLeader goes where the leader is believed to be, or looks for it.
	toTheLeader
	// otherNode goes to the next one; after all of them, a pause.
	otherNode
	// waitForToken goes on until a view has what is required: at the leader, which
	// has it, or elsewhere, or where the request is pinned to.
	waitForToken
	// acceptStale gives the read up as it was asked for; its caller allowed the
	// same as BEST_EFFORT.
	acceptStale
)

// String names the step as the table does.
func (s step) String() string {
	return [...]string{"fail", "same node", "later", "leader", "other node", "wait for the token", "accept stale"}[s]
}

// reply is who, if anyone, said something to an attempt that failed.
type reply uint8

const (
	// refused: a server did, with a reason.
	refused reply = iota
	// unreached: nobody; surely nothing was sent.
	unreached
	// lost: nobody, and the request may have arrived.
	lost
	// foreign: something that speaks gRPC and is no server of ours.
	foreign
)

// effect is what an attempt that got no answer may have done.
type effect uint8

const (
	// nothing: the request only asks.
	nothing effect = iota
	// repeatable: it may have changed the cluster, and is made once however often
	// it is sent.
	repeatable
	// once: it may have changed the cluster, and sending it again may again.
	once
)

// plight is everything that the next step of a request depends on.
type plight struct {
	// class is what a read asks for; empty for any other request.
	class candor.Freshness
	// anywhere: any node may answer, not the leader alone. pinned: one only.
	anywhere, pinned bool
	effect           effect
	// mayBeStale: the caller accepts BEST_EFFORT instead.
	mayBeStale bool
	// rootless: every node that can be reached said that it has no root.
	rootless bool

	reply  reply
	reason candor.Reason
	// mode and catchUp are what the refusing node said of itself; empty where it
	// did not.
	mode    candor.DegradedMode
	catchUp candor.CatchUpState
	// ahead: the node's view lacks the token that is required. What else it may
	// lack, a revision that does not exist yet, nobody promised to wait for.
	ahead bool
}

// next is the table of the client: testdata/policy.md has every cell.
func (q *plight) next() step {
	retry := q.reason.Disposition().Retry
	switch {
	case q.reply == foreign, q.reply == lost && q.effect == once:
		return giveUp
	case q.reply != refused && hopeless(q.reason):
		return giveUp
	case q.reply == refused && retry == candor.RetryNever:
		return giveUp
	case q.mayBeStale && q.rootless && weakens(q.class):
		return acceptStale
	case q.reply != refused:
		return q.unlessPinned(otherNode)
	}
	switch retry {
	case candor.RetryLeader:
		return q.unlessPinned(toTheLeader)
	case candor.RetryOtherNode, candor.RetryAcceptStale:
		return q.unlessPinned(otherNode)
	case candor.RetryWaitForToken:
		return q.behind()
	case candor.RetryLater:
		if q.class != "" && q.anywhere && !q.pinned {
			return otherNode // one that has more time
		}
		return later
	case candor.RetrySameNode:
		return sameNode
	case candor.RetryOutcomeUnknown:
		if q.effect == once {
			return giveUp
		}
		return q.unlessPinned(toTheLeader)
	default:
		return giveUp
	}
}

// behind: the node's view lacks what is required. A follower may also have
// forwarded a write that was made, and not seen it in time.
func (q *plight) behind() step {
	switch {
	case q.effect == once:
		return giveUp
	case q.effect == repeatable:
		return q.unlessPinned(otherNode)
	case q.mode == candor.ModeViewOnly:
		return q.unlessPinned(otherNode)
	case q.pinned && q.ahead:
		return waitForToken
	case q.pinned:
		return giveUp
	case q.mode == candor.ModeRootUnavailable, q.catchUp == candor.CatchUpBootstrapRequired,
		q.catchUp == candor.CatchUpRecovering, q.catchUp == candor.CatchUpUnavailable:
		return otherNode
	default:
		return waitForToken
	}
}

// unlessPinned is s where there is a choice of nodes.
func (q *plight) unlessPinned(s step) step {
	if q.pinned {
		return giveUp
	}
	return s
}

// lacksRoot: the node cannot prove anything by the root now.
func (q *plight) lacksRoot() bool {
	retry := q.reason.Disposition().Retry
	return q.reply == refused && retry != candor.RetryNever &&
		(retry == candor.RetryAcceptStale || q.mode == candor.ModeRootUnavailable)
}

// hopeless: a failure on the way that the next node would answer with, too.
func hopeless(reason candor.Reason) bool {
	switch reason {
	case candor.ReasonUnimplemented, candor.ReasonUnauthenticated, candor.ReasonForbidden, candor.ReasonTurnTooLarge:
		return true
	default:
		return false
	}
}

// weakens: BEST_EFFORT is less than class.
func weakens(class candor.Freshness) bool {
	return class == candor.FreshnessStrong || class == candor.FreshnessBounded
}

// leaves says whether a watch should go on elsewhere when its node announces the
// condition. A bounded watch whose bound lapses is ended by its server, and one
// that only lags will catch up.
func leaves(mode candor.DegradedMode, catchUp candor.CatchUpState) bool {
	switch {
	case mode == candor.ModeViewOnly, mode == candor.ModeRootUnavailable:
		return true
	case catchUp == candor.CatchUpBootstrapRequired, catchUp == candor.CatchUpRecovering, catchUp == candor.CatchUpUnavailable:
		return true
	default:
		return false
	}
}
