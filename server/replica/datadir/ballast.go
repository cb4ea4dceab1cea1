package datadir

import (
	"os"
	"path/filepath"
)

const ballastName = "ballast"

// ensureBallast keeps room on the disk that an operator can free when nothing
// else can be: removing the file makes it. It returns why there is none, or "".
func ensureBallast(fsys FS, dir string, size int64) string {
	path := filepath.Join(dir, ballastName)
	if size <= 0 {
		return ""
	}
	f, err := fsys.Open(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "no ballast: " + err.Error()
	}
	defer f.Close()
	have, err := f.Size()
	if err == nil && have >= size {
		return ""
	}
	if err == nil {
		err = f.Preallocate(size)
	}
	if err != nil {
		// Half a ballast would take the room that the log needs now.
		_ = fsys.Remove(path)
		return "no ballast: " + err.Error()
	}
	return ""
}
