package server

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/candor-plane/candor"
)

// resets is the file by which somebody with a hand on the server's disk lets access
// control be opened again. It holds the number of the opening before, so that a
// file that was left behind opens nothing later.
type resets struct{ folder string }

const resetFile = "access-reset"

// Path is where the file is looked for.
func (r resets) Path() string { return filepath.Join(r.folder, resetFile) }

// Number is what the file says.
func (r resets) Number() (uint64, bool, error) {
	if r.folder == "" {
		return 0, false, nil
	}
	text, err := os.ReadFile(r.Path())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, candor.Wrap("reset file", err)
	}
	number, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0, false, candor.Errorf(candor.ReasonInvalid, "%s: want the number of times that access control was opened", r.Path())
	}
	return number, true, nil
}

// Done takes the file away.
func (r resets) Done() error { return candor.Wrap("reset file", os.Remove(r.Path())) }
