package process

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// Group is the member processes of one cluster. A member keeps its place, its
// command and so its data directory and addresses over kills and starts.
// Methods may be called concurrently.
type Group struct {
	spawner  *Spawner
	commands []Command

	mu       sync.Mutex
	children []*Child
}

// StartGroup starts every member at once; when one fails to start, those that
// did are killed.
func StartGroup(spawner *Spawner, commands []Command) (*Group, error) {
	g := &Group{spawner: spawner, commands: commands, children: make([]*Child, len(commands))}
	for i := range commands {
		if err := g.Start(i); err != nil {
			return nil, errors.Join(err, g.Close())
		}
	}
	return g, nil
}

// Size is the number of members, killed ones included.
func (g *Group) Size() int { return len(g.commands) }

// Member is the newest process of member i; it may have ended.
func (g *Group) Member(i int) *Child {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.children[i]
}

// Start runs member i again after it ended. It returns once the process is
// forked; a member that still runs is an error.
func (g *Group) Start(i int) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if child := g.children[i]; child != nil && child.Err() == nil {
		return fmt.Errorf("start member %d: process %d still runs", i, child.PID())
	}
	child, err := g.spawner.Start(g.commands[i])
	if err != nil {
		return fmt.Errorf("start member %d: %w", i, err)
	}
	g.children[i] = child
	return nil
}

// Kill ends member i with SIGKILL and waits until it is gone.
func (g *Group) Kill(i int) error { return g.Member(i).Kill() }

// Err is the end of any member that ended; nil while all run.
func (g *Group) Err() error {
	for i := range g.commands {
		if err := g.Member(i).Err(); err != nil {
			return fmt.Errorf("member %d: %w", i, err)
		}
	}
	return nil
}

// CPU is the CPU time of the members that run, each since its start, and of the
// tracers that delay their fsyncs. One that was killed is in the reaped time of
// SelfCPU instead.
func (g *Group) CPU() (members, tracers time.Duration, err error) {
	for i := range g.commands {
		child := g.Member(i)
		if child.Err() != nil {
			continue
		}
		own, err := child.CPU()
		if err == nil {
			var tracer time.Duration
			tracer, err = child.TracerCPU()
			members, tracers = members+own, tracers+tracer
		}
		if err != nil && child.Err() == nil {
			return 0, 0, fmt.Errorf("member %d: %w", i, err)
		}
	}
	return members, tracers, nil
}

// Close kills every member and waits for it.
func (g *Group) Close() error {
	var failures []error
	for i := range g.commands {
		if child := g.Member(i); child != nil {
			failures = append(failures, child.Kill())
		}
	}
	return errors.Join(failures...)
}
