package authority

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
)

// Party is a party's files on this machine.
type Party struct {
	Identity candor.Identity
	Files    identity.Files
	// Certificate is its own; its authority may have been replaced since.
	Certificate *x509.Certificate
}

// Dir is the folder of its files.
func (p Party) Dir() string { return filepath.Dir(p.Files.Cert) }

// Request is for one certificate.
type Request struct {
	Identity candor.Identity
	ValidFor time.Duration
	// Addresses are for servers: host names and IPs, without ports.
	Addresses []string
	// Out is the folder to write to; "" for the one named Prefix below the authority's.
	Out string
	// Prefix begins the names of the files: PREFIX.crt and PREFIX.key.
	Prefix string
	// Overwrite replaces an earlier certificate of the same identity.
	Overwrite bool
}

// Issue makes a key and a certificate, and writes them with the bundle. CONFLICT
// where files are there that it may not replace.
func (f *Folder) Issue(r Request) (Party, error) {
	files, err := f.files(r)
	if err != nil {
		return Party{}, err
	}
	for _, path := range []string{files.Cert, files.Key} {
		if _, err := os.Lstat(path); !r.Overwrite && !errors.Is(err, fs.ErrNotExist) {
			return Party{}, &candor.Error{Reason: candor.ReasonConflict, Subject: path, Message: path + " exists and is not overwritten unasked", Err: err}
		}
	}
	found, err := partyOf(files)
	if err == nil && found.Identity != r.Identity {
		return Party{}, &candor.Error{
			Reason: candor.ReasonConflict, Subject: files.Cert,
			Message: files.Cert + " is the certificate of " + found.Identity.URI() + ", not of " + r.Identity.URI() + ": it is not overwritten; choose another folder",
		}
	}
	cert, key, err := f.issuing.Issue(r.Identity, r.ValidFor, f.now(), r.Addresses)
	if err != nil {
		return Party{}, err
	}
	if err := identity.WriteFiles(files, identity.Content{CA: f.bundle(), Cert: cert, Key: key}); err != nil {
		return Party{}, err
	}
	return partyOf(files)
}

func (f *Folder) files(r Request) (identity.Files, error) {
	if err := candor.CheckPartyName(r.Prefix); err != nil {
		return identity.Files{}, err
	}
	dir := r.Out
	if dir == "" {
		dir = f.path(r.Prefix)
	}
	files := identity.Files{CA: filepath.Join(dir, bundleFile), Cert: filepath.Join(dir, r.Prefix+".crt"), Key: filepath.Join(dir, r.Prefix+".key")}
	// Some file systems do not tell upper from lower case.
	if own := strings.ToLower(r.Prefix + ".key"); own == keyFile || own == nextFile {
		return identity.Files{}, candor.Errorf(candor.ReasonInvalid, "the name %q would make the files of an authority of those of a party: take another name", r.Prefix)
	}
	return files, nil
}

// Parties are those whose certificate and key are in the folder or in a folder
// directly below it.
func (f *Folder) Parties() ([]Party, error) {
	var parties []Party
	for _, pattern := range []string{"*.crt", filepath.Join("*", "*.crt")} {
		certificates, err := fs.Glob(os.DirFS(f.dir), filepath.ToSlash(pattern))
		if err != nil {
			return nil, candor.Wrap("authority", err)
		}
		for _, name := range certificates {
			cert := f.path(filepath.FromSlash(name))
			files := identity.Files{CA: filepath.Join(filepath.Dir(cert), bundleFile), Cert: cert, Key: strings.TrimSuffix(cert, ".crt") + ".key"}
			party, err := partyOf(files)
			if err != nil || party.Identity.Cluster != f.Cluster() {
				continue // a bundle, or nothing of ours
			}
			if _, err := os.Stat(files.Key); err != nil {
				continue // without its key it is nobody's
			}
			parties = append(parties, party)
		}
	}
	return parties, nil
}

// partyOf reads who a certificate file belongs to; it judges nothing.
func partyOf(files identity.Files) (Party, error) {
	text, err := os.ReadFile(files.Cert)
	if err != nil {
		return Party{}, candor.Wrap("authority", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return Party{}, candor.Errorf(candor.ReasonInvalid, "%s holds no certificate", files.Cert)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return Party{}, candor.Errorf(candor.ReasonInvalid, "%s: %w", files.Cert, err)
	}
	if certificate.IsCA || len(certificate.URIs) != 1 {
		return Party{}, candor.Errorf(candor.ReasonInvalid, "%s is no party's certificate", files.Cert)
	}
	id, err := candor.ParseIdentity(certificate.URIs[0].String())
	return Party{Identity: id, Files: files, Certificate: certificate}, err
}

// by says whether the authority signed the party's certificate.
func (p Party) by(authority *x509.Certificate) bool {
	return bytes.Equal(p.Certificate.RawIssuer, authority.RawSubject) && p.Certificate.CheckSignatureFrom(authority) == nil
}
