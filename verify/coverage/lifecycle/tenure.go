package lifecycle

import "github.com/candor-plane/candor/fsm/tenure"

// The states of a duty, by its newest era.
const (
	NeverHeld State = "NEVER_HELD"
	Held      State = "HELD"
	// Expired: held, and not renewed in time; nobody has taken it yet.
	Expired State = "EXPIRED"
	Sealed  State = "SEALED"
	// Kept: sealed for one successor, who alone may campaign for now.
	Kept State = "KEPT"
	// Released: closed, with nobody to follow.
	Released State = "RELEASED"
)

// The states of an era; those of tenure.State, but that a seal by another is told apart.
const (
	EraActive     = State(tenure.StateActive)
	EraSealed     = State(tenure.StateSealed)
	EraBound      = State("SEALED_BY_ANOTHER")
	EraConfirmed  = State(tenure.StateConfirmed)
	EraClosed     = State(tenure.StateClosed)
	EraReattached = State(tenure.StateReattached)
)

func duty() Lifecycle {
	return Lifecycle{
		Name: Duty, Of: "a duty, by its newest era", Start: NeverHeld,
		States: []State{NeverHeld, Held, Expired, Sealed, Kept, Released},
		Steps: []Declared{
			{NeverHeld, Held, "campaign", "somebody holds the duty for the first time"},
			{Held, Held, "renew", "the holder puts its expiry off, and no version says so"},
			{Held, Held, "reserve", "the holder raises what it may use"},
			{Held, Held, "takeover", "a new leader, or the holder after a crash, seals the era with its bound and opens the next"},
			{Held, Expired, "time", "cluster time passes the end of an era that nobody renewed"},
			{Held, Sealed, "seal", "the holder ends its era"},
			{Held, Kept, "handover", "the holder ends its era for one successor"},
			{Held, Released, "release", "the holder ends its era and closes it"},
			{Expired, Held, "renew", "the holder renews late, before anybody campaigned"},
			{Expired, Held, "takeover", "another takes an expired duty, or its holder begins anew"},
			{Expired, Expired, "reserve", "the holder reserves late, and stays expired"},
			{Expired, Sealed, "seal", "the holder ends an expired era that nobody took"},
			{Expired, Kept, "handover", "the holder hands on an expired era that nobody took"},
			{Expired, Released, "release", "the holder closes an expired era that nobody took"},
			{Sealed, Held, "campaign", "somebody follows a sealed era"},
			{Kept, Held, "succeed", "the successor that the duty is kept for follows"},
			{Kept, Sealed, "time", "the successor did not come in time: anybody may follow"},
			{Released, Held, "campaign", "somebody follows a closed era"},
			{Released, Held, "reattach", "the holder of the closed era comes back where it ended"},
		},
	}
}

func era() Lifecycle {
	return Lifecycle{
		Name: Era, Of: "one era of a duty", Start: Absent,
		States: []State{Absent, EraActive, EraSealed, EraBound, EraConfirmed, EraClosed, EraReattached},
		Steps: []Declared{
			{Absent, EraActive, "campaign", "a campaign won the era"},
			{Absent, EraActive, "reattach", "the holder of the closed era before opened it"},
			{EraActive, EraSealed, "seal", "its holder said exactly what it used"},
			{EraActive, EraBound, "takeover", "another sealed it with all that it may have used"},
			{EraActive, EraClosed, "release", "its holder sealed and closed it in one turn"},
			{EraSealed, EraConfirmed, "confirm", "the next holder covers all that it used"},
			{EraBound, EraConfirmed, "confirm", "the next holder covers all that it may have used"},
			{EraConfirmed, EraClosed, "close", "its handover is over"},
			{EraSealed, EraClosed, "overflow", "more handovers were unfinished than are kept: a campaign closed the oldest"},
			{EraBound, EraClosed, "overflow", "more handovers were unfinished than are kept: a campaign closed the oldest"},
			{EraConfirmed, EraClosed, "overflow", "more handovers were unfinished than are kept: a campaign closed the oldest"},
			{EraClosed, EraReattached, "reattach", "its holder came back for the next era"},
		},
	}
}
