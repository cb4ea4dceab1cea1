package tenure

import (
	"github.com/candor-plane/candor"
)

// RestoreHolder is who holds the era that a restore puts into a lineage. No server
// has that ID.
const RestoreHolder = serverPrefix + "restore"

const restoreCandidacy = "restore"

// What a restore leaves unused, so that a value that was handed out after the state
// was taken is not handed out again: IDs for half a year at a million a second, and
// timestamps for a day and a half beyond the time that the cluster had reached.
const (
	RestoreIDs        = 1 << 44
	RestoreTimestamps = 1 << (27 + TimestampBits)
)

// Restoring is what is known when a state begins anew while the cluster that it is
// of may have gone on after it.
type Restoring struct {
	// ClusterTime is the state's, and Reached the latest that the cluster may have
	// come to since, both in nanoseconds; an earlier one counts as ClusterTime.
	ClusterTime, Reached int64
	// Transitions is how far that cluster may have moved the frontier of transitions.
	Transitions uint64
}

// Restored is the lineage in a state that begins anew. An active era is sealed with
// its whole bound, whoever holds it. One more era, the restore's own, stands for all
// that were granted after the state was taken: it starts where the last one ended, is
// sealed at once, and its usage lies above all that they may have used. So the next
// era begins above that, and any holder may campaign for it.
//
// The guarantees hold from l to the result by way of the events between, and the
// chain of seals goes on. INVALID is for a lineage that had every era that can be
// counted.
func (l Lineage) Restored(r Restoring) (Lineage, *candor.Error) {
	now := Now{ClusterTime: r.ClusterTime}
	before := l.Current
	if before.State == StateActive {
		before = before.sealed(l.Duty.Name, before.Bound, SealingBound, RestoreHolder, r.ClusterTime)
	}
	after, err := l.grant(now, before, RestoreHolder, restoreCandidacy, before.Usage, MinDuration)
	if err != nil {
		return l, err
	}
	from := after.Current.Start
	after.Current.Bound = Frontiers{
		ID:         saturated(from.ID, RestoreIDs),
		Timestamp:  saturated(max(from.Timestamp, TimestampAt(max(r.ClusterTime, r.Reached))), RestoreTimestamps),
		Transition: saturated(from.Transition, r.Transitions),
	}
	after.Current = after.Current.sealed(l.Duty.Name, after.Current.Bound, SealingBound, RestoreHolder, r.ClusterTime)
	return after, nil
}

// RestoredDuties are those whose values must not come twice even where the state
// knows of no era: the cluster may have granted the first one since.
func RestoredDuties() []Duty {
	return []Duty{{Name: DutyIDs, Mandate: MandateFenced}, {Name: DutyTSO, Mandate: MandateBelief}}
}
