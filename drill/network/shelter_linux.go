package network

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const shelteredVariable = "CANDOR_DRILL_SHELTER"

// Sheltered says whether Shelter was used on this process.
func Sheltered() bool { return os.Getenv(shelteredVariable) != "" }

// NeedsShelter says whether this process is refused namespaces, and may have them in a
// shelter.
func NeedsShelter(ctx context.Context) bool {
	return !checkNamespaces(ctx).Able && checkShelter(ctx).Able
}

// Shelter has a command, which has not begun, run in user, network and mount
// namespaces of its own, where it may make namespaces and mount without rights on
// the machine: a program that was refused namespaces starts itself so. Files that
// it makes are the caller's. The command ends with this process, and gets no signals that a
// terminal sends to this one's group.
func Shelter(command *exec.Cmd) {
	if command.Env == nil {
		command.Env = os.Environ()
	}
	command.Env = append(command.Env, shelteredVariable+"=1")
	command.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig:   syscall.SIGKILL,
		Setpgid:     true,
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET | unix.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
}

// wakeLoopback has a shelter's own loopback, which begins asleep, carry.
func wakeLoopback() error {
	if !Sheltered() {
		return nil
	}
	command := exec.Command("ip", "link", "set", "lo", "up")
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := command.CombinedOutput()
	if _, failed := errors.AsType[*exec.ExitError](err); failed {
		return fmt.Errorf("the shelter's loopback: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return err
}
