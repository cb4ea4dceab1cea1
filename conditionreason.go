package candor

// The types of conditions.
const (
	ConditionReady         = "Ready"         // of nodes, instances
	ConditionScheduled     = "Scheduled"     // of instances
	ConditionAvailable     = "Available"     // of workloads
	ConditionProgressing   = "Progressing"   // of workloads
	ConditionSchedulable   = "Schedulable"   // of workloads
	ConditionAccepted      = "Accepted"      // of workloads, only where it is False
	ConditionOvercommitted = "Overcommitted" // of nodes
	ConditionDrained       = "Drained"       // of nodes
	ConditionCordoned      = "Cordoned"      // of nodes that their failure policy closed
)

// ConditionReason is one of the catalogue: what may stand as a reason of a type.
type ConditionReason struct {
	Type   string
	Reason string
	// Meaning for people.
	Meaning string
}

// The reasons of conditions.
const (
	WhyHeartbeatFresh   = "HeartbeatFresh"
	WhyHeartbeatMissed  = "HeartbeatMissed"
	WhyNeverHeard       = "NeverHeard"
	WhyNodeGone         = "NodeGone"
	WhyNodeUnreachable  = "NodeUnreachable"
	WhyRunning          = "Running"
	WhyStarting         = "Starting"
	WhyRestarting       = "Restarting"
	WhyProbeFailing     = "ProbeFailing"
	WhyStopping         = "Stopping"
	WhyEnded            = "Ended"
	WhyPlaced           = "Placed"
	WhyNothingFits      = "NothingFits"
	WhyNominated        = "Nominated"
	WhyRefused          = "Refused"
	WhyEnough           = "EnoughAvailable"
	WhyTooFew           = "TooFewAvailable"
	WhyRollingOut       = "RollingOut"
	WhyComplete         = "Complete"
	WhyDeadlineExceeded = "DeadlineExceeded"
	WhyPaused           = "Paused"
	WhyRolledBack       = "RolledBack"
	WhySomeNodeMatches  = "SomeNodeMatches"
	WhyNoNodeMatches    = "NoNodeMatches"
	WhyCapacityShrank   = "CapacityShrank"
	WhyWithinCapacity   = "WithinCapacity"
	WhyNothingLeft      = "NothingLeft"
	WhyEvicting         = "Evicting"
	WhyBudgetsHold      = "BudgetsHold"
	WhyNoStep           = "StrategyAllowsNoStep"
	WhyNoPriorityClass  = "PriorityClassMissing"
	WhySilentTooLong    = "SilentTooLong"
	WhyHeardAgain       = "HeardAgain"
)

// ConditionReasons is the catalogue.
func ConditionReasons() []ConditionReason {
	return []ConditionReason{
		{ConditionReady, WhyHeartbeatFresh, "the node's worker was heard of within its policy's time"},
		{ConditionReady, WhyHeartbeatMissed, "the node's worker was not heard of for longer than its policy allows"},
		{ConditionReady, WhyNeverHeard, "the node's worker has not been heard of yet"},
		{ConditionReady, WhyRunning, "the process runs, and its probe succeeds if it has one"},
		{ConditionReady, WhyStarting, "the process is being started, or its probe has not succeeded yet"},
		{ConditionReady, WhyRestarting, "the process ended and will be started again"},
		{ConditionReady, WhyProbeFailing, "the probe fails"},
		{ConditionReady, WhyStopping, "the process was asked to end"},
		{ConditionReady, WhyEnded, "the process ended for good"},
		{ConditionReady, WhyNodeUnreachable, "nobody hears of the instance's node: its process may run or not"},
		{ConditionReady, WhyNodeGone, "the instance's node does not exist any more"},
		{ConditionScheduled, WhyPlaced, "it has its place"},
		{ConditionScheduled, WhyNothingFits, "no node fits; the decision says why for each"},
		{ConditionScheduled, WhyNominated, "a node is being made free for it"},
		{ConditionScheduled, WhyRefused, "the state had moved on when the placement came to its turn; it is decided again"},
		{ConditionAvailable, WhyEnough, "no fewer instances are available than the update strategy allows"},
		{ConditionAvailable, WhyTooFew, "fewer instances are available than the update strategy allows"},
		{ConditionProgressing, WhyRollingOut, "instances of the present template are being made, or others ended"},
		{ConditionProgressing, WhyComplete, "every instance is of the present template and available"},
		{ConditionProgressing, WhyDeadlineExceeded, "nothing has moved for longer than update.deadlineSeconds"},
		{ConditionProgressing, WhyPaused, "spec.paused holds the rollout"},
		{ConditionProgressing, WhyRolledBack, "the template did not become available in time, the stable one is back"},
		{ConditionSchedulable, WhySomeNodeMatches, "some node has the labels and the size that the template asks for"},
		{ConditionSchedulable, WhyNoNodeMatches, "no node that is there could ever take an instance of the template"},
		{ConditionAccepted, WhyNoStep, "maxUnavailable and maxSurge are both 0: one at a time is taken away"},
		{ConditionAccepted, WhyNoPriorityClass, "the template's priority class does not exist: no instance is made"},
		{ConditionOvercommitted, WhyCapacityShrank, "the worker reports less capacity than its instances hold"},
		{ConditionOvercommitted, WhyWithinCapacity, "the instances hold no more than the worker reports"},
		{ConditionDrained, WhyNothingLeft, "no instance is left on the node"},
		{ConditionDrained, WhyEvicting, "instances are being evicted"},
		{ConditionDrained, WhyBudgetsHold, "a disruption budget allows no further eviction now"},
		{ConditionCordoned, WhySilentTooLong, "the node's worker was silent for so long that its failure policy closed the node to new instances"},
		{ConditionCordoned, WhyHeardAgain, "its worker is heard of again, and the node stays closed until an operator opens it"},
	}
}
