package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/candor-plane/candor"
)

// Main runs the process's command line and returns its exit code. SIGINT and
// SIGTERM end the command's context; a second one ends the process.
func Main(version string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return Run(ctx, NewFactory(version), os.Args[1:])
}

// Run runs one command line and returns its exit code.
func Run(ctx context.Context, f *Factory, args []string) int {
	root := NewCmdRoot(f)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if closed := f.Close(); err == nil {
		err = closed
	}
	f.endTrace(err)
	if err != nil && candor.ReasonOf(err) == candor.ReasonInternal && !isOurs(err) {
		// The flag and command parser's own errors have no reason.
		err = try(usage("%s", err), cmd.CommandPath()+" --help")
	}
	code, told := f.exitOf(err)
	if !told {
		f.help = cmd.CommandPath() + " --help"
		f.tell(strings.Join(append([]string{"candor"}, shown(args)...), " "), err)
	}
	return code
}

func isOurs(err error) bool {
	_, known := errorOf(err)
	_, done := errors.AsType[*ended](err)
	return known || done
}

// shown are arguments as a shell would take them.
func shown(args []string) []string {
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = arg
		if arg == "" || strings.ContainsAny(arg, " \t\n\"'`$&|;<>(){}*?!#~\\") {
			quoted[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
	}
	return quoted
}
