package cli

import "github.com/spf13/cobra"

// NewCmdDebug returns `candor debug` and its commands.
func NewCmdDebug(f *Factory) *cobra.Command {
	return newGroup("debug", "Collect what is known of a cluster in trouble", NewCmdDebugBundle(f, nil), NewCmdDebugInspect(f, nil))
}
