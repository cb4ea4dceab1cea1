package cli

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/drill/stage"
)

// drillChild is the command's name.
const drillChild = stage.ChildArgument

// NewCmdDrillChild returns the hidden command that plays a part for a drill. It ends the
// process itself, with the exit code of the part.
func NewCmdDrillChild() *cobra.Command {
	return &cobra.Command{
		Use: drillChild + " PART …", Short: "Play a part for a drill", Hidden: true,
		Example:            "candor " + drillChild + " sweep DIRECTORY",
		DisableFlagParsing: true, // the rest may be another program's line
		Args:               arguments(1, -1, "a part, and what it takes"),
		Run:                func(_ *cobra.Command, args []string) { os.Exit(stage.Child(args)) },
	}
}
