// Command candor is Candor whole: servers, and the command line that talks to
// them.
package main

import (
	"os"

	"github.com/candor-plane/candor/cmd/candor/internal/cli"
)

// version is set by the linker.
var version = "unversioned"

func main() { os.Exit(cli.Main(version)) }
