// Command bench measures Candor beside etcd: the same work, each on three member
// processes of its own with data on the same disk, in alternating rounds.
//
// It exits 0 when every asked row was measured, 1 when one was not, 2 for wrong
// use, 8 with --check when a target is not shown to be reached, and 130 when it
// was interrupted. However it ends, its member processes end with it; unless it
// is killed outright it also removes their data, and the next run removes what a
// killed one left.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/candor-plane/candor/bench/etcd"
)

const (
	exitDone        = 0
	exitError       = 1
	exitUsage       = 2
	exitMissed      = 8
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == etcd.MemberCommand {
		return runMember(ctx, args[1:], stderr)
	}
	options, err := parse(args, stderr)
	if errors.Is(err, errHelp) {
		return exitDone
	}
	if err != nil {
		fmt.Fprintf(stderr, "bench: %v\n", err)
		return exitUsage
	}
	ctx, cancel := context.WithTimeout(ctx, options.timeout)
	defer cancel()
	watched, stopWatching := followParent(ctx)
	defer stopWatching()
	code, err := bench{options: options, stdout: stdout, stderr: stderr}.run(watched)
	if err != nil {
		fmt.Fprintf(stderr, "bench: %v\n", err)
	}
	return code
}

func runMember(ctx context.Context, args []string, stderr io.Writer) int {
	if len(args) != 2 || args[0] != "--config" {
		fmt.Fprintf(stderr, "bench %s: arguments %q, wanted --config FILE\n", etcd.MemberCommand, args)
		return exitUsage
	}
	if err := etcd.RunMember(ctx, args[1]); err != nil {
		fmt.Fprintf(stderr, "bench %s: %v\n", etcd.MemberCommand, err)
		return exitError
	}
	return exitDone
}
