package authority

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
)

// Sight is what one certificate says, and what is wrong with it.
type Sight struct {
	File        string    `json:"file"`
	Identity    string    `json:"identity"`
	Role        string    `json:"role"` // authority, server, worker or client
	Name        string    `json:"name,omitempty"`
	Cluster     string    `json:"cluster"`
	Issuer      string    `json:"issuer"`
	Addresses   []string  `json:"addresses,omitempty"`
	NotBefore   time.Time `json:"notBefore"`
	NotAfter    time.Time `json:"notAfter"`
	Fingerprint string    `json:"fingerprint"`
	Warnings    []string  `json:"warnings,omitempty"`
}

// Look reads a file of certificates, or all *.crt of a folder and of the folders
// directly below it. State is "" where the folder is no authority's. NOT_FOUND
// where there are none, INVALID for a file that holds something else.
func Look(path string, now time.Time) (sights []Sight, state State, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, "", &candor.Error{Reason: candor.ReasonNotFound, Subject: path, Message: err.Error(), Err: err}
	}
	if !info.IsDir() {
		sights, err = lookAt(path, now)
		return sights, "", err
	}
	folder, err := Open(path, func() time.Time { return now })
	switch {
	case err == nil:
		state = folder.State()
	case candor.ReasonOf(err) != candor.ReasonNotFound:
		return nil, "", err
	}
	for _, pattern := range []string{"*.crt", "*/*.crt"} {
		names, err := fs.Glob(os.DirFS(path), pattern)
		if err != nil {
			return nil, "", candor.Wrap("authority", err)
		}
		for _, name := range names {
			// What parties trust beside an authority are copies of its bundle.
			if state != "" && strings.HasSuffix(name, "/"+bundleFile) {
				continue
			}
			more, err := lookAt(filepath.Join(path, filepath.FromSlash(name)), now)
			if err != nil {
				return nil, "", err
			}
			sights = append(sights, more...)
		}
	}
	if len(sights) == 0 {
		return nil, "", &candor.Error{Reason: candor.ReasonNotFound, Subject: path, Message: "there is no certificate (*.crt) in " + path}
	}
	return sights, state, nil
}

func lookAt(path string, now time.Time) ([]Sight, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, candor.Wrap("authority", err)
	}
	var sights []Sight
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return nil, candor.Errorf(candor.ReasonInvalid, "%s holds a %s: name a certificate, or a folder", path, strings.ToLower(block.Type))
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, candor.Errorf(candor.ReasonInvalid, "%s: %w", path, err)
		}
		sights = append(sights, sightOf(path, certificate, now))
	}
	if len(sights) == 0 {
		return nil, candor.Errorf(candor.ReasonInvalid, "%s holds no certificate in PEM", path)
	}
	if sights[0].Role != roleAuthority {
		sights[0].Warnings = append(sights[0].Warnings, trouble(path, now)...)
	}
	return sights, nil
}

const roleAuthority = "authority"

func sightOf(path string, c *x509.Certificate, now time.Time) Sight {
	s := Sight{
		File: path, Role: "unknown", Issuer: c.Issuer.String(), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
		Fingerprint: identity.Fingerprint(c), Addresses: slices.Clone(c.DNSNames),
	}
	for _, ip := range c.IPAddresses {
		s.Addresses = append(s.Addresses, ip.String())
	}
	if len(c.URIs) == 1 {
		s.Identity, s.Cluster = c.URIs[0].String(), c.URIs[0].Host
	}
	if c.IsCA {
		s.Role, s.Name = roleAuthority, c.Subject.CommonName
	} else if id, err := candor.ParseIdentity(s.Identity); err == nil {
		s.Role, s.Name = string(id.Party), id.Name
	} else {
		s.Warnings = append(s.Warnings, "it says of nobody in a cluster that it is theirs")
	}
	s.Warnings = append(s.Warnings, timing(c, now)...)
	return s
}

// timing warns of a certificate in the last third of its time, and outside of it.
func timing(c *x509.Certificate, now time.Time) []string {
	left := c.NotAfter.Sub(now)
	switch {
	case now.Before(c.NotBefore):
		return []string{"is not valid yet"}
	case left < 0:
		return []string{"has expired: nobody accepts it"}
	case left < c.NotAfter.Sub(c.NotBefore)/3:
		return []string{fmt.Sprintf("ends in %s: issue it anew", left.Round(time.Minute))}
	}
	return nil
}

// trouble is what would keep a party from using its files as they are here.
func trouble(cert string, now time.Time) []string {
	files := identity.Files{CA: filepath.Join(filepath.Dir(cert), bundleFile), Cert: cert, Key: strings.TrimSuffix(cert, filepath.Ext(cert)) + ".key"}
	for _, path := range []string{files.CA, files.Key} {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return []string{"not checked: " + path + " is not there"}
		}
	}
	m, err := identity.Load(files, now)
	if err != nil {
		return []string{err.Error()}
	}
	return m.Warnings
}
