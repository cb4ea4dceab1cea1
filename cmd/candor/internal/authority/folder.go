package authority

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
)

// The files of a folder.
const (
	bundleFile = "ca.crt"
	keyFile    = "ca.key"
	nextFile   = "ca-next.key" // while a rotation has begun: the key that will issue
)

// Folder is an authority in its folder. It belongs to one goroutine, and two
// processes do not change the same folder at once.
type Folder struct {
	dir string
	now func() time.Time

	issuing *identity.Authority // signs
	next    *identity.Authority // will, once the rotation is switched; nil without one
	old     *x509.Certificate   // did, and is trusted until the rotation is finished; nil without one
}

// State says how far a rotation is.
type State string

// The states.
const (
	Steady   State = "steady"   // one authority
	Begun    State = "begun"    // two are trusted, the old one issues
	Switched State = "switched" // two are trusted, the new one issues
)

// Init makes the folder of a new authority. CONFLICT where there is one, or a part
// of one.
func Init(dir, cluster string, validFor time.Duration, now func() time.Time) (*Folder, error) {
	f := &Folder{dir: dir, now: now}
	for _, name := range []string{bundleFile, keyFile, nextFile} {
		if _, err := os.Lstat(f.path(name)); !errors.Is(err, fs.ErrNotExist) {
			return nil, &candor.Error{
				Reason: candor.ReasonConflict, Subject: f.path(name), Err: err,
				Message: f.path(name) + " exists and is not overwritten: without it nobody can be issued a certificate that its cluster trusts",
			}
		}
	}
	made, err := identity.NewAuthority(cluster, validFor, now())
	if err != nil {
		return nil, err
	}
	f.issuing = made
	// The key comes first: with the bundle the authority is there.
	if err := identity.WriteFiles(identity.Files{Key: f.path(keyFile)}, identity.Content{Key: made.KeyPEM()}); err != nil {
		return nil, err
	}
	return f, f.writeBundle(dir)
}

// Open reads the folder. NOT_FOUND where there is no authority, INVALID where the
// files are not what this package writes.
func Open(dir string, now func() time.Time) (*Folder, error) {
	f := &Folder{dir: dir, now: now}
	bundle, err := f.read(bundleFile)
	if err != nil {
		return nil, err
	}
	key, err := f.read(keyFile)
	if err != nil {
		return nil, err
	}
	next, err := f.read(nextFile)
	if err != nil && candor.ReasonOf(err) != candor.ReasonNotFound {
		return nil, err
	}
	_, certificates, err := identity.ParseAuthorities(bundle)
	if err != nil {
		return nil, candor.Wrap(f.path(bundleFile), err)
	}
	for _, certificate := range certificates {
		if err := f.place(certificate, key, next); err != nil {
			return nil, err
		}
	}
	if f.issuing == nil {
		return nil, candor.Errorf(candor.ReasonInvalid, "%s is the key of none of the authorities in %s: bring back the pair that was made together", f.path(keyFile), f.path(bundleFile))
	}
	return f, nil
}

// place finds what a certificate of the bundle is: by whose key it is.
func (f *Folder) place(certificate *x509.Certificate, key, next []byte) error {
	text := encode(certificate)
	if a, err := identity.LoadAuthority(text, key); err == nil {
		f.issuing = a
		return nil
	}
	if a, err := identity.LoadAuthority(text, next); len(next) > 0 && err == nil {
		f.next = a
		return nil
	}
	if f.old != nil {
		return candor.Errorf(candor.ReasonInvalid, "%s holds more authorities than a rotation has: this folder keeps the one that issues, and beside it the next or the last", f.path(bundleFile))
	}
	f.old = certificate
	return nil
}

// Dir is where the folder is.
func (f *Folder) Dir() string { return f.dir }

// Cluster is whose authority it is.
func (f *Folder) Cluster() string { return f.issuing.Cluster() }

// Authority is the one that issues.
func (f *Folder) Authority() *identity.Authority { return f.issuing }

// State is how far a rotation is.
func (f *Folder) State() State {
	switch {
	case f.next != nil:
		return Begun
	case f.old != nil:
		return Switched
	default:
		return Steady
	}
}

// Bundle is the path of what every party trusts.
func (f *Folder) Bundle() string { return f.path(bundleFile) }

// Key is the path of the key that issues.
func (f *Folder) Key() string { return f.path(keyFile) }

func (f *Folder) path(name string) string { return filepath.Join(f.dir, name) }

func (f *Folder) read(name string) ([]byte, error) {
	data, err := os.ReadFile(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &candor.Error{Reason: candor.ReasonNotFound, Subject: f.path(name), Message: "there is no authority in " + f.dir + ": " + f.path(name) + " is missing", Err: err}
	}
	return data, candor.Wrap("authority", err)
}

// bundle is what parties trust now: the issuing authority first.
func (f *Folder) bundle() []byte {
	text := f.issuing.CertPEM()
	if f.next != nil {
		text = append(text, f.next.CertPEM()...)
	}
	if f.old != nil {
		text = append(text, encode(f.old)...)
	}
	return text
}

func (f *Folder) writeBundle(dir string) error {
	return identity.WriteFiles(identity.Files{CA: filepath.Join(dir, bundleFile)}, identity.Content{CA: f.bundle()})
}

func encode(certificate *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
}
