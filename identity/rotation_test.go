package identity_test

import (
	"crypto/tls"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
)

// rotate puts content into the files of a source and has it looked at.
func rotate(t testing.TB, source *identity.Source, files identity.Files, content identity.Content) {
	t.Helper()
	write(t, files, content)
	if err := source.Check(); err != nil {
		t.Fatal(err)
	}
}

// alive fails unless the connection carries a byte each way.
func alive(t *testing.T, m meeting) {
	t.Helper()
	for _, way := range [][2]*tls.Conn{{m.client, m.server}, {m.server, m.client}} {
		if _, err := way[0].Write([]byte{2}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(way[1], make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
}

// The order that docs give an operator: both authorities everywhere, then new
// certificates one party after another, then the old authority goes. Meanwhile
// callers come all the time.
func TestAuthoritiesAreReplacedWithoutARefusal(t *testing.T) {
	old, next := authority(t, "c1", epoch), authority(t, "c1", epoch)
	s, sFiles := open(t, issue(t, old, server("c1", "s1"), year, epoch), epoch)
	c, cFiles := open(t, issue(t, old, client("c1", "ana"), year, epoch), epoch)
	late, lateFiles := open(t, issue(t, old, client("c1", "late"), year, epoch), epoch)
	serving := s.Server(identity.Serving{Refused: func(_ string, err error) { t.Log(err) }})
	calling := c.Client(identity.Exactly(candor.PartyServer, "s1"))
	established := meet(t, serving, calling)
	establishedLate := meet(t, serving, late.Client(anyServer))

	var met atomic.Int64
	stop := make(chan struct{})
	var callers sync.WaitGroup
	callers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			m := meet(t, serving, calling)
			if m.serverErr != nil || m.clientErr != nil {
				t.Errorf("refused in the middle: %v, %v", m.serverErr, m.clientErr)
				return
			}
			met.Add(1)
		}
	})
	// step waits until somebody came after the change.
	step := func(source *identity.Source, files identity.Files, content identity.Content) {
		t.Helper()
		rotate(t, source, files, content)
		for seen := met.Load(); met.Load() < seen+3 && !t.Failed(); {
			m := meet(t, serving, calling)
			if m.serverErr != nil || m.clientErr != nil {
				t.Errorf("refused after a step: %v, %v", m.serverErr, m.clientErr)
			}
		}
	}
	both := identity.Content{CA: bundle(old, next)}
	step(s, sFiles, both)
	step(c, cFiles, both)
	rotate(t, late, lateFiles, both)
	serverNew, clientNew := issue(t, next, server("c1", "s1"), year, epoch), issue(t, next, client("c1", "ana"), year, epoch)
	step(s, sFiles, identity.Content{Cert: serverNew.Cert, Key: serverNew.Key})
	step(c, cFiles, identity.Content{Cert: clientNew.Cert, Key: clientNew.Key})
	alone := identity.Content{CA: bundle(next)}
	step(s, sFiles, alone)
	step(c, cFiles, alone)
	close(stop)
	callers.Wait()

	alive(t, established)
	alive(t, establishedLate)
	m := meet(t, serving, late.Client(anyServer))
	says(t, m.serverErr, candor.ReasonUnauthenticated, "not trusted here", "client/late")
	says(t, identity.Explain(m.clientErr), candor.ReasonUnauthenticated, "the other side refused")
}

// Whoever removes an authority before its certificates are replaced would lock
// himself out: the files are refused, and what was good goes on.
func TestRemovingAnAuthorityTooEarlyChangesNothing(t *testing.T) {
	old, next := authority(t, "c1", epoch), authority(t, "c1", epoch)
	s, files := open(t, issue(t, old, server("c1", "s1"), year, epoch), epoch)
	c, _ := open(t, issue(t, old, client("c1", "ana"), year, epoch), epoch)
	write(t, files, identity.Content{CA: bundle(next)})
	says(t, s.Check(), candor.ReasonInvalid, "our own", "not trusted here")
	if m := meet(t, s.Server(identity.Serving{}), c.Client(anyServer)); m.serverErr != nil || m.clientErr != nil {
		t.Errorf("%v, %v", m.serverErr, m.clientErr)
	}
}

// A slow caller must not be judged by what was in the files when it began.
func TestAHandshakeIsJudgedByTheAuthoritiesAtItsEnd(t *testing.T) {
	old, next := authority(t, "c1", epoch), authority(t, "c1", epoch)
	content := issue(t, next, server("c1", "s1"), year, epoch)
	content.CA = bundle(old, next)
	s, files := open(t, content, epoch)
	caller := rogue(t, issue(t, old, client("c1", "ana"), year, epoch))
	show := caller.GetClientCertificate
	caller.GetClientCertificate = func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		write(t, files, identity.Content{CA: bundle(next)})
		if err := s.Check(); err != nil {
			t.Error(err)
		}
		return show(r)
	}
	m := meet(t, s.Server(identity.Serving{}), caller)
	says(t, m.serverErr, candor.ReasonUnauthenticated, "not trusted here")
}
