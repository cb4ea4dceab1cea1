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

// Admissions counts requests by class and by what became of their admission, and
// remembers the newest of those that clients sent. The zero value counts from 0;
// methods may be called concurrently.
type Admissions struct {
	counts [len(admissionClasses)][len(admissionReasons)]atomic.Uint64
	judged judgements
}

// Admission is one counter.
type Admission struct {
	Class  candor.AdmissionClass
	Reason candor.Reason
	Count  uint64
}

// Judge counts a client's request and remembers it: every refusal, and of the
// requests that were admitted at most one of a class in ten milliseconds. actor
// is asked only for what is remembered.
func (a *Admissions) Judge(class candor.AdmissionClass, method string, err error, actor func() string) {
	c, reason := a.count(class, err)
	if a.judged.wanted(c, reason) {
		a.judged.remember(c, reason, method, actor())
	}
}

// Newest lists the newest requests that are remembered, newest first: up to 16
// that were refused and as many that were admitted.
func (a *Admissions) Newest() []Judged { return a.judged.newestFirst() }

// Count adds one. A nil error, and one that befell a request after its
// admission, count as ACCEPTED. A class that is not known is a fault of the
// program and panics.
func (a *Admissions) Count(class candor.AdmissionClass, err error) { a.count(class, err) }

func (a *Admissions) count(class candor.AdmissionClass, err error) (c, reason int) {
	c = slices.Index(admissionClasses[:], class)
	if err != nil {
		reason = max(0, slices.Index(admissionReasons[:], candor.ReasonOf(err)))
	}
	if reason >= freshnessReasons && class != candor.AdmitRead && class != candor.AdmitTopology {
		reason = 0
	}
	a.counts[c][reason].Add(1)
	return c, reason
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
