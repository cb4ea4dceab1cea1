package identity

import (
	"crypto/x509"
	"time"
)

const (
	day           = 24 * time.Hour
	maxWarnBefore = 90 * day
)

// remind warns of certificates that end soon or have ended, of each once a day:
// our own, and the authority that ends last. An authority that ends earlier ends
// nothing that our own certificate does not. It is called under looking.
func (s *Source) remind() {
	m := s.Material()
	ending := []*x509.Certificate{m.lastAuthority()}
	if m.Certificate != nil {
		ending = append(ending, m.Certificate.Leaf)
	}
	now := s.now()
	reminded := map[string]time.Time{}
	for _, certificate := range ending {
		of := Fingerprint(certificate)
		last, ok := s.reminded[of]
		if now.Before(s.warnFrom(certificate)) || ok && now.Sub(last) < day {
			if ok {
				reminded[of] = last
			}
			continue
		}
		reminded[of] = now
		s.warn(certificate, now)
	}
	s.reminded = reminded
}

func (s *Source) warn(certificate *x509.Certificate, now time.Time) {
	if now.After(certificate.NotAfter) {
		s.logger.Error("certificate has expired: others refuse it; issue a new one",
			"certificate", describe(certificate), "not_after", stamp(certificate.NotAfter))
		return
	}
	s.logger.Warn("certificate expires soon; issue a new one",
		"certificate", describe(certificate), "not_after", stamp(certificate.NotAfter), "in", certificate.NotAfter.Sub(now).Round(time.Minute))
}

// warnFrom is when the warnings of a certificate begin.
func (s *Source) warnFrom(certificate *x509.Certificate) time.Time {
	before := s.options.WarnBefore
	if before == 0 {
		before = min(certificate.NotAfter.Sub(certificate.NotBefore)/3, maxWarnBefore)
	}
	return certificate.NotAfter.Add(-before)
}
