package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/candor-plane/candor"
)

const (
	// shimArgument is what follows the program in the command line of a worker's shim, and
	// the instance's folder follows that. A shim outlives its worker, and its environment
	// is a few variables, no mark among them.
	shimArgument = "worker-shim"
	// instanceVariable is in the environment of every command that a shim runs.
	instanceVariable = "CANDOR_INSTANCE_UID="
)

// EndInstances ends what workers of the drill whose directory that is ran: shims, and with
// them their commands. It is for after the end of the workers, and returns once nothing
// has been there for a moment: a worker that is killed may be about to start a shim. An
// error says what is left.
func EndInstances(ctx context.Context, dir string) error {
	const quietFor, longest = 200 * time.Millisecond, 20 * time.Second
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	text, err := os.ReadFile(filepath.Join(dir, markFile))
	if err != nil {
		return candor.Errorf(candor.ReasonUnavailable, "end the instances of a drill: %w", err)
	}
	mark := bytes.TrimSpace(text)
	for quiet := time.Now(); time.Since(quiet) < quietFor; {
		numbers, err := processNumbers()
		if err != nil {
			return candor.Errorf(candor.ReasonUnavailable, "end the instances of a drill: %w", err)
		}
		for _, number := range numbers {
			ended, err := endIf(ctx, number, func() (bool, error) { return belongsTo(number, dir, mark), nil })
			if err != nil {
				return candor.Errorf(candor.ReasonUnavailable, "end the instances of a drill: %w", err)
			}
			if ended != "" {
				quiet = time.Now()
			}
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return candor.Errorf(candor.ReasonTimedOut, "end the instances of a drill: %w", context.Cause(ctx))
		}
	}
	return nil
}

func processNumbers() ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var out []int
	for _, entry := range entries {
		if number, err := strconv.Atoi(entry.Name()); err == nil {
			out = append(out, number)
		}
	}
	return out, nil
}

// belongsTo says whether a process is a shim below the directory, or what a shim of the
// drill with that mark runs.
func belongsTo(number int, dir string, mark []byte) bool {
	if shim := shimFolder(number); shim != "" {
		return strings.HasPrefix(shim, dir+"/")
	}
	environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", number))
	if err != nil {
		return false // gone, or another user's
	}
	marked, instance := false, false
	for variable := range bytes.SplitSeq(environment, []byte{0}) {
		text, is := bytes.CutPrefix(variable, []byte(markVariable+"="))
		marked = marked || is && bytes.Equal(text, mark)
		instance = instance || bytes.HasPrefix(variable, []byte(instanceVariable))
	}
	return marked && instance
}

// shimFolder is the instance's folder of a process that is a shim; empty for any other.
func shimFolder(number int) string {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", number))
	if err != nil {
		return ""
	}
	words := strings.Split(string(line), "\x00")
	if len(words) < 3 || words[1] != shimArgument || !filepath.IsAbs(words[2]) {
		return ""
	}
	return filepath.Clean(words[2])
}

// shimOfDead says whether a process is a shim in the directory of a dead drill of this user.
func shimOfDead(number int) (bool, error) {
	for at := shimFolder(number); at != "" && at != "/"; at = filepath.Dir(at) {
		if !strings.HasPrefix(filepath.Base(at), directoryPrefix) {
			continue
		}
		mark, err := markOf(at)
		if err != nil || mark == nil {
			return false, err
		}
		return mark.dead()
	}
	return false, nil
}

// markOf is the mark of a directory that a drill of this user made; nil for any other.
func markOf(path string) (*Mark, error) {
	stat, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // there is none
	}
	if err != nil {
		return nil, err
	}
	owner, ok := stat.Sys().(*syscall.Stat_t)
	if !ok || !stat.IsDir() || int(owner.Uid) != os.Geteuid() {
		return nil, nil //nolint:nilnil // it is nobody's that is cleaned up after
	}
	text, err := os.ReadFile(filepath.Join(path, markFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // it is no drill's
	}
	if err != nil {
		return nil, err
	}
	if mark, ok := parseMark(text); ok {
		return &mark, nil
	}
	return nil, nil //nolint:nilnil // it is no drill's
}

// endIf ends a process of which that is so, and says which. The process is held from
// before it is asked about, so that its number cannot become another's meanwhile.
func endIf(ctx context.Context, number int, is func() (bool, error)) (string, error) {
	held, err := unix.PidfdOpen(number, 0)
	if err != nil {
		return "", nil // it is gone, or a thread
	}
	defer unix.Close(held)
	if so, err := is(); !so || err != nil {
		return "", err
	}
	name := fmt.Sprintf("process %d (%s)", number, commandOf(number))
	if err := unix.PidfdSendSignal(held, unix.SIGKILL, nil, 0); err != nil {
		if errors.Is(err, unix.ESRCH) {
			return "", nil
		}
		return "", fmt.Errorf("%s: %w", name, err)
	}
	const goes = 5 * time.Second
	for began := time.Now(); time.Since(began) < goes && ctx.Err() == nil; {
		ready := []unix.PollFd{{Fd: int32(held), Events: unix.POLLIN}}
		if n, err := unix.Poll(ready, 100); n > 0 && err == nil {
			return name, nil
		}
	}
	return "", fmt.Errorf("%s was killed, and is still there", name)
}
