package cli

import (
	"strconv"

	"github.com/spf13/cobra"
)

// NewCmdAuth returns `candor auth` and its commands.
func NewCmdAuth(f *Factory) *cobra.Command {
	cmd := newGroup("auth", "Turn access control on, and see who may do what",
		NewCmdAuthBootstrap(f, nil), NewCmdAuthWhoAmI(f, nil), NewCmdAuthCanI(f, nil), NewCmdAuthToken(f))
	cmd.Long = `Turn access control on, and see who may do what. Roles, role bindings and tokens
are objects: "candor get roles", "candor apply -f". "candor help access" says how
they go together.`
	return cmd
}

// NewCmdAuthToken returns `candor auth token` and its commands.
func NewCmdAuthToken(f *Factory) *cobra.Command {
	return newGroup("token", "Make, list and revoke tokens",
		NewCmdAuthTokenCreate(f, nil), NewCmdAuthTokenList(f, nil), NewCmdAuthTokenRevoke(f, nil))
}

// accessText says whether access control is on.
func accessText(epoch uint64) string {
	switch epoch {
	case 0:
		return "off: everybody may do everything"
	case 1:
		return "on"
	}
	return "on, opened " + strconv.FormatUint(epoch, 10) + " times"
}

// Next steps of who is not known, or may not.
const (
	tryWhoAmI = "candor auth whoami      as whom the servers know you, and your roles"
	tryCanI   = "candor auth can-i VERB KIND [NAME]      what you may do, and by which role"
	tryToken  = "the same command with --token-file FILE, or with " + tokenVariable + " set to the token"
	tryNew    = "candor auth token create --actor NAME      an administrator makes a token so"
)
