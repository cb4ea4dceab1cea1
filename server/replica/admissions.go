package replica

import (
	"sync/atomic"

	"github.com/candor-plane/candor"
)

// admitted is the reason under which an admitted request is counted.
const admitted candor.Reason = "ACCEPTED"

var (
	admissionClasses = [...]candor.AdmissionClass{candor.AdmitRead, candor.AdmitWrite, candor.AdmitTopology, candor.AdmitExecute}
	admissionReasons = [...]candor.Reason{
		admitted, candor.ReasonInvalid, candor.ReasonTurnTooLarge, candor.ReasonNotLeader, candor.ReasonEpochMismatch, candor.ReasonNotHosted,
		candor.ReasonCanceled, candor.ReasonTimedOut, candor.ReasonQueueSaturated, candor.ReasonSchedulerDegraded,
		candor.ReasonUnauthenticated, candor.ReasonForbidden, candor.ReasonDiskPressure, candor.ReasonQuotaExceeded,
		candor.ReasonShuttingDown,
	}
)

// Admissions counts requests by class and by what became of their admission.
// The zero value counts from 0; methods may be called concurrently.
type Admissions struct {
	counts [len(admissionClasses)][len(admissionReasons)]atomic.Uint64
}

// Admission is one counter.
type Admission struct {
	Class  candor.AdmissionClass
	Reason candor.Reason
	Count  uint64
}

// Count adds one. A nil error, and one that befell a request after its
// admission, count as ACCEPTED.
func (a *Admissions) Count(class candor.AdmissionClass, err error) {
	a.counts[classIndex(class)][reasonIndex(candor.ReasonOf(err))].Add(1)
}

// Counters lists those that are not 0, in a fixed order.
func (a *Admissions) Counters() []Admission {
	var out []Admission
	for c := range admissionClasses {
		for r := range admissionReasons {
			if n := a.counts[c][r].Load(); n > 0 {
				out = append(out, Admission{admissionClasses[c], admissionReasons[r], n})
			}
		}
	}
	return out
}

func classIndex(class candor.AdmissionClass) int {
	for i, c := range admissionClasses {
		if c == class {
			return i
		}
	}
	return 1 // a write
}

func reasonIndex(reason candor.Reason) int {
	for i, r := range admissionReasons {
		if r == reason {
			return i
		}
	}
	return 0
}
