package authority

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
)

// Settle is how long the files of a step must be there before the next: parties
// look at theirs every ten seconds.
const Settle = 30 * time.Second

// Begin makes a second authority, which everybody trusts beside the one that
// issues, and gives the bundle to the parties. Begun already, it completes that.
func (f *Folder) Begin(validFor time.Duration) ([]Party, error) {
	switch f.State() {
	case Switched:
		return nil, candor.Errorf(candor.ReasonConflict, "a rotation is under way in %s and has been switched: finish it before the next begins", f.dir)
	case Begun:
	case Steady:
		next, err := identity.NewAuthority(f.Cluster(), validFor, f.now())
		if err != nil {
			return nil, err
		}
		// The key comes first. A key that no certificate of the bundle belongs to was
		// never trusted by anybody, and the next attempt replaces it.
		if err := identity.WriteFiles(identity.Files{Key: f.path(nextFile)}, identity.Content{Key: next.KeyPEM()}); err != nil {
			return nil, err
		}
		f.next = next
		if err := f.writeBundle(f.dir); err != nil {
			return nil, err
		}
	}
	return f.distribute()
}

// Switch has the new authority issue, and issues the certificates of the parties
// anew that are still by the old one, for as long as they were. Switched already,
// it completes that. CONFLICT before Begin, and UNAVAILABLE within Settle of it.
func (f *Folder) Switch() ([]Party, error) {
	switch f.State() {
	case Steady:
		return nil, candor.Errorf(candor.ReasonConflict, "no rotation has begun in %s", f.dir)
	case Switched:
	case Begun:
		parties, err := f.distribute()
		if err != nil {
			return nil, err
		}
		if err := f.settled(parties, func(p Party) string { return p.Files.CA }); err != nil {
			return nil, err
		}
		// From here on the old key is gone.
		if err := os.Rename(f.path(nextFile), f.path(keyFile)); err != nil {
			return nil, candor.Wrap("authority", err)
		}
		f.issuing, f.next, f.old = f.next, nil, f.issuing.Certificate()
		if err := f.writeBundle(f.dir); err != nil {
			return nil, err
		}
	}
	parties, err := f.Parties()
	if err != nil {
		return nil, err
	}
	for i, p := range parties {
		if p.by(f.issuing.Certificate()) {
			continue
		}
		if parties[i], err = f.renew(p); err != nil {
			return nil, err
		}
	}
	return parties, nil
}

// Finish ends the trust in the old authority, and gives the bundle to the parties.
// Finished already, it completes that. CONFLICT before Switch, or while a party
// still has a certificate of the old one; UNAVAILABLE within Settle of the last
// that was issued anew.
func (f *Folder) Finish() ([]Party, error) {
	switch f.State() {
	case Begun:
		return nil, candor.Errorf(candor.ReasonConflict, "the rotation in %s has begun and is not switched: every certificate is still by the old authority", f.dir)
	case Steady:
	case Switched:
		parties, err := f.Parties()
		if err != nil {
			return nil, err
		}
		if err := f.refuseLeft(parties); err != nil {
			return nil, err
		}
		if err := f.settled(parties, func(p Party) string { return p.Files.Cert }); err != nil {
			return nil, err
		}
		f.old = nil
		if err := f.writeBundle(f.dir); err != nil {
			return nil, err
		}
	}
	return f.distribute()
}

// distribute has every party's copy of the bundle be the folder's.
func (f *Folder) distribute() ([]Party, error) {
	parties, err := f.Parties()
	if err != nil {
		return nil, err
	}
	for _, p := range parties {
		has, err := os.ReadFile(p.Files.CA)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, candor.Wrap("authority", err)
		}
		if bytes.Equal(has, f.bundle()) {
			continue
		}
		if err := f.writeBundle(filepath.Dir(p.Files.CA)); err != nil {
			return nil, err
		}
	}
	return parties, nil
}

func (f *Folder) renew(p Party) (Party, error) {
	addresses := append([]string(nil), p.Certificate.DNSNames...)
	for _, ip := range p.Certificate.IPAddresses {
		addresses = append(addresses, ip.String())
	}
	return f.Issue(Request{
		Identity: p.Identity, ValidFor: lifetime(p.Certificate), Addresses: addresses, Overwrite: true,
		Out: p.Dir(), Prefix: strings.TrimSuffix(filepath.Base(p.Files.Cert), ".crt"),
	})
}

// lifetime is what was asked for: certificates begin minutes before they are made.
func lifetime(certificate *x509.Certificate) time.Duration {
	whole := certificate.NotAfter.Sub(certificate.NotBefore)
	if hours := whole.Truncate(time.Hour); hours > 0 {
		return hours
	}
	return whole
}

// refuseLeft names the parties that still have a certificate of the old authority.
func (f *Folder) refuseLeft(parties []Party) error {
	var left []string
	for _, p := range parties {
		if p.by(f.old) {
			left = append(left, p.Files.Cert)
		}
	}
	if len(left) == 0 {
		return nil
	}
	return candor.Errorf(candor.ReasonConflict, "the old authority issued %s, which nobody would trust any more", strings.Join(left, ", "))
}

// settled refuses the next step while parties may not have seen the last.
func (f *Folder) settled(parties []Party, file func(Party) string) error {
	var newest time.Time
	paths := []string{f.path(bundleFile)}
	for _, p := range parties {
		paths = append(paths, file(p))
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return candor.Wrap("authority", err)
		}
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	wait := newest.Add(Settle).Sub(f.now())
	if wait <= 0 {
		return nil
	}
	return &candor.Error{
		Reason: candor.ReasonUnavailable, RetryAfter: wait,
		Message: fmt.Sprintf("the files of the last step are younger than %s, and parties look at theirs every 10s: go on in %s", Settle, wait.Round(time.Second)),
	}
}
