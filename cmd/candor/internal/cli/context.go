package cli

import (
	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/contextfile"
)

// NewCmdContext returns `candor context` and its commands.
func NewCmdContext(f *Factory) *cobra.Command {
	cmd := newGroup("context", "Remember clusters, and choose one",
		NewCmdContextList(f, nil), NewCmdContextUse(f, nil), NewCmdContextShow(f, nil), NewCmdContextSet(f, nil))
	cmd.Long = `A context file names clusters: for each its API addresses, a namespace, and
the files that say who you are. "candor dev" writes one; CANDOR_CONTEXT or
--context-file says which is used.`
	return cmd
}

// contexts loads the context file; one that is not there is empty.
func (f *Factory) contexts() (file contextfile.File, path string, err error) {
	path, err = f.Flags.contextPath(f.Getenv)
	if err != nil {
		return contextfile.File{}, "", err
	}
	file, err = contextfile.Load(path)
	if candor.ReasonOf(err) == candor.ReasonNotFound {
		err = nil
	}
	return file, path, err
}
