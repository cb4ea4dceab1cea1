package candor

// The limits that every part agrees on. Sizes are in bytes.
const (
	// MaxObjectBytes is the largest stored form of one object version.
	MaxObjectBytes = 256 << 10
	// MaxEntryBytes is the largest log entry.
	MaxEntryBytes = 384 << 10
	// MaxTurnObjects and MaxTurnBytes bound what one turn may touch.
	MaxTurnObjects = 1000
	MaxTurnBytes   = 4 << 20
	// MaxRequestIDBytes bounds a request ID, MaxActorBytes an actor's name.
	MaxRequestIDBytes = 64
	MaxActorBytes     = 253
	// MaxPageObjects is the most that one list page holds.
	MaxPageObjects = 1000
)

// FeatureLevel is the highest feature level that this build supports; a node
// that meets a higher one in the root stops before applying it.
const FeatureLevel uint32 = 1
