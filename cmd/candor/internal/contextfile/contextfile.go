package contextfile

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/candor-plane/candor"
)

// DefaultNamespace is that of a context which names none.
const DefaultNamespace = "default"

// Context is one cluster and how to reach it.
type Context struct {
	Name string `json:"name"`
	// Servers are API addresses, "host:port".
	Servers   []string `json:"servers"`
	Namespace string   `json:"namespace,omitempty"`
	// TokenFile holds the bearer token; a relative path begins at the folder of
	// the context file.
	TokenFile string `json:"tokenFile,omitempty"`
	// TLS are the files to prove oneself and the servers with; nil for plain TCP.
	TLS *TLS `json:"tls,omitempty"`
}

// TLS are PEM files, by paths as TokenFile's. Cert and Key may both be empty.
type TLS struct {
	CA   string `json:"ca"`
	Cert string `json:"cert,omitempty"`
	Key  string `json:"key,omitempty"`
}

// File is the content of a context file.
type File struct {
	// Current is the context that is used when none is asked for.
	Current  string    `json:"current,omitempty"`
	Contexts []Context `json:"contexts"`
}

// Load reads a file. A missing one is an Error of reason NOT_FOUND, one that
// does not read or contradicts itself INVALID.
func Load(path string) (File, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return File{}, &candor.Error{Reason: candor.ReasonNotFound, Subject: path, Message: "there is no context file " + path, Err: err}
	}
	if err != nil {
		return File{}, candor.Wrap("context file "+path, err)
	}
	var f File
	if err := yaml.UnmarshalStrict(text, &f); err != nil {
		return File{}, invalid(path, "%v", err)
	}
	return f, f.check(path)
}

// Save replaces the file at path, making its folder where there is none.
func (f File) Save(path string) error {
	if err := f.check(path); err != nil {
		return err
	}
	text, err := yaml.Marshal(f)
	if err != nil {
		return candor.Wrap("context file "+path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return candor.Wrap("context file "+path, err)
	}
	return candor.Wrap("context file "+path, replace(path, text))
}

// Find returns the context of that name, or the current one for "".
func (f File) Find(name string) (Context, error) {
	if name == "" {
		name = f.Current
	}
	if name == "" {
		return Context{}, &candor.Error{
			Reason:  candor.ReasonNotFound,
			Message: "the context file names no current context; it has " + f.names(),
		}
	}
	for _, c := range f.Contexts {
		if c.Name == name {
			return c, nil
		}
	}
	return Context{}, &candor.Error{
		Reason: candor.ReasonNotFound, Subject: name,
		Message: fmt.Sprintf("there is no context %q; the context file has %s", name, f.names()),
	}
}

// Set adds a context, or replaces that of its name.
func (f *File) Set(c Context) {
	at := slices.IndexFunc(f.Contexts, func(other Context) bool { return other.Name == c.Name })
	if at >= 0 {
		f.Contexts[at] = c
		return
	}
	f.Contexts = append(f.Contexts, c)
}

func (f File) names() string {
	if len(f.Contexts) == 0 {
		return "none"
	}
	var names []string
	for _, c := range f.Contexts {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

func (f File) check(path string) error {
	seen := map[string]bool{}
	for i, c := range f.Contexts {
		switch {
		case c.Name == "":
			return invalid(path, "contexts[%d].name: is missing", i)
		case seen[c.Name]:
			return invalid(path, "contexts[%d].name: %q is given twice", i, c.Name)
		case len(c.Servers) == 0:
			return invalid(path, "context %s: servers: want at least one HOST:PORT", c.Name)
		}
		seen[c.Name] = true
		for _, server := range c.Servers {
			if err := CheckServer(server); err != nil {
				return invalid(path, "context %s: %s", c.Name, said(err))
			}
		}
		if c.Namespace == "" {
			continue
		}
		if err := candor.CheckNamespace("namespace", c.Namespace); err != nil {
			return invalid(path, "context %s: %s", c.Name, said(err))
		}
	}
	if f.Current != "" && !seen[f.Current] {
		return invalid(path, "current: there is no context %q; the file has %s", f.Current, f.names())
	}
	return nil
}

// CheckServer returns an Error of reason USAGE unless address is "host:port".
func CheckServer(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return &candor.Error{
			Reason: candor.ReasonUsage, Subject: address,
			Message: fmt.Sprintf("server %q: want HOST:PORT, for example 127.0.0.1:7101", address),
		}
	}
	return nil
}

// said is an error's message without its reason.
func said(err error) string {
	if e, ok := errors.AsType[*candor.Error](err); ok {
		return e.Message
	}
	return err.Error()
}

// replace writes beside path and renames, so that a reader or a crash meets
// the old file or the new one.
func replace(path string, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".context-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	if _, err = f.Write(text); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return f.Close()
}

func invalid(path, format string, args ...any) error {
	return &candor.Error{
		Reason: candor.ReasonInvalid, Subject: path,
		Message: "context file " + path + ": " + fmt.Sprintf(format, args...),
	}
}
