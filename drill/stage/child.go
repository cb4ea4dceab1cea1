package stage

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/doctor"
	"github.com/candor-plane/candor/drill/stage/calls"
	"github.com/candor-plane/candor/drill/stage/disk"
)

// ChildArgument is the hidden command's name under which a program calls Child.
const ChildArgument = "drill-child"

// Child plays the part that a stage needs a process of its own for: one that becomes a
// server whose system calls are asked about, one that holds a disk, one that clears up
// after a stage that was killed. args are what follows ChildArgument. What it says goes
// to standard output.
func Child(args []string) (exit int) {
	if err := child(args); err != nil {
		fmt.Fprintln(os.Stdout, err)
		return candor.ReasonOf(err).Disposition().Exit
	}
	return candor.ExitDone
}

func child(args []string) error {
	if len(args) == 0 {
		return candor.Errorf(candor.ReasonUsage, "want what to be: %s, %s or %s", calls.Role, disk.RoomRole, sweepRole)
	}
	switch args[0] {
	case calls.Role:
		return calls.Become(args[1:])
	case disk.RoomRole:
		return disk.HoldRoom(args[1:], os.Stdin, os.Stdout)
	case sweepRole:
		return sweep(args[1:])
	}
	return candor.Errorf(candor.ReasonUsage, "there is no part %q", args[0])
}

const (
	sweepRole = "sweep"
	// sweepPatience is how long what lives in a directory may take to end.
	sweepPatience = 20 * time.Second
)

// sweep is the child that waits for its parent's end and then removes a stage's
// directory. It outlives its parent.
func sweep(args []string) error {
	if len(args) != 1 || !filepath.IsAbs(args[0]) {
		return candor.Errorf(candor.ReasonUsage, "want the directory of a stage: %q", args)
	}
	if !marked(args[0]) {
		return candor.Errorf(candor.ReasonInvalid, "%s is no drill's", args[0])
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return candor.Wrap("sweep", err)
	}
	if _, err := os.Stat(filepath.Join(args[0], workersFolder)); err == nil {
		if err := doctor.EndInstances(context.Background(), args[0]); err != nil {
			return err
		}
	}
	return remove(args[0], sweepPatience)
}

// remove removes a stage's directory, in which processes that are about to end may still
// write.
func remove(dir string, patience time.Duration) error {
	for deadline := time.Now().Add(patience); ; {
		err := os.RemoveAll(dir)
		if err == nil || time.Now().After(deadline) {
			return candor.Wrap("remove what a stage left", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// command is how this program is run as a child in a part.
func command(child []string, args ...string) (program string, all []string) {
	return child[0], slices.Concat(child[1:], args)
}
