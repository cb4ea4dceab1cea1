package scenario

// Kind of a fault.
type Kind string

// The kinds. Each names what it needs beside At and Target.
const (
	// Kill is SIGKILL; the server starts again after For (never if absent). STOP is a
	// graceful end, and so is RESTART of each target after the
	// other, each back and caught up before the next. PAUSE is SIGSTOP for For.
	Kill    Kind = "KILL"
	Stop    Kind = "STOP"
	Restart Kind = "RESTART"
	Pause   Kind = "PAUSE"
	// Transfer moves leadership to To, or to any other.
	Transfer Kind = "TRANSFER"

	// Partition of the links between servers has a Shape; LINK has Delay, Jitter, and
	// shares in percent: Loss, Reorder, Duplicate; of everything to and from the
	// targets, or with To, of one direction.
	Partition Kind = "PARTITION"
	Link      Kind = "LINK"

	// SlowDisk delays every sync by Delay; HANG_DISK answers none for For;
	// FULL_DISK leaves no room for For; FAIL_DISK answers one sync with EIO.
	SlowDisk Kind = "SLOW_DISK"
	HangDisk Kind = "HANG_DISK"
	FullDisk Kind = "FULL_DISK"
	FailDisk Kind = "FAIL_DISK"
	// Damage is done while the server is down (killed, damaged, started): a torn TAIL of
	// the log, a flipped bit in LOG or in SNAPSHOT. WIPE empties the directory under its
	// old name and address.
	Damage Kind = "DAMAGE"
	Wipe   Kind = "WIPE"

	// Clock sets the wall clock off by Offset, or lets it drift by Drift parts per
	// million, or stops it; as the server sees it.
	Clock Kind = "CLOCK"

	// Add starts one more and promotes it, REMOVE and REPLACE take the
	// target away.
	Add     Kind = "ADD"
	Remove  Kind = "REMOVE"
	Replace Kind = "REPLACE"

	// Starve loses entries to the target until it needs a snapshot; needs small
	// snapshot thresholds in the flags.
	Starve Kind = "STARVE"

	// Storm opens Count connections to the targets; SLEEPER opens Count
	// watches that never read; MALFORMED sends Count requests that are none.
	Storm     Kind = "STORM"
	Sleeper   Kind = "SLEEPER"
	Malformed Kind = "MALFORMED"

	// SilentLog blocks the pipe that a server's log goes to. UPGRADE replaces the
	// servers' binary one after the other, then raises the feature level.
	SilentLog Kind = "SILENT_LOG"
	Upgrade   Kind = "UPGRADE"

	// Move gives a duty (Duty) to another server. LOSE_NODES stops Count simulated
	// worker nodes for For.
	Move      Kind = "MOVE"
	LoseNodes Kind = "LOSE_NODES"

	// EndInstances ends with SIGKILL the processes of Count instances of the drill's own
	// workload, chosen by the seed; FAIL_PROBES has the probes of Count of them fail for For,
	// or until their process is another.
	EndInstances Kind = "END_INSTANCES"
	FailProbes   Kind = "FAIL_PROBES"
)

// Fault is one thing that befalls the cluster. Times are from the moment at which
// all was well for the first time.
type Fault struct {
	Kind Kind     `json:"kind"`
	At   Duration `json:"at"`
	// For is how long it lasts; 0 for what is done in a moment.
	For Duration `json:"for,omitempty"`
	// Times repeats it, Every so long; 1 when 0.
	Times int      `json:"times,omitempty"`
	Every Duration `json:"every,omitempty"`

	// Target says whom: "leader", "follower" (one), "followers", "any" (one, by the
	// seed), "all", "minority", "majority" (with the leader), "holder/DUTY", or a name.
	// It is resolved when the fault begins.
	Target string `json:"target,omitempty"`
	// To is the other end of a link or the new leader: a target too.
	To string `json:"to,omitempty"`

	Shape Shape `json:"shape,omitempty"`

	Delay     Duration `json:"delay,omitempty"`
	Jitter    Duration `json:"jitter,omitempty"`
	Loss      int      `json:"loss,omitempty"`
	Reorder   int      `json:"reorder,omitempty"`
	Duplicate int      `json:"duplicate,omitempty"`

	// What is damaged: "TAIL", "LOG", "SNAPSHOT".
	What string `json:"what,omitempty"`
	// Offset, or Drift in parts per million, or Freeze.
	Offset Duration `json:"offset,omitempty"`
	Drift  int      `json:"drift,omitempty"`
	Freeze bool     `json:"freeze,omitempty"`

	Count int    `json:"count,omitempty"`
	Duty  string `json:"duty,omitempty"`
}

// Shape of a partition, of the target and the others.
type Shape string

// The shapes.
const (
	// Isolated: nothing passes between the targets and the others, either way.
	Isolated Shape = "ISOLATED"
	// Deaf: what is sent to the targets is lost; Mute: what they send is.
	Deaf Shape = "DEAF"
	Mute Shape = "MUTE"
	// Bridge: the targets (one) reach both halves of the others, which do not reach
	// one another.
	Bridge Shape = "BRIDGE"
	// Ring: each reaches its two neighbours alone.
	Ring Shape = "RING"
)

// Shapes are all of them.
var Shapes = []Shape{Isolated, Deaf, Mute, Bridge, Ring}

// What is damaged while a server is down: the end of its log is torn, or a bit is
// flipped in its log or in its newest snapshot.
const (
	DamageTail     = "TAIL"
	DamageLog      = "LOG"
	DamageSnapshot = "SNAPSHOT"
)

// Damages are all of them.
var Damages = []string{DamageTail, DamageLog, DamageSnapshot}
