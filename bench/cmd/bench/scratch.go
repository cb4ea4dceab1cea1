package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/candor-plane/candor/bench/report"
)

// scratchPrefix begins the name of every data directory; the process ID follows.
const scratchPrefix = "candor-bench-"

// scratch makes the directory that everything of this run lies in, on a real
// disk, and removes those that killed runs have left beside it.
func scratch(parent string) (string, error) {
	if parent == "" {
		parent = os.TempDir()
		kind, err := report.FileSystem(parent)
		if err != nil {
			return "", err
		}
		if kind == "tmpfs" {
			parent = "."
		}
	}
	parent, err := filepath.Abs(parent)
	if err != nil {
		return "", fmt.Errorf("find the data directory: %w", err)
	}
	if err := sweep(parent); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(parent, fmt.Sprintf("%s%d-*", scratchPrefix, os.Getpid()))
	if err != nil {
		return "", fmt.Errorf("make the data directory: %w", err)
	}
	return dir, nil
}

func sweep(parent string) error {
	left, err := filepath.Glob(filepath.Join(parent, scratchPrefix+"*"))
	if err != nil {
		return fmt.Errorf("look for data that a killed run left: %w", err)
	}
	for _, dir := range left {
		name := strings.TrimPrefix(filepath.Base(dir), scratchPrefix)
		pid, err := strconv.Atoi(name[:max(strings.IndexByte(name, '-'), 0)])
		if err != nil || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("remove data that a killed run left: %w", err)
		}
	}
	return nil
}
