package dev

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/worker/shim"
)

const lockFile = "dev.lock"

// hold takes the folder for this process: what finds it free knows that nobody runs a
// cluster there. Nil where the system has no such locks.
func hold(dir string) (*shim.Lock, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, candor.Wrap("dev", err)
	}
	lock, err := shim.TakeLock(filepath.Join(dir, lockFile))
	switch {
	case candor.ReasonOf(err) == candor.ReasonUnimplemented:
		return nil, nil //nolint:nilnil // as it says
	case err != nil:
		return nil, err
	case lock == nil:
		return nil, candor.Errorf(candor.ReasonDataLocked, "a cluster runs in %s already", dir)
	}
	return lock, nil
}

// Running counts the instances that run under a worker's folder, whether it lives or
// not.
func (c *Cluster) Running(worker string) (n int, err error) {
	dirs, err := instancesOf(filepath.Join(c.options.Dir, worker))
	for _, dir := range dirs {
		// A folder that does not read has no record of a process.
		if r, err := dir.Record(); err == nil && r != nil && r.State == shim.StateRunning {
			n++
		}
	}
	return n, err
}

func instancesOf(data string) ([]shim.Dir, error) {
	entries, err := os.ReadDir(filepath.Join(data, "instances"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, candor.Wrap("dev", err)
	}
	var out []shim.Dir
	for _, e := range entries {
		out = append(out, shim.Dir(filepath.Join(data, "instances", e.Name())))
	}
	return out, nil
}

// endInstances ends what workers left running in the cluster's folder, and says how
// many that were. No worker may run there.
func endInstances(dir string) (ended int, err error) {
	deadline := time.Now().Add(time.Minute)
	for {
		n, err := endInstancesOnce(dir)
		ended += n
		if err != nil {
			return ended, err
		}
		// A worker that ended may have left a shim that has not come to its command yet.
		left := shims(dir)
		if len(left) == 0 {
			return ended, nil
		}
		if time.Now().After(deadline) {
			return ended, candor.Errorf(candor.ReasonTimedOut, "processes %v run instances of %s and do not end", left, dir)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func endInstancesOnce(dir string) (int, error) {
	found, err := filepath.Glob(filepath.Join(glob(dir), "*", "instances"))
	if err != nil {
		return 0, candor.Wrap("dev", err)
	}
	var all []shim.Dir
	for _, path := range found {
		instances, err := instancesOf(filepath.Dir(path))
		if err != nil {
			return 0, err
		}
		all = append(all, instances...)
	}
	var wait sync.WaitGroup
	ran, failed := make([]bool, len(all)), make([]error, len(all))
	for n, instance := range all {
		wait.Go(func() { ran[n], failed[n] = endInstance(instance) })
	}
	wait.Wait()
	ended := 0
	for _, yes := range ran {
		if yes {
			ended++
		}
	}
	return ended, errors.Join(failed...)
}

// shims are the processes that run an instance of the folder, or are about to: their
// command line ends in its directory, proc_pid_cmdline(5).
func shims(dir string) (pids []string) {
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil
	}
	for _, path := range lines {
		line, err := os.ReadFile(path)
		if err != nil {
			continue // it is gone
		}
		args := strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
		if len(args) == 3 && args[1] == shim.Argument && strings.HasPrefix(args[2], dir+string(filepath.Separator)) {
			pids = append(pids, filepath.Base(filepath.Dir(path)))
		}
	}
	return pids
}

// glob takes a path for itself in a pattern.
func glob(path string) string {
	var out []rune
	for _, r := range path {
		if r == '*' || r == '?' || r == '[' || r == '\\' {
			out = append(out, '\\')
		}
		out = append(out, r)
	}
	return string(out)
}

// endInstance asks an instance to end, and after its grace kills it. Its processes are
// told from others by PID, start time and boot ID.
func endInstance(dir shim.Dir) (ran bool, err error) {
	uid := filepath.Base(string(dir))
	patience := grace
	if order, err := dir.Order(); err == nil && order != nil {
		patience = order.Grace() + 5*time.Second // the shim kills it before that
	}
	running, _, err := shim.Attach(context.Background(), dir, uid)
	if err != nil || running == nil {
		return false, err
	}
	defer func() { err = errors.Join(err, running.Close()) }()
	if err := running.Stop(); err != nil {
		return true, err
	}
	within, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := running.Wait(within, uid); err == nil {
		return true, nil
	}
	if err := running.Kill(); err != nil {
		return true, err
	}
	last, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	_, err = running.Wait(last, uid)
	return true, err
}

// Temporary makes a folder for a cluster that ends with its command, and removes those
// of this user whose command was killed, with what still runs there.
func Temporary(narrate func(format string, args ...any)) (string, error) {
	const prefix = "candor-dev-"
	old, err := filepath.Glob(filepath.Join(glob(os.TempDir()), prefix+"*"))
	if err != nil {
		return "", candor.Wrap("dev", err)
	}
	for _, dir := range old {
		removed, err := removeAbandoned(dir)
		switch {
		case err != nil:
			narrate("%s was left by a cluster that was killed, and is not removed: %v", dir, err)
		case removed:
			narrate("removed %s, which a cluster left that was killed", dir)
		}
	}
	dir, err := os.MkdirTemp("", prefix)
	return dir, candor.Wrap("dev", err)
}

func removeAbandoned(dir string) (removed bool, err error) {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() {
		return false, nil // it is gone, or no cluster's
	}
	// Anybody may make a folder there that names processes of ours.
	if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != os.Getuid() || info.Mode().Perm()&0o077 != 0 {
		return false, nil
	}
	// A folder without a lock is just being made.
	if _, err := os.Stat(filepath.Join(dir, lockFile)); err != nil {
		return false, nil
	}
	lock, err := hold(dir)
	if candor.ReasonOf(err) == candor.ReasonDataLocked || err == nil && lock == nil {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	if _, err := endInstances(dir); err != nil {
		return false, err
	}
	return true, candor.Wrap("dev", os.RemoveAll(dir))
}
