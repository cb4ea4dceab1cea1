package cli

import "github.com/spf13/cobra"

// NewCmdAudit returns `candor audit` and its commands.
func NewCmdAudit(f *Factory) *cobra.Command {
	return newGroup("audit", "Read who did what, and who was refused", NewCmdAuditTail(f, nil))
}
