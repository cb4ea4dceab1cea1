package identity

import (
	"time"

	"github.com/candor-plane/candor"
)

// Status is a source as people want to see it.
type Status struct {
	Self        candor.Identity // zero without a certificate
	Cluster     string
	Fingerprint string // of our certificate; empty without one
	NotAfter    time.Time
	Authorities []AuthorityStatus
	Warnings    []string
	LoadedAt    time.Time // when what is current was taken over
	Reloads     uint64    // takeovers since Open
	// LastError is what is wrong with the files while what is current is not what
	// they hold; nil when it is. LastErrorSince is when they were first seen so.
	LastError      error
	LastErrorSince time.Time
}

// AuthorityStatus is one trusted authority.
type AuthorityStatus struct {
	Subject     string
	Fingerprint string
	NotBefore   time.Time
	NotAfter    time.Time
}

// Status is the source as it is now.
func (s *Source) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.Material()
	status := Status{
		Self: m.Self, Cluster: m.Cluster, NotAfter: m.NotAfter,
		Warnings: append([]string(nil), m.Warnings...),
		LoadedAt: s.loadedAt, Reloads: s.reloads,
		LastError: s.bad.err,
	}
	if s.bad.err != nil {
		status.LastErrorSince = s.bad.since
	}
	if m.Certificate != nil {
		status.Fingerprint = Fingerprint(m.Certificate.Leaf)
	}
	for _, authority := range m.Authorities {
		status.Authorities = append(status.Authorities, AuthorityStatus{
			Subject: authority.Subject.String(), Fingerprint: Fingerprint(authority),
			NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		})
	}
	return status
}
