package cli

import "github.com/spf13/cobra"

// NewCmdVerify returns `candor verify` and its commands.
func NewCmdVerify(f *Factory) *cobra.Command {
	return newGroup("verify", "Hold what was recorded, and the rules themselves, against every promise",
		NewCmdVerifyHistory(f, nil),
		NewCmdVerifyCoverage(f, nil),
		NewCmdVerifySim(f, nil),
	)
}
