package experiment

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/candor-plane/candor/bench/system"
)

const (
	// restartTimeout bounds how long a member may take to serve again.
	restartTimeout = 3 * time.Minute
	probeInterval  = 2 * time.Millisecond
	probeTimeout   = 5 * time.Second
)

// restart starts member again, which must have ended, and answers how long it
// took until a local read there reached the given revision.
func (s *Subject) restart(ctx context.Context, member int, probe system.Object, revision uint64) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, restartTimeout)
	defer cancel()
	begun := time.Now()
	if err := s.Cluster.Processes().Start(member); err != nil {
		return 0, err
	}
	err := s.awaitRevision(ctx, member, probe, revision)
	took := time.Since(begun)
	if err != nil {
		return 0, fmt.Errorf("await member %d after its restart: %w", member, err)
	}
	return took, nil
}

// awaitRevision polls member until its own state has reached revision.
func (s *Subject) awaitRevision(ctx context.Context, member int, probe system.Object, revision uint64) error {
	for {
		reached, err := s.localRevision(ctx, member, probe)
		if err == nil && reached >= revision {
			return nil
		}
		// One whole look at the process: a member that ended will never answer.
		if ended := s.Cluster.Processes().Member(member).Err(); ended != nil {
			return errors.Join(ended, err)
		}
		if waited := pause(ctx, probeInterval); waited != nil {
			return errors.Join(waited, fmt.Errorf("revision %d reached, wanted %d", reached, revision), err)
		}
	}
}

// localRevision dials anew: a connection that failed before would wait out its
// backoff and measure that instead.
func (s *Subject) localRevision(ctx context.Context, member int, probe system.Object) (uint64, error) {
	listener, err := net.DialTimeout("tcp", s.Cluster.Address(member), probeTimeout)
	if err != nil {
		return 0, err
	}
	if err := listener.Close(); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	conn, err := s.Cluster.Dial(ctx, member)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	at, err := conn.Read(ctx, probe, system.Local)
	return at.Revision, err
}
