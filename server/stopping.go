package server

import (
	"context"
	"errors"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/internal/failpoint"
)

// Close hands leadership away, ends every stream and goroutine, and closes the
// data directory as cleanly stopped. It returns once all that is done; it may
// be called more than once.
func (s *Server) Close() error {
	s.close.Do(func() {
		close(s.stopping)
		s.health.Shutdown()
		s.cancel()
		ctx, cancel := context.WithTimeout(context.Background(), shutdownBudget)
		defer cancel()
		s.trust.Close()
		s.reader.Close()
		// While there is a quorum to seal with, others follow at once.
		sealing, sealed := context.WithTimeout(ctx, sealBudget)
		s.coordinator.Close(sealing)
		sealed()
		failpoint.Hit("stop/sealed", "")
		// The replica goes first: its writers are answered while the API
		// still has connections to answer on.
		err := s.replica.Close(ctx)
		failpoint.Hit("stop/closed", "")
		s.stopServing()
		s.feed.Close()
		if s.gossip != nil {
			err = errors.Join(err, ignoreTimeout(s.gossip.Close()))
		}
		s.wait.Wait()
		if s.debug != nil {
			s.debug.Close()
		}
		s.directory.close()
		if s.layer != nil {
			err = errors.Join(err, s.layer.Close())
		}
		s.closeIdentity()
		err = errors.Join(err, s.closeAudit())
		s.closeErr = err
	})
	return s.closeErr
}

// ending says that Close was called.
func (s *Server) ending() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}

// stopServing lets calls in flight end, and does not wait for ever.
func (s *Server) stopServing() {
	done := make(chan struct{})
	go func() {
		s.grpc.GracefulStop()
		close(done)
	}()
	timer := time.NewTimer(2 * time.Second)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		s.grpc.Stop()
		<-done
	}
}

// ignoreTimeout: a goodbye that nobody took in time is no fault of the stop.
func ignoreTimeout(err error) error {
	if candor.ReasonOf(err) == candor.ReasonTimedOut {
		return nil
	}
	return err
}

// abandon undoes a Start that failed half-way.
func (s *Server) abandon() {
	if s.cancel != nil {
		s.cancel()
	}
	if s.coordinator != nil {
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		s.coordinator.Close(gone)
	}
	if s.trust != nil {
		s.trust.Close()
	}
	if s.reader != nil {
		s.reader.Close()
	}
	if s.replica != nil {
		_ = s.replica.Close(context.Background())
	} else if s.dir != nil {
		_ = s.dir.Close()
	}
	if s.grpc != nil {
		s.grpc.Stop()
	}
	if s.feed != nil {
		s.feed.Close()
	}
	if s.debug != nil {
		s.debug.Close()
	}
	if s.layer != nil {
		_ = s.layer.Close()
	}
	s.directory.close()
	if s.listener != nil {
		_ = s.listener.Close()
	}
	s.closeIdentity()
	_ = s.closeAudit()
	s.wait.Wait()
}
