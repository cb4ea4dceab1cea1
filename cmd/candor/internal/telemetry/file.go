package telemetry

import (
	"context"
	"errors"
	"os"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/candor-plane/candor"
)

// mostFile bounds a trace file in bytes. When a file has grown so large it is
// renamed to PATH.1, in the place of the one before, and PATH begins anew: a
// path never takes more than twice that, and what is next delivered at once.
const mostFile = 64 << 20

// file appends one line a span, each a whole OTLP message. Several processes may
// write to one path: every delivery is one append, and who finds that another
// has renamed the file goes on with the new one.
type file struct {
	path string
	most int64
	f    *os.File
}

func openFile(path string, most int64) (*file, error) {
	f := &file{path: path, most: most}
	if err := f.open(); err != nil {
		return nil, candor.Errorf(candor.ReasonUsage, "the trace file cannot be written: %w", err)
	}
	return f, nil
}

func (f *file) open() error {
	var err error
	f.f, err = os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	return err
}

// Deliver appends the spans.
func (f *file) Deliver(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	var lines []byte
	for i := range spans {
		line, err := encode(spans[i : i+1])
		if err != nil {
			return candor.Wrap("encode a span", err)
		}
		lines = append(append(lines, line...), '\n')
	}
	if err := f.turn(); err != nil {
		return candor.Wrap("trace file "+f.path, err)
	}
	if _, err := f.f.Write(lines); err != nil {
		return candor.Wrap("trace file "+f.path, err)
	}
	return nil
}

// turn sees to it that the file at path is the one written to, and not too large.
func (f *file) turn() error {
	mine, err := f.f.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(f.path)
	same := err == nil && os.SameFile(mine, there)
	if same && mine.Size() < f.most {
		return nil
	}
	if same {
		if err := os.Rename(f.path, f.path+".1"); err != nil {
			return err
		}
	}
	return errors.Join(f.f.Close(), f.open())
}

// Close closes the file.
func (f *file) Close() error { return candor.Wrap("trace file "+f.path, f.f.Close()) }
