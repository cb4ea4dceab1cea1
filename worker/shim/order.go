package shim

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/candor-plane/candor"
)

// Argument is the word after the program in the command line of a shim; its directory
// follows.
const Argument = "worker-shim"

// Order is what a shim is to run: written by the worker, before the shim starts.
type Order struct {
	UID       string `json:"uid"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	// Labels are the instance's, by which failure policies select it.
	Labels map[string]string `json:"labels,omitempty"`
	// Run counts the times that the command is started, from 1.
	Run int `json:"run"`
	// Failures is how many runs in a row ended soon, by which the next one waits.
	Failures int                     `json:"failures,omitempty"`
	Template candor.InstanceTemplate `json:"template"`
	// Stopping: the instance is to end for good.
	Stopping bool `json:"stopping,omitempty"`
	// Because is why, where it is the worker that ends it.
	Because string `json:"because,omitempty"`
	// PlacedAt is the worker's clock when it first knew of the instance.
	PlacedAt time.Time `json:"placedAt"`
}

// Ref names the instance.
func (o *Order) Ref() candor.Ref {
	return candor.Ref{Kind: candor.KindInstances, Namespace: o.Namespace, Name: o.Name}
}

// defaultGrace is between the request to stop and the kill.
const defaultGrace = 10 * time.Second

// Grace is how long the command may take to end after it was asked to.
func (o *Order) Grace() time.Duration {
	if s := o.Template.GraceSeconds; s != nil && *s >= 0 {
		return time.Duration(*s) * time.Second
	}
	return defaultGrace
}

// State is how far a run has come.
type State string

// The states.
const (
	// StateStarting: the shim is there, and the command not yet.
	StateStarting State = "starting"
	StateRunning  State = "running"
	StateEnded    State = "ended"
)

// Record is what became of a run: written by the shim, and by a worker that finds
// that the shim is gone.
type Record struct {
	Run    int    `json:"run"`
	State  State  `json:"state"`
	BootID string `json:"bootID"`
	// Shim and Command tell the processes; Command's PID is its process group's too.
	Shim      Identity  `json:"shim"`
	Command   Identity  `json:"command,omitzero"`
	StartedAt time.Time `json:"startedAt,omitzero"`
	EndedAt   time.Time `json:"endedAt,omitzero"`
	// ExitCode is 128+n for signal n. Unknown says that nobody saw the end.
	ExitCode int32 `json:"exitCode,omitempty"`
	Unknown  bool  `json:"unknown,omitempty"`
	// Stopped says that the command was asked to end.
	Stopped bool   `json:"stopped,omitempty"`
	Message string `json:"message,omitempty"`
}

// Identity tells a process from every other of one boot: its PID and the clock tick at
// which it started.
type Identity struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"`
}

// Dir is the directory of one instance on this machine.
type Dir string

const (
	orderFile  = "order.json"
	recordFile = "state.json"
	lockFile   = "lock"
	shimLog    = "shim.log"
)

// Stdout and Stderr are the command's logs.
func (d Dir) Stdout() string { return d.file("stdout.log") }

// Stderr is where the command's errors go.
func (d Dir) Stderr() string { return d.file("stderr.log") }

func (d Dir) file(name string) string { return filepath.Join(string(d), name) }

// Order reads the order; nil where there is none. DATA_CORRUPT: it does not decode.
func (d Dir) Order() (*Order, error) { return readJSON[Order](d.file(orderFile)) }

// Record reads the record; nil where there is none. DATA_CORRUPT: it does not decode.
func (d Dir) Record() (*Record, error) { return readJSON[Record](d.file(recordFile)) }

// Give writes the order, durably, and makes the directory where it is not there.
func (d Dir) Give(o *Order) error {
	if err := os.MkdirAll(string(d), 0o750); err != nil {
		return candor.Wrap("instance directory", err)
	}
	return writeJSON(d.file(orderFile), o)
}

func (d Dir) write(r *Record) error { return writeJSON(d.file(recordFile), r) }

func readJSON[T any](path string) (*T, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // there is none
	}
	if err != nil {
		return nil, candor.Wrap("read "+filepath.Base(path), err)
	}
	out := new(T)
	if err := json.Unmarshal(data, out); err != nil {
		return nil, candor.Errorf(candor.ReasonDataCorrupt, "%s does not decode: %w", path, err)
	}
	return out, nil
}

func writeJSON(path string, content any) error {
	data, err := json.Marshal(content)
	if err != nil {
		return candor.Wrap("write "+filepath.Base(path), err)
	}
	return candor.Wrap("write "+filepath.Base(path), Replace(path, append(data, '\n')))
}

// Replace makes data the content of the file: what is at path is the old content or
// the new one, whole, and after it returns the new one, also after a power failure.
func Replace(path string, data []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
