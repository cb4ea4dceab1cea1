package scheduler

import (
	"strconv"

	"github.com/candor-plane/candor"
)

// The reasons why a node does not fit, as decisions and explanations name them.
// Of a resource without a name here it is "Insufficient" and the resource's.
const (
	MisfitSelector         = "SelectorMismatch"
	MisfitAffinity         = "AffinityMismatch"
	MisfitTaint            = "TaintNotTolerated"
	MisfitTerminating      = "NodeTerminating"
	MisfitDraining         = "NodeDraining"
	MisfitUnschedulable    = "NodeUnschedulable"
	MisfitNotReady         = "NotReady"
	MisfitCapacityUnknown  = "CapacityUnknown"
	MisfitCPU              = "InsufficientCPU"
	MisfitMemory           = "InsufficientMemory"
	MisfitInsufficient     = "Insufficient"
	MisfitSpread           = "SpreadExceeded"
	MisfitInstanceAffinity = "InstanceAffinityMismatch"
	MisfitInstanceAnti     = "InstanceAntiAffinity"
	MisfitShunned          = "ShunnedByInstance"
	// MisfitNoNodes is of Impossible where there is no node at all.
	MisfitNoNodes = "NoNodes"
)

// code is a reason; the numbers are part of Algorithm, for they are in the digest.
// Filters run in this order: first what is there for long.
type code uint8

const (
	fits code = iota
	selectorMismatch
	affinityMismatch
	taintNotTolerated
	nodeTerminating
	nodeDraining
	nodeUnschedulable
	notReady
	capacityUnknown
	insufficient
	spreadExceeded
	instanceAffinity
	instanceAnti
	shunned
	codes
)

// verdict is a code, and which requirement of the class (or taint of the node) it is
// about.
type verdict uint16

func verdictOf(c code, at int) verdict { return verdict(c)<<8 | verdict(uint8(at)) }

func (v verdict) code() code { return code(v >> 8) }
func (v verdict) at() int    { return int(v & 0xff) }

// reason is the word for people and programs.
func (c *class) reason(v verdict) string {
	if v.code() == insufficient {
		switch name := c.requests[v.at()].name; name {
		case candor.ResourceCPU:
			return MisfitCPU
		case candor.ResourceMemory:
			return MisfitMemory
		default:
			return MisfitInsufficient + " " + name
		}
	}
	return v.code().String()
}

// words are by code.
var words = [codes]string{
	fits: "Fits", selectorMismatch: MisfitSelector, affinityMismatch: MisfitAffinity, taintNotTolerated: MisfitTaint,
	nodeTerminating: MisfitTerminating, nodeDraining: MisfitDraining, nodeUnschedulable: MisfitUnschedulable,
	notReady: MisfitNotReady, capacityUnknown: MisfitCapacityUnknown, insufficient: MisfitInsufficient,
	spreadExceeded: MisfitSpread, instanceAffinity: MisfitInstanceAffinity, instanceAnti: MisfitInstanceAnti, shunned: MisfitShunned,
}

// String is the reason.
func (c code) String() string {
	if int(c) >= len(words) {
		return "reason " + strconv.Itoa(int(c))
	}
	return words[c]
}

// cures are the changes after which a node with that first reason may fit.
func (c code) cures() Helps {
	switch c {
	case selectorMismatch, affinityMismatch:
		return HelpsLabels
	case taintNotTolerated:
		return HelpsTaints
	case nodeDraining, nodeUnschedulable:
		return HelpsSchedulable
	case nodeTerminating, notReady:
		return HelpsReadiness
	case capacityUnknown, insufficient:
		return HelpsCapacity
	default:
		return HelpsTopology | HelpsLabels
	}
}
