package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/network"
)

// inShelter runs this command line again in namespaces of its own, where this user is
// refused network namespaces otherwise, and says whether it did. An interrupt reaches
// it from here, once.
func (o *DrillRunOptions) inShelter(ctx context.Context) (code int, done bool, err error) {
	if o.Dev != "" || network.Layer(o.Links) == network.Proxies || network.Sheltered() || !network.NeedsShelter(ctx) {
		return 0, false, nil
	}
	self, err := os.Executable()
	if err != nil {
		return 0, false, err
	}
	command := exec.Command(self, o.line()...)
	command.Stdin, command.Stdout, command.Stderr = o.In, o.Out, o.Err
	network.Shelter(command)
	if err := command.Start(); err != nil {
		return 0, false, candor.Errorf(candor.ReasonUnavailable, "%w: choose --links proxies", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = command.Process.Signal(syscall.SIGTERM) }) // who is gone needs none
	defer stop()
	err = command.Wait()
	if failed, ended := errors.AsType[*exec.ExitError](err); ended && failed.Exited() {
		return failed.ExitCode(), true, nil
	}
	return 0, true, err
}

// exited is how a command ends that another process stood in for.
func exited(code int) error {
	if code == candor.ExitDone {
		return nil
	}
	return &ended{exit: code}
}
