// Package meter attributes the machine's CPU time over a span to the measured
// cluster, to the load generator, to the idle clusters kept beside it, and to
// everybody else.
//
// It guarantees that the time of killed members is counted too. It refuses
// nothing; whether somebody else took too much is for package round to judge.
package meter

import (
	"fmt"
	"time"

	"github.com/candor-plane/candor/bench/process"
)

// Meter looks at one measured cluster.
type Meter struct {
	subject    *process.Group
	bystanders []*process.Group
}

// New meters subject; bystanders are further clusters of this benchmark, whose
// time is not somebody else's.
func New(subject *process.Group, bystanders ...*process.Group) *Meter {
	if subject == nil {
		panic("meter.New: no subject")
	}
	return &Meter{subject: subject, bystanders: bystanders}
}

// Look is the state of all clocks at one moment.
type Look struct {
	machine process.Machine
	self    time.Duration
	reaped  time.Duration
	kernel  time.Duration
	subject time.Duration
	// rest is the tracers and the bystanders.
	rest time.Duration
}

// Span is the CPU time spent between two looks.
type Span struct {
	Elapsed time.Duration
	// Subject is the measured members' time, running ones only.
	Subject time.Duration
	// Self is this process's time: the load generator.
	Self time.Duration
	// Other is the share of the machine that went to processes which are not of
	// this benchmark, 0 to 1. The kernel's own threads are nobody's.
	Other float64
}

// Look reads every clock.
func (m *Meter) Look() (Look, error) {
	var l Look
	var err error
	if l.subject, l.rest, err = m.subject.CPU(); err != nil {
		return Look{}, fmt.Errorf("meter the measured cluster: %w", err)
	}
	for _, group := range m.bystanders {
		members, tracers, err := group.CPU()
		if err != nil {
			return Look{}, fmt.Errorf("meter the idle cluster: %w", err)
		}
		l.rest += members + tracers
	}
	if l.self, l.reaped, err = process.SelfCPU(); err != nil {
		return Look{}, err
	}
	if l.kernel, err = process.KernelCPU(); err != nil {
		return Look{}, err
	}
	l.machine, err = process.ReadMachine()
	return l, err
}

// Since is the span from an earlier look of the same meter.
func (l Look) Since(earlier Look) Span {
	busy, share := l.machine.BusySince(earlier.machine)
	span := Span{
		Elapsed: l.machine.At.Sub(earlier.machine.At),
		Subject: l.subject - earlier.subject,
		Self:    l.self - earlier.self,
	}
	if busy <= 0 {
		return span
	}
	ours := span.Subject + span.Self + l.reaped - earlier.reaped +
		l.rest - earlier.rest + l.kernel - earlier.kernel
	span.Other = max(share*float64(busy-ours)/float64(busy), 0)
	return span
}
