package cli

import "github.com/spf13/cobra"

// NewCmdSnapshot returns `candor snapshot` and its commands.
func NewCmdSnapshot(f *Factory) *cobra.Command {
	return newGroup("snapshot", "Keep the cluster's state in a file",
		NewCmdSnapshotSave(f, nil), NewCmdSnapshotInspect(f, nil), NewCmdSnapshotRestore(f, nil))
}
