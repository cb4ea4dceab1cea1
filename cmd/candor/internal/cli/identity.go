package cli

import (
	"errors"
	"path/filepath"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/identity"
)

// certificates are the files of flags, environment or context, in this order.
func (o *Flags) certificates(getenv func(string) string) (identity.Files, error) {
	files := o.TLS
	for _, f := range []struct {
		file     *string
		variable string
	}{{&files.CA, "CANDOR_TLS_CA"}, {&files.Cert, "CANDOR_TLS_CERT"}, {&files.Key, "CANDOR_TLS_KEY"}} {
		if *f.file == "" {
			*f.file = getenv(f.variable)
		}
	}
	if files != (identity.Files{}) || len(o.Servers) > 0 && o.Context == "" {
		return files, nil
	}
	path, err := o.contextPath(getenv)
	if err != nil {
		return files, err
	}
	context, err := o.context(getenv)
	if err != nil || context.TLS == nil {
		return files, err
	}
	at := func(file string) string {
		if file == "" || filepath.IsAbs(file) {
			return file
		}
		return filepath.Join(filepath.Dir(path), file)
	}
	return identity.Files{CA: at(context.TLS.CA), Cert: at(context.TLS.Cert), Key: at(context.TLS.Key)}, nil
}

// openIdentity reads the certificates of a command; nil for none.
func openIdentity(files identity.Files) (*identity.Source, error) {
	if files == (identity.Files{}) {
		return nil, nil //nolint:nilnil // plain TCP
	}
	if files.CA == "" || (files.Cert == "") != (files.Key == "") {
		return nil, usage("--tls-cert and --tls-key go together, and with --tls-ca")
	}
	own, err := identity.Open(files, identity.Options{Logger: hclog.NewNullLogger()})
	return own, candor.Wrap("certificates", err)
}

func closeBoth(c *client.Client, own *identity.Source) error {
	err := c.Close()
	if own != nil {
		err = errors.Join(err, own.Close())
	}
	return err
}
