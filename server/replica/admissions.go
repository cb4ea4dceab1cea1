package replica

import (
	"slices"
	"sync/atomic"

	"github.com/candor-plane/candor"
)

// admitted is the reason under which an admitted request is counted.
const admitted candor.Reason = "ACCEPTED"

var (
	admissionClasses = [...]candor.AdmissionClass{candor.AdmitRead, candor.AdmitWrite, candor.AdmitTopology, candor.AdmitExecute}
	admissionReasons = [...]candor.Reason{
		admitted, candor.ReasonInvalid, candor.ReasonUnknownKind, candor.ReasonSectionForbidden, candor.ReasonTurnTooLarge,
		candor.ReasonNotLeader, candor.ReasonEpochMismatch, candor.ReasonNotHosted, candor.ReasonCanceled, candor.ReasonTimedOut,
		candor.ReasonQueueSaturated, candor.ReasonSchedulerDegraded, candor.ReasonUnauthenticated, candor.ReasonForbidden,
		candor.ReasonDiskPressure, candor.ReasonQuotaExceeded, candor.ReasonUnavailable, candor.ReasonShuttingDown,
		candor.ReasonClusterMismatch, candor.ReasonFeatureLevel,
		candor.ReasonViewUnavailable, candor.ReasonViewOnly, candor.ReasonLeadershipUnconfirmed, candor.ReasonBootstrapRequired,
		candor.ReasonRecovering, candor.ReasonRootUnavailable, candor.ReasonStalenessExceeded, candor.ReasonRootTokenNotReached,
		candor.ReasonRootLagExceeded, candor.ReasonCompacted, candor.ReasonTokenConflict, candor.ReasonHistoryMismatch,
	}
	// freshnessReasons is where in admissionReasons those begin that refuse reads
	// alone: of a write, ROOT_TOKEN_NOT_REACHED says that it is done.
	freshnessReasons = slices.Index(admissionReasons[:], candor.ReasonViewUnavailable)
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
// admission, count as ACCEPTED. A class that is not known is a fault of the
// program and panics.
func (a *Admissions) Count(class candor.AdmissionClass, err error) {
	c, reason := slices.Index(admissionClasses[:], class), 0
	if err != nil {
		reason = max(0, slices.Index(admissionReasons[:], candor.ReasonOf(err)))
	}
	if reason >= freshnessReasons && class != candor.AdmitRead && class != candor.AdmitTopology {
		reason = 0
	}
	a.counts[c][reason].Add(1)
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
