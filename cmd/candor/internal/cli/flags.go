package cli

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.opentelemetry.io/otel/trace"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/contextfile"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
	"github.com/candor-plane/candor/identity"
)

// Flags are the flags of the root command. Each command names those beside the
// common ones that it honours; the others are refused there.
type Flags struct {
	Servers     []string
	Context     string
	ContextFile string
	Namespace   string
	All         bool
	Timeout     time.Duration
	Actor       string
	TokenFile   string
	TLS         identity.Files
	Read        string
	AcceptStale bool
	At          string
	Output      string
	Color       string
	Quiet       bool
}

// Endpoint is where a command goes and as whom.
type Endpoint struct {
	Servers []string
	// Actor is empty where nobody was named: then it is the token's, or without
	// one the user.
	Actor string
	// Token is empty for none.
	Token string
	// TLS is empty for plain TCP.
	TLS     identity.Files
	Timeout time.Duration
	// Tracer is nil where nothing is traced.
	Tracer trace.TracerProvider
}

func (o *Flags) register(set *pflag.FlagSet) {
	set.StringSliceVar(&o.Servers, "server", nil, "API `address` HOST:PORT; repeat it or list several with commas")
	set.StringVar(&o.Context, "context", "", "context `name` in the context file (default: its current one)")
	set.StringVar(&o.ContextFile, "context-file", "", "context `file` (default: $CANDOR_CONTEXT, or ~/.config/candor/context.yaml)")
	set.StringVarP(&o.Namespace, "namespace", "n", "", "namespace `name` (default: the context's, or \"default\")")
	set.BoolVarP(&o.All, "all-namespaces", "A", false, "every namespace")
	set.DurationVar(&o.Timeout, "timeout", 0, "`duration` that a request, or a wait, may take (default: 10s; wait: 1m; watch and snapshot: no end)")
	set.StringVar(&o.Actor, "as", "", "`actor` to act as (default: the token's, or the user's name)")
	set.StringVar(&o.TokenFile, "token-file", "", "`file` with the token that says who you are (default: $CANDOR_TOKEN, $CANDOR_TOKEN_FILE, or the context's)")
	set.StringVar(&o.TLS.CA, flagCA, "", "the cluster's authorities, a PEM `file` (default: $CANDOR_TLS_CA, or the context's)")
	set.StringVar(&o.TLS.Cert, flagCert, "", "your certificate, a PEM `file` (default: $CANDOR_TLS_CERT, or the context's)")
	set.StringVar(&o.TLS.Key, flagKey, "", "its private key, a PEM `file` (default: $CANDOR_TLS_KEY, or the context's)")
	set.StringVar(&o.Read, "read", "strong", "`freshness`: strong, bounded[:lag=N,age=D,token=T] or best-effort")
	set.BoolVar(&o.AcceptStale, "accept-stale", false, "where the freshness cannot be had, read best-effort instead; the footer says so")
	set.StringVar(&o.At, "at", "", "read the state at a `token` TERM:INDEX/REVISION or a revision")
	set.StringVarP(&o.Output, "output", "o", "table", "output `format`: table, wide, json, yaml, name or jsonpath=TEMPLATE")
	set.StringVar(&o.Color, "color", "auto", "`when` to colour: auto, always or never")
	set.BoolVarP(&o.Quiet, "quiet", "q", false, "results and errors only: no footer, no progress")
}

// Flags that only some commands honour.
const (
	flagNamespace = "namespace"
	flagAll       = "all-namespaces"
	flagRead      = "read"
	flagStale     = "accept-stale"
	flagAt        = "at"
	flagOutput    = "output"
	flagTimeout   = "timeout"
	flagServer    = "server"
	flagContext   = "context"
	flagActor     = "as"
	flagToken     = "token-file"
	flagCA        = "tls-ca"
	flagCert      = "tls-cert"
	flagKey       = "tls-key"
)

var (
	// connectFlags are those of a command that talks to a cluster.
	connectFlags = []string{flagServer, flagContext, flagTimeout, flagActor, flagToken, flagCA, flagCert, flagKey}
	partial      = []string{flagNamespace, flagAll, flagRead, flagStale, flagAt, flagOutput, flagTimeout, flagServer, flagContext, flagActor, flagToken, flagCA, flagCert, flagKey}
)

const honoursKey = "candor/honours"

// honours names the flags that a command takes beside the common ones.
func honours(cmd *cobra.Command, flags ...string) *cobra.Command {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[honoursKey] = strings.Join(flags, " ")
	return cmd
}

// remotely names them for a command that talks to a cluster.
func remotely(cmd *cobra.Command, flags ...string) *cobra.Command {
	return honours(cmd, slices.Concat(connectFlags, flags)...)
}

