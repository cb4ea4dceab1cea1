package layering

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Package is one that the go command selected.
type Package struct {
	ImportPath string
	Dir        string   // slash-separated, from the repository root
	Files      []string // base names, as the build selects them
}

// List asks the go command for the packages that patterns name under root, and
// for an importer that knows all they depend on from compiled export data.
// A package that does not compile is an error.
func List(
	ctx context.Context, root string, fset *token.FileSet, patterns ...string,
) ([]Package, types.Importer, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, nil, fmt.Errorf("find the root: %w", err)
	}

	args := []string{"list", "-deps", "-export", "-json=ImportPath,Dir,GoFiles,Export,DepOnly"}
	cmd := exec.CommandContext(ctx, "go", append(args, patterns...)...)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, nil, fmt.Errorf("go list %s: %w\n%s", strings.Join(patterns, " "), err, stderr.Bytes())
	}

	listed, exports, err := decode(out, root)
	if err != nil {
		return nil, nil, err
	}

	return listed, importer.ForCompiler(fset, "gc", func(imported string) (io.ReadCloser, error) {
		file, ok := exports[imported]
		if !ok {
			return nil, fmt.Errorf("go list named no export data for %s", imported)
		}

		return os.Open(file)
	}), nil
}

func decode(out []byte, root string) ([]Package, map[string]string, error) {
	var listed []Package
	exports := map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string   `json:"ImportPath"`
			Dir        string   `json:"Dir"`
			Export     string   `json:"Export"`
			GoFiles    []string `json:"GoFiles"`
			DepOnly    bool     `json:"DepOnly"`
		}
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return listed, exports, nil
		}

		if err != nil {
			return nil, nil, fmt.Errorf("decode go list: %w", err)
		}

		exports[p.ImportPath] = p.Export
		if p.DepOnly {
			continue
		}

		dir, err := filepath.Rel(root, p.Dir)
		if err != nil {
			return nil, nil, fmt.Errorf("place %s: %w", p.ImportPath, err)
		}

		listed = append(listed, Package{ImportPath: p.ImportPath, Dir: filepath.ToSlash(dir), Files: p.GoFiles})
	}
}
