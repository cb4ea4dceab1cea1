package report

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/candor-plane/candor/bench/system"
)

// Environment is what the numbers depend on besides the two systems.
type Environment struct {
	Started    time.Time                     `json:"started"`
	Cores      int                           `json:"cores"`
	Processor  string                        `json:"processor"`
	MemoryMiB  uint64                        `json:"memory_mib"`
	Kernel     string                        `json:"kernel"`
	Go         string                        `json:"go"`
	FileSystem string                        `json:"file_system"`
	FsyncP50   string                        `json:"fsync_p50"`
	FsyncDelay string                        `json:"fsync_delay"`
	NoiseLimit float64                       `json:"noise_limit"`
	Plan       string                        `json:"plan"`
	Load       []string                      `json:"load"`
	Systems    map[string]system.Description `json:"systems"`
}

const (
	// fsyncProbes is how many small synced writes the disk is asked for.
	fsyncProbes = 64
	probeBytes  = 4096
)

// Observe reads what the machine says about itself and times fsync in dir.
func Observe(dir string) (Environment, error) {
	fsync, err := probeFsync(dir)
	if err != nil {
		return Environment{}, err
	}
	kind, err := FileSystem(dir)
	if err != nil {
		return Environment{}, err
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return Environment{}, fmt.Errorf("read kernel version: %w", err)
	}
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return Environment{}, fmt.Errorf("read memory size: %w", err)
	}
	return Environment{
		Started:    time.Now().UTC().Truncate(time.Second),
		Cores:      runtime.NumCPU(),
		Processor:  processor(),
		MemoryMiB:  info.Totalram * uint64(info.Unit) >> 20,
		Kernel:     unix.ByteSliceToString(name.Release[:]),
		Go:         runtime.Version(),
		FileSystem: kind,
		FsyncP50:   fsync.Round(time.Microsecond).String(),
	}, nil
}

// FileSystem names the kind of file system that dir is on.
func FileSystem(dir string) (string, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return "", fmt.Errorf("look at the file system of %s: %w", dir, err)
	}
	switch stat.Type {
	case unix.EXT4_SUPER_MAGIC:
		return "ext4", nil
	case unix.XFS_SUPER_MAGIC:
		return "xfs", nil
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs", nil
	case unix.TMPFS_MAGIC:
		return "tmpfs", nil
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlayfs", nil
	}
	return fmt.Sprintf("type %#x", stat.Type), nil
}

// WriteHeader prints the environment for people.
func (e Environment) WriteHeader(w io.Writer) error {
	lines := []string{
		fmt.Sprintf("%s · %d cores of %s · %d MiB · Linux %s · %s", e.Started.Format(time.RFC3339), e.Cores, e.Processor, e.MemoryMiB, e.Kernel, e.Go),
		fmt.Sprintf("data on %s, fsync of 4 KiB p50 %s, added delay %s · rounds with more than %.0f %% of the machine used by others are thrown away", e.FileSystem, e.FsyncP50, e.FsyncDelay, 100*e.NoiseLimit),
		"plan: " + e.Plan,
	}
	for _, l := range e.Load {
		lines = append(lines, "load: "+l)
	}
	for _, side := range []string{Candor, Peer} {
		if d, ok := e.Systems[side]; ok {
			lines = append(lines, fmt.Sprintf("%s: %s %s; %s", side, d.Name, d.Version, strings.Join(d.Settings, "; ")))
		}
	}
	if _, err := fmt.Fprintln(w, strings.Join(lines, "\n")); err != nil {
		return fmt.Errorf("print header: %w", err)
	}
	return nil
}

func processor() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func probeFsync(dir string) (time.Duration, error) {
	file, err := os.CreateTemp(dir, "fsync-probe-*")
	if err != nil {
		return 0, fmt.Errorf("probe the disk: %w", err)
	}
	defer func() { _ = os.Remove(file.Name()) }()
	defer func() { _ = file.Close() }()
	took := make([]time.Duration, 0, fsyncProbes)
	block := make([]byte, probeBytes)
	for range fsyncProbes {
		if _, err := file.Write(block); err != nil {
			return 0, fmt.Errorf("probe the disk: %w", err)
		}
		begun := time.Now()
		if err := file.Sync(); err != nil {
			return 0, fmt.Errorf("probe the disk: %w", err)
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}