func isHonoured(cmd *cobra.Command, flag string) bool {
	return !slices.Contains(partial, flag) || slices.Contains(strings.Fields(cmd.Annotations[honoursKey]), flag)
}

// refuseUnhonoured returns an Error of reason USAGE for a flag that was given
// and that the command would ignore, and for values that cannot be.
func (o *Flags) refuseUnhonoured(cmd *cobra.Command) error {
	var refused error
	cmd.InheritedFlags().VisitAll(func(f *pflag.Flag) {
		if refused == nil && f.Changed && !isHonoured(cmd, f.Name) {
			refused = usage("--%s does not apply to %q", f.Name, cmd.CommandPath())
		}
	})
	if refused != nil {
		return refused
	}
	if !slices.Contains([]string{"auto", "always", "never"}, o.Color) {
		return usage("--color %q: want auto, always or never", o.Color)
	}
	if o.Timeout < 0 {
		return usage("--timeout %v: want a positive duration, for example 30s", o.Timeout)
	}
	if o.All && o.Namespace != "" {
		return usage("--namespace and --all-namespaces exclude each other")
	}
	for _, server := range o.Servers {
		if err := contextfile.CheckServer(server); err != nil {
			return err
		}
	}
	_, err := o.format()
	return err
}

func (o *Flags) format() (output.Format, error) { return output.ParseFormat(o.Output) }

// timeout is how long the command may take, or its own default.
func (o *Flags) timeout(otherwise time.Duration) time.Duration {
	if o.Timeout > 0 {
		return o.Timeout
	}
	return otherwise
}

// requestTimeout is that of a command that makes single requests.
const requestTimeout = 10 * time.Second

func (o *Flags) endpoint(getenv func(string) string) (Endpoint, error) {
	e := Endpoint{Servers: o.Servers, Actor: o.Actor, Timeout: o.timeout(requestTimeout)}
	if len(e.Servers) > 0 {
		return e, nil
	}
	context, err := o.context(getenv)
	e.Servers = context.Servers
	return e, err
}

// namespace is the one that objects without another are in; "" for all.
func (o *Flags) namespace(getenv func(string) string) (string, error) {
	switch {
	case o.All:
		return "", nil
	case o.Namespace != "":
		return o.Namespace, candor.CheckNamespace("--namespace", o.Namespace)
	case len(o.Servers) > 0 && o.Context == "":
		return contextfile.DefaultNamespace, nil
	}
	context, err := o.context(getenv)
	if err != nil {
		return "", err
	}
	if context.Namespace == "" {
		return contextfile.DefaultNamespace, nil
	}
	return context.Namespace, nil
}

func (o *Flags) context(getenv func(string) string) (contextfile.Context, error) {
	path, err := o.contextPath(getenv)
	if err != nil {
		return contextfile.Context{}, err
	}
	file, err := contextfile.Load(path)
	if candor.ReasonOf(err) == candor.ReasonNotFound && o.Context == "" && o.ContextFile == "" && getenv(contextVariable) == "" {
		return contextfile.Context{}, noServer(path)
	}
	if err != nil {
		return contextfile.Context{}, try(err, "candor context set NAME --server HOST:PORT")
	}
	context, err := file.Find(o.Context)
	return context, try(err, "candor context list", "candor context use NAME")
}

const contextVariable = "CANDOR_CONTEXT"

func (o *Flags) contextPath(getenv func(string) string) (string, error) {
	if o.ContextFile != "" {
		return o.ContextFile, nil
	}
	if path := getenv(contextVariable); path != "" {
		return path, nil
	}
	folder := getenv("XDG_CONFIG_HOME")
	if folder == "" {
		home := getenv("HOME")
		if home == "" {
			return "", usage("no context file: neither --context-file, CANDOR_CONTEXT nor HOME is set")
		}
		folder = filepath.Join(home, ".config")
	}
	return filepath.Join(folder, "candor", "context.yaml"), nil
}

// devContext is where `candor dev` writes its context file by default, seen
// from the folder that it was started in.
const devContext = ".candor/context.yaml"

func noServer(path string) error {
	err := usage("no server is known: no --server was given and there is no context file %s", path)
	steps := []string{
		"candor dev                                  start a cluster on this machine",
		"candor context set NAME --server HOST:PORT  remember a cluster that runs",
	}
	if _, statErr := os.Stat(devContext); !errors.Is(statErr, os.ErrNotExist) {
		steps = append([]string{"export " + contextVariable + "=" + devContext}, steps...)
	}
	return try(err, steps...)
}

func usage(format string, args ...any) error {
	return candor.Errorf(candor.ReasonUsage, format, args...)
}
