package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/candor-plane/candor"
)

// Clean removes what drills of this user that were killed left: first their
// processes, then what is mounted below their directories, then these. It looks
// for directories below the machine's directory for temporary files and below
// parents. It says what it removed, also where it failed in between.
func Clean(ctx context.Context, parents ...string) ([]string, error) {
	removed, err := endProcesses(ctx)
	for _, parent := range append([]string{os.TempDir()}, parents...) {
		if ctx.Err() != nil {
			err = errors.Join(err, context.Cause(ctx))
			break
		}
		paths, failed := filepath.Glob(filepath.Join(parent, directoryPrefix+"*"))
		err = errors.Join(err, failed)
		for _, path := range paths {
			out, failed := removeDirectory(path)
			removed = append(removed, out...)
			err = errors.Join(err, failed)
		}
	}
	if err != nil {
		return removed, candor.Errorf(candor.ReasonUnavailable, "clean up after drills: %w", err)
	}
	return removed, nil
}

// endProcesses ends those that dead drills left, but none that this
// process descends from, and waits until they are gone.
func endProcesses(ctx context.Context) ([]string, error) {
	numbers, err := processNumbers()
	if err != nil {
		return nil, err
	}
	spared := ancestors()
	var removed []string
	for _, number := range numbers {
		if slices.Contains(spared, number) {
			continue
		}
		ended, failed := endIf(ctx, number, func() (bool, error) { return leftBehind(number) })
		if ended != "" {
			removed = append(removed, ended)
		}
		if failed != nil {
			return removed, failed
		}
	}
	return removed, nil
}

// ancestors are this process, its parent, and so on.
func ancestors() []int {
	var out []int
	for process := os.Getpid(); process > 1; {
		out = append(out, process)
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
		if err != nil {
			break
		}
		_, after, _ := bytes.Cut(status, []byte("\nPPid:"))
		parent, _, _ := bytes.Cut(after, []byte("\n"))
		if process, err = strconv.Atoi(strings.TrimSpace(string(parent))); err != nil {
			break
		}
	}
	return out
}

// leftBehind says whether a process is a dead drill's: by its mark, or for a shim by the
// folder that it is for.
func leftBehind(number int) (bool, error) {
	if carries, err := carriesDeadMark(number); carries || err != nil {
		return carries, err
	}
	return shimOfDead(number)
}

func carriesDeadMark(number int) (bool, error) {
	environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", number))
	if err != nil {
		return false, nil // gone, or another user's
	}
	for variable := range bytes.SplitSeq(environment, []byte{0}) {
		text, ours := bytes.CutPrefix(variable, []byte(markVariable+"="))
		if !ours {
			continue
		}
		mark, ok := parseMark(text)
		if !ok {
			return false, nil
		}
		return mark.dead()
	}
	return false, nil
}

func commandOf(number int) string {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", number))
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
}

// removeDirectory removes one that a dead drill of this user made, and what is
// mounted below it. Where something stays mounted, it stays.
func removeDirectory(path string) ([]string, error) {
	mark, err := markOf(path)
	if err != nil || mark == nil {
		return nil, err
	}
	if dead, err := mark.dead(); !dead || err != nil {
		return nil, err
	}
	removed, err := unmount(path)
	if err != nil {
		return removed, err
	}
	if err := os.RemoveAll(path); err != nil {
		return removed, err
	}
	return append(removed, "directory "+path), nil
}

// unmount ends what is mounted below a directory, the last mounted first.
func unmount(path string) ([]string, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var below []string
	for line := range strings.Lines(string(table)) {
		const mountPoint = 4 // proc_pid_mountinfo(5)
		fields := strings.Fields(line)
		if len(fields) <= mountPoint {
			continue
		}
		if at := unescape(fields[mountPoint]); strings.HasPrefix(at, path+"/") {
			below = append(below, at)
		}
	}
	slices.Reverse(below)
	var removed []string
	for _, at := range below {
		if err := unix.Unmount(at, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
			return removed, fmt.Errorf("what is mounted at %s: %w", at, err)
		}
		removed = append(removed, "mount "+at)
	}
	return removed, nil
}

// unescape undoes what mountinfo writes for blanks: a backslash and three octal
// digits.
func unescape(path string) string {
	var out strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] == '\\' && i+3 < len(path) {
			if n, err := strconv.ParseUint(path[i+1:i+4], 8, 8); err == nil {
				out.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		out.WriteByte(path[i])
	}
	return out.String()
}
