package workloads

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
)

// View is what a decision about one workload is made of. Decide modifies nothing of it.
type View struct {
	Workload *kinds.Workload
	// Instances are those in the workload's namespace that its label names or that it
	// owns, each once, in order of names.
	Instances []*kinds.Instance
	Classes   []*kinds.PriorityClass
	// Exists says whether the namespace has an instance of that name, whoever owns it.
	Exists func(name string) bool
	// Schedulable says whether some node that is there could take an instance of the
	// template, and in a sentence why, or why not.
	Schedulable func(template *candor.InstanceTemplate) (ok bool, message string)
	// Token is the position of the view, Now the cluster time in nanoseconds.
	Token candor.Token
	Now   int64
}

// Plan is what is to be done about a workload.
type Plan struct {
	// Write is nil where nothing is to do now.
	Write *controller.Write
	// Next is the cluster time from which the answer may be another although nothing has
	// changed; 0 for none.
	Next int64
	// Message says what was found, in a sentence.
	Message string
}

// The reasons of writes.
const (
	ReasonAdopt     = "ADOPT"
	ReasonScaleUp   = "SCALE_UP"
	ReasonScaleDown = "SCALE_DOWN"
	ReasonReplace   = "REPLACE"
	ReasonRollOut   = "ROLL_OUT"
	ReasonRollBack  = "ROLL_BACK"
	ReasonStatus    = "STATUS"
)
