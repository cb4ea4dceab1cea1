package stage

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/candor-plane/candor"
)

// sweeper is a child that removes a directory once its input ends, which it does at
// the latest with this process.
type sweeper struct {
	child *exec.Cmd
	in    io.Closer
	dir   string
}

// marked says whether a directory is a drill's (package doctor).
func marked(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, ".candor-drill.json"))
	return err == nil
}

func newSweeper(child []string, dir string) (*sweeper, error) {
	program, args := command(child, sweepRole, dir)
	c := exec.Command(program, args...)
	// The terminal's Ctrl-C is for this process.
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := c.StdinPipe()
	if err != nil {
		return nil, candor.Wrap("stage", err)
	}
	if err := c.Start(); err != nil {
		return nil, candor.Wrap("stage", err)
	}
	return &sweeper{child: c, in: in, dir: dir}, nil
}

// close has it remove the directory now and waits for that.
func (s *sweeper) close() error {
	_ = s.in.Close()
	err := s.child.Wait()
	if _, left := os.Stat(s.dir); errors.Is(left, os.ErrNotExist) {
		return nil
	}
	return errors.Join(candor.Errorf(candor.ReasonInternal, "%s is not removed", s.dir), err, remove(s.dir, 0))
}
