package limit

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/candor-plane/candor"
)

// Settings are the limits of one node. [Defaults] has values for all of them.
type Settings struct {
	Read, Write, Topology, Execute ClassSettings
	// Watches bounds the open watches of this node, WatchesPerIdentity those of
	// one identity. Those of servers count and are not refused.
	Watches            int
	WatchesPerIdentity int
	// Identities is how many identities are remembered that have nothing under way.
	Identities int
}

// ClassSettings are the limits of one class of requests.
type ClassSettings struct {
	// Places is how many requests may be under way; Reserved of them are for
	// servers of the cluster alone.
	Places   int
	Reserved int
	// Share is how many places one identity may have; more of it wait, though
	// others are free.
	Share int
	// Queue is how many requests of clients may wait, QueuePerIdentity how many of
	// one identity. An identity that waits more than there is room left is refused
	// too, so that it cannot take the whole queue. Servers have as much room again.
	Queue            int
	QueuePerIdentity int
	// Wait is how long a request waits for a place at most.
	Wait time.Duration
	// Rate is how many requests an identity may make per second, on average, and
	// Burst how many at once; a Rate of 0 is no bound. RateWait is how long a
	// request that came too early is held back, rather than refused.
	Rate     float64
	Burst    int
	RateWait time.Duration
}

// Defaults are the limits of a server whose operator set none.
func Defaults() Settings {
	return Settings{
		Read:     classDefaults(2048, 256, 8192),
		Write:    classDefaults(4096, 512, 8192),
		Topology: classDefaults(16, 4, 64),
		Execute:  classDefaults(1024, 128, 4096),

		Watches: 20_000, WatchesPerIdentity: 10_000,
		Identities: 16_384,
	}
}

// classDefaults let one identity have half of everything, and bind no rate.
func classDefaults(places, reserved, queue int) ClassSettings {
	return ClassSettings{
		Places: places, Reserved: reserved, Share: places / 2,
		Queue: queue, QueuePerIdentity: queue / 2,
		Wait: 10 * time.Second, RateWait: 100 * time.Millisecond,
	}
}

// maxPlaces keeps every count within its bits of a tally.
const maxPlaces = 1<<20 - 1

// Check returns an Error of reason INVALID, with a field for each setting that
// cannot be kept.
func (s *Settings) Check() error {
	var faults []candor.FieldViolation
	fault := func(path, message string) {
		faults = append(faults, candor.FieldViolation{Path: path, Message: message})
	}
	between := func(path string, value, low, high int) {
		if value < low || value > high {
			fault(path, fmt.Sprintf("is %d; want %d to %d", value, low, high))
		}
	}
	for i, name := range classNames {
		c := s.class(i)
		field := func(setting string) string { return flagOf(name, setting) }
		between(field("places"), c.Places, 1, maxPlaces)
		between(field("reserved"), c.Reserved, 0, max(0, c.Places-1))
		between(field("share"), c.Share, 1, maxPlaces)
		between(field("queue"), c.Queue, 0, maxPlaces)
		between(field("queue-per-identity"), c.QueuePerIdentity, 0, maxPlaces)
		if c.Wait <= 0 {
			fault(field("wait"), fmt.Sprintf("is %s; want more than 0", c.Wait))
		}
		if c.RateWait < 0 {
			fault(field("rate-wait"), fmt.Sprintf("is %s; want 0 or more", c.RateWait))
		}
		if wrong := rateFault(c.Rate, c.Burst); wrong != "" {
			fault(field("rate"), fmt.Sprintf("is %g with a burst of %d; %s", c.Rate, c.Burst, wrong))
		}
	}
	between(flagWatches, s.Watches, 0, math.MaxInt32)
	between(flagWatchesPerIdentity, s.WatchesPerIdentity, 0, math.MaxInt32)
	between(flagIdentities, s.Identities, shardCount, math.MaxInt32)
	return invalid(faults)
}

// invalid is the error of settings with faults; nil without.
func invalid(faults []candor.FieldViolation) error {
	if len(faults) == 0 {
		return nil
	}
	err := candor.Errorf(candor.ReasonInvalid, "%s %s", faults[0].Path, faults[0].Message)
	err.Subject, err.Fields = faults[0].Path, faults
	return err
}

// The flags that set the limits, as refusals name them.
const (
	flagWatches            = "--limit watches"
	flagWatchesPerIdentity = "--limit watches-per-identity"
	flagIdentities         = "--limit identities"
)

// flagOf is the flag of a class's setting: --limit read-places.
func flagOf(class candor.AdmissionClass, setting string) string {
	return "--limit " + strings.ToLower(string(class)) + "-" + setting
}

// classNames are the classes by index.
var classNames = [...]candor.AdmissionClass{candor.AdmitRead, candor.AdmitWrite, candor.AdmitTopology, candor.AdmitExecute}

const classCount = len(classNames)

func (s *Settings) class(index int) *ClassSettings {
	return [classCount]*ClassSettings{&s.Read, &s.Write, &s.Topology, &s.Execute}[index]
}

// indexOf is the index of a class; negative for what is none.
func indexOf(class candor.AdmissionClass) int {
	switch class {
	case candor.AdmitRead:
		return 0
	case candor.AdmitWrite:
		return 1
	case candor.AdmitTopology:
		return 2
	case candor.AdmitExecute:
		return 3
	}
	return -1
}
