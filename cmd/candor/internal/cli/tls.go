package cli

import (
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/authority"
	"github.com/candor-plane/candor/identity"
)

// How long what is issued is valid, unless asked otherwise.
const (
	authorityValid   = 87600 * time.Hour
	certificateValid = 2160 * time.Hour
)

// NewCmdTLS returns `candor tls` and its commands.
func NewCmdTLS(f *Factory) *cobra.Command {
	cmd := newGroup("tls", "Make and rotate the certificates of a cluster",
		NewCmdTLSInit(f, nil), NewCmdTLSIssue(f), NewCmdTLSRotate(f), NewCmdTLSShow(f, nil))
	cmd.Long = `Make and rotate the certificates of a cluster.

A cluster has an authority: a folder (--dir) with the key that issues (ca.key),
which stays where it is, and the authorities that everybody trusts (ca.crt).
Each party has a folder with all that it needs: its certificate, its key and
ca.crt. Servers look at their files every ten seconds and need no restart.`
	cmd.Example = `candor tls init
candor tls issue server --data ./n1 --name n1 --address n1.example.org
candor tls issue client ana
candor tls show tls`
	return cmd
}

// registerTLSDir adds --dir, the authority's folder.
func registerTLSDir(flags *pflag.FlagSet, dir *string) {
	flags.StringVar(dir, "dir", "tls", "the authority's `folder`")
}

// completeFolders completes the flags whose values are folders.
func completeFolders(cmd *cobra.Command, flags ...string) {
	for _, flag := range flags {
		if err := cmd.MarkFlagDirname(flag); err != nil {
			// The flag was registered a moment ago.
			panic(err)
		}
	}
}

// openAuthority opens a folder that must be there.
func (f *Factory) openAuthority(dir string) (*authority.Folder, error) {
	folder, err := authority.Open(dir, f.Now)
	if candor.ReasonOf(err) == candor.ReasonNotFound {
		return nil, try(err, "candor tls init --dir "+shown([]string{dir})[0], "the same command with --dir FOLDER")
	}
	return folder, err
}

// tlsFlags are the flags with which a command or server uses the files.
func tlsFlags(files identity.Files) string {
	paths := shown([]string{files.CA, files.Cert, files.Key})
	return strings.Join([]string{"--tls-ca", paths[0], "--tls-cert", paths[1], "--tls-key", paths[2]}, " ")
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
