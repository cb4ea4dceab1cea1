package tenure

import (
	"strings"

	"github.com/candor-plane/candor"
)

// Mandate is what the holder of a duty acts on.
type Mandate string

// The mandates.
const (
	// MandateFenced: every act is a write that names its era, and the fence refuses
	// those of a holder that lost the duty without knowing. A new Raft leader takes
	// such a duty at once.
	MandateFenced Mandate = "FENCED"
	// MandateBelief: the holder answers out of its own memory while it may believe
	// that it holds, so that only a seal or expiry frees the duty.
	MandateBelief Mandate = "BELIEF"
)

// The duties of the coordinator.
const (
	DutyJanitor  = "janitor"
	DutyTopology = "topology"
	DutyIDs      = "ids"
	DutyTSO      = "tso"

	// DutyControllers is that of the controllers of the built-in kinds, DutySchedule
	// places instances, DutyVerify looks for broken promises.
	DutyControllers = "controllers"
	DutySchedule    = "schedule"
	DutyVerify      = "verify"

	// ControlPrefix begins the duty of a controller from outside, "control/GROUP".
	ControlPrefix = "control/"

	controlObject = "control."
	maxGroup      = 128
)

// Duty is a responsibility that one holder at a time has.
type Duty struct {
	Name    string
	Mandate Mandate
}

// DutyOf is the duty of that name; INVALID for a name that no duty has.
func DutyOf(name string) (Duty, *candor.Error) {
	switch name {
	case DutyJanitor, DutyTopology, DutyIDs, DutyControllers, DutySchedule, DutyVerify:
		return Duty{Name: name, Mandate: MandateFenced}, nil
	case DutyTSO:
		return Duty{Name: name, Mandate: MandateBelief}, nil
	}
	if group, ok := strings.CutPrefix(name, ControlPrefix); ok && len(group) <= maxGroup && candor.CheckName("group", group) == nil {
		return Duty{Name: name, Mandate: MandateFenced}, nil
	}
	return Duty{}, refused(reasonInvalid, "", "there is no duty %q: want %s, %s, %s, %s, %s, %s, %s or %sGROUP, where GROUP is a DNS-1123 name of at most %d bytes",
		clip(name), DutyControllers, DutyIDs, DutyJanitor, DutySchedule, DutyTopology, DutyTSO, DutyVerify, ControlPrefix, maxGroup)
}

// ObjectName names the duty's object of kind tenures.candor: the duty's own name,
// and "control.GROUP" for control/GROUP.
func (d Duty) ObjectName() string {
	if group, ok := strings.CutPrefix(d.Name, ControlPrefix); ok {
		return controlObject + group
	}
	return d.Name
}

// DutyOfObject undoes ObjectName.
func DutyOfObject(name string) (Duty, *candor.Error) {
	if group, ok := strings.CutPrefix(name, controlObject); ok {
		return DutyOf(ControlPrefix + group)
	}
	return DutyOf(name)
}

// MayHold is nil when a party of that name may hold the duty at all: servers any,
// clients those of controllers.
func (d Duty) MayHold(holder string) *candor.Error {
	if err := checkHolder(holder); err != nil {
		return err
	}
	if !isServer(holder) && !strings.HasPrefix(d.Name, ControlPrefix) {
		return refused(reasonForbidden, d.Name, "%s may not hold duty %s: servers hold it, clients hold duties named %sGROUP", holder, d.Name, ControlPrefix)
	}
	return nil
}
