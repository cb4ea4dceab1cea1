package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// Factory holds what commands need of the world. A process has one; it belongs
// to the goroutine that runs the command.
type Factory struct {
	In       io.Reader
	Out, Err io.Writer
	// OutTerminal and ErrTerminal say whether a person looks at the stream;
	// Width is the terminal's, 0 when not known.
	OutTerminal, ErrTerminal bool
	Width                    int

	Getenv func(string) string
	Now    func() time.Time
	// Sleep waits, or returns the context's error.
	Sleep func(context.Context, time.Duration) error
	// Edit opens a file in the user's editor and waits.
	Edit func(ctx context.Context, editor, path string) error
	// Connect makes the connection that Remote hands out.
	Connect func(Endpoint) (*Remote, error)

	// Version is what `candor version` prints.
	Version string
	// Flags are those that every command has, as they were given.
	Flags *Flags

	remote *Remote
	trace  *commandTrace
	// plain is the connection's reader, before owners are shown otherwise.
	plain Reader
	kinds *Kinds
	// nameless says that the command shows no token: it makes the first one.
	nameless bool
	// reads says that the command takes --read.
	reads bool
	// help is what to try where nothing else helps.
	help string
}

// NewFactory returns a Factory of the process's own streams, clock and network.
func NewFactory(version string) *Factory {
	f := &Factory{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		OutTerminal: term.IsTerminal(os.Stdout.Fd()), ErrTerminal: term.IsTerminal(os.Stderr.Fd()),
		Getenv: os.Getenv, Now: time.Now, Sleep: sleep, Connect: connect,
		Version: version, Flags: &Flags{},
	}
	if width, _, err := term.GetSize(os.Stdout.Fd()); f.OutTerminal && err == nil {
		f.Width = width
	}
	f.Edit = f.edit
	return f
}

// Remote connects at the first call; every command of the process shares the
// connection, and with it the session.
func (f *Factory) Remote() (*Remote, error) {
	if f.remote != nil {
		return f.remote, nil
	}
	endpoint, err := f.Flags.endpoint(f.Getenv)
	if err != nil {
		return nil, err
	}
	if endpoint.Token, err = f.token(); err != nil {
		return nil, err
	}
	if endpoint.TLS, err = f.Flags.certificates(f.Getenv); err != nil {
		return nil, err
	}
	endpoint.Tracer = f.trace.provider()
	remote, err := f.Connect(endpoint)
	if err != nil {
		return nil, err
	}
	f.plain, f.remote = remote.Reader, ownersShown(remote, f.Kinds)
	return f.remote, nil
}

// Kinds returns what the cluster's kinds are called, read once.
func (f *Factory) Kinds() (*Kinds, error) {
	if f.kinds != nil {
		return f.kinds, nil
	}
	if _, err := f.Remote(); err != nil {
		return nil, err
	}
	reading, err := f.Flags.reading()
	if err != nil {
		return nil, err
	}
	f.kinds = NewKinds(f.plain, reading)
	return f.kinds, nil
}

// Close ends the connection, if there was one.
func (f *Factory) Close() error {
	if f.remote == nil {
		return nil
	}
	return f.remote.Close()
}

// OutPalette colours stdout.
func (f *Factory) OutPalette() output.Palette { return f.palette(f.OutTerminal) }

// ErrPalette colours stderr.
func (f *Factory) ErrPalette() output.Palette { return f.palette(f.ErrTerminal) }

func (f *Factory) palette(terminal bool) output.Palette {
	switch f.Flags.Color {
	case "always":
		return output.NewPalette(true)
	case "never":
		return output.NewPalette(false)
	}
	return output.NewPalette(terminal && f.Getenv("NO_COLOR") == "" && f.Getenv("TERM") != "dumb")
}

// Narrate writes a line for people to stderr, unless -q. A stderr that does
// not take it changes nothing of what the command did.
//
//nolint:goprintffuncname // it says what the command does meanwhile; Narratef is no word
func (f *Factory) Narrate(format string, args ...any) {
	if f.Flags.Quiet {
		return
	}
	fmt.Fprintf(f.Err, format+"\n", args...)
}

// Warn says what the server has to say of an object that it accepted, with -q too.
func (f *Factory) Warn(ref candor.Ref, result client.Result) {
	for _, warning := range result.Warnings {
		fmt.Fprintf(f.Err, "warning: %s: %s\n", ref, output.Clean(warning))
	}
}

// Foot writes the footer of a read.
func (f *Factory) Foot(w candor.Witness) {
	f.weakened(w)
	f.Narrate("%s", f.ErrPalette().States(output.Footer(w)))
}

// weakened says that an answer is a weaker one than was asked for, which
// --accept-stale allows. It is said with -q too: a downgrade is never silent.
func (f *Factory) weakened(w candor.Witness) {
	class, _, _ := strings.Cut(f.Flags.Read, ":")
	if f.Flags.AcceptStale && w.Served == candor.FreshnessBestEffort && class != "best-effort" {
		fmt.Fprintf(f.Err, "%s could not be had; what was read may be old\n", output.Clean(f.Flags.Read))
	}
}

// edit runs the editor on the process's terminal. The editor may be given with
// arguments, as $EDITOR often is, so a shell takes it apart.
func (f *Factory) edit(ctx context.Context, editor, path string) error {
	command := exec.CommandContext(ctx, "sh", "-c", editor+` "$1"`, "sh", path)
	command.Stdin, command.Stdout, command.Stderr = f.In, f.Err, f.Err
	if f.OutTerminal {
		command.Stdout = f.Out
	}
	return command.Run()
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
