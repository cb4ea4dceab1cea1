package doctor

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/candor-plane/candor"
)

// Mark tells to which drill something belongs, so that it can be told from
// anything else once that drill is dead.
type Mark struct {
	// Owner is the process of the drill; Start is when that began, in ticks since the
	// boot, and Boot and Space are the boot and the PID namespace that both count in.
	Owner int    `json:"owner"`
	Start uint64 `json:"start"`
	Boot  string `json:"boot"`
	Space string `json:"space"`
}

const (
	markVariable = "CANDOR_DRILL"
	markFile     = ".candor-drill.json"
	// Directories are found by their name, and known by the file in them.
	directoryPrefix = "candor-drill-"
)

// Environment is a child's variable that marks it, and all that it starts.
func (m Mark) Environment() string {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // four plain fields
	}
	return markVariable + "=" + string(text)
}

// parseMark is the mark in a text; false for what is none.
func parseMark(text []byte) (Mark, bool) {
	var m Mark
	err := json.Unmarshal(text, &m)
	return m, err == nil && m.Owner > 1 && m.Boot != "" && m.Space != ""
}

// Directory is one that a drill keeps its data in.
type Directory struct {
	Path string
	Mark Mark
}

// NewDirectory makes a directory of this process's drill below parent, or for
// none below the machine's directory for temporary files, where Clean finds it by
// itself. The caller removes it with Remove.
func NewDirectory(parent string) (*Directory, error) {
	mark, err := Self()
	if err != nil {
		return nil, err
	}
	if parent == "" {
		parent = os.TempDir()
	}
	path, err := os.MkdirTemp(parent, directoryPrefix)
	if err != nil {
		return nil, candor.Errorf(candor.ReasonUnavailable, "a drill's directory: %w", err)
	}
	text, err := json.Marshal(mark)
	if err == nil {
		err = os.WriteFile(filepath.Join(path, markFile), append(text, '\n'), 0o600)
	}
	if err != nil {
		return nil, errors.Join(candor.Errorf(candor.ReasonUnavailable, "a drill's directory: %w", err), os.RemoveAll(path))
	}
	return &Directory{Path: path, Mark: mark}, nil
}

// Remove removes it with all that is in it; what is mounted below it must be gone.
func (d *Directory) Remove() error { return os.RemoveAll(d.Path) }
