package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/authority"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
	"github.com/candor-plane/candor/identity"
	"github.com/candor-plane/candor/server"
)

// TLSIssueOptions are those of `candor tls issue server|client|worker`.
type TLSIssueOptions struct {
	*Factory
	Party     candor.Party
	Name      string
	Data      string
	LogStore  string
	ID        string
	Addresses []string
	Valid     time.Duration
	Dir       string
	Out       string
	Overwrite bool
}

// NewCmdTLSIssue returns `candor tls issue` and its commands.
func NewCmdTLSIssue(f *Factory) *cobra.Command {
	return newGroup("issue", "Issue a certificate to a server, client or worker",
		NewCmdTLSIssueServer(f, nil), NewCmdTLSIssueClient(f, nil), NewCmdTLSIssueWorker(f, nil))
}

// NewCmdTLSIssueServer returns `candor tls issue server`.
func NewCmdTLSIssueServer(f *Factory, run func(context.Context, *TLSIssueOptions) error) *cobra.Command {
	o := &TLSIssueOptions{Factory: f, Party: candor.PartyServer}
	cmd := &cobra.Command{
		Use: "server", Short: "Issue a certificate to a server",
		Long: `Issue a certificate to a server: NAME.crt, NAME.key and ca.crt in a folder of
their own, which is what the server needs and all that it needs.

The certificate names the server's ID, which is born with its data directory:
--data makes the directory where there is none, and the server must not run on
it. For a directory on another machine give the --id that "candor cluster
members" shows. Parties of the cluster do not look at host names; --address is
for other tools, such as curl.`,
		Example: `candor tls issue server --data ./n1 --name n1 --address n1.example.org --address 10.0.0.1
candor tls issue server --id 0198c5aa-77b1-7c40-9d04-3c5a5ad44e4e --name n1 --overwrite`,
		Args: arguments(0, 0, "no arguments: --data DIR --name NAME, or --id ID, says which server"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case (o.Data == "") == (o.ID == ""):
				return usage("say which server: --data DIR --name NAME, or --id ID")
			case o.Data != "" && o.Name == "":
				return usage("--data needs --name NAME, the server's name")
			}
			return runs(run, runTLSIssue)(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Data, "data", "", "the server's data `directory`")
	flags.StringVar(&o.LogStore, "log-store", "", "log store of a data directory that is made: wal or boltdb")
	flags.StringVar(&o.Name, "name", "", "the server's `name`")
	flags.StringVar(&o.ID, "id", "", "the server's `ID`, instead of its data directory")
	flags.StringSliceVar(&o.Addresses, "address", nil, "`host` name or IP address, without a port; repeat it or list several with commas")
	o.register(cmd)
	completeFolders(cmd, "data")
	return cmd
}

// NewCmdTLSIssueClient returns `candor tls issue client`.
func NewCmdTLSIssueClient(f *Factory, run func(context.Context, *TLSIssueOptions) error) *cobra.Command {
	return newCmdTLSIssueNamed(f, candor.PartyClient, `Issue a certificate to a client, a person or a program: NAME.crt, NAME.key and
ca.crt in a folder of their own. Whoever has them acts as NAME.`, "candor tls issue client ana\ncandor tls issue client ana --valid 720h --overwrite", run)
}

// NewCmdTLSIssueWorker returns `candor tls issue worker`.
func NewCmdTLSIssueWorker(f *Factory, run func(context.Context, *TLSIssueOptions) error) *cobra.Command {
	return newCmdTLSIssueNamed(f, candor.PartyWorker, `Issue a certificate to a worker: NAME.crt, NAME.key and ca.crt in a folder of
their own. Whoever has them acts as worker/NAME.`, "candor tls issue worker w1", run)
}

func newCmdTLSIssueNamed(f *Factory, party candor.Party, long, example string, run func(context.Context, *TLSIssueOptions) error) *cobra.Command {
	o := &TLSIssueOptions{Factory: f, Party: party}
	cmd := &cobra.Command{
		Use: string(party) + " NAME", Short: "Issue a certificate to a " + string(party),
		Long: long, Example: example,
		Args:              arguments(1, 1, "one name"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Name = args[0]
			return runs(run, runTLSIssue)(cmd.Context(), o)
		},
	}
	o.register(cmd)
	return cmd
}

func (o *TLSIssueOptions) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.DurationVar(&o.Valid, "valid", certificateValid, "how long the certificate is valid; never longer than the authority")
	registerTLSDir(flags, &o.Dir)
	flags.StringVar(&o.Out, "out", "", "`folder` to write to (default: the one of that name in --dir)")
	flags.BoolVar(&o.Overwrite, "overwrite", false, "replace an earlier certificate of the same party")
	completeFolders(cmd, "dir", "out")
	honours(cmd, flagOutput)
}

// tlsIssued is what issue says as a document.
type tlsIssued struct {
	Identity    string    `json:"identity"`
	NotAfter    time.Time `json:"notAfter"`
	Fingerprint string    `json:"fingerprint"`
	CA          string    `json:"ca"`
	Cert        string    `json:"cert"`
	Key         string    `json:"key"`
}

func runTLSIssue(_ context.Context, o *TLSIssueOptions) error {
	if o.Valid <= 0 {
		return usage("--valid %s: want a positive duration, for example %s", o.Valid, certificateValid)
	}
	folder, err := o.openAuthority(o.Dir)
	if err != nil {
		return err
	}
	request := authority.Request{
		Identity:  candor.Identity{Cluster: folder.Cluster(), Party: o.Party, Name: o.Name},
		ValidFor:  o.Valid,
		Addresses: o.Addresses, Out: o.Out, Prefix: o.Name, Overwrite: o.Overwrite,
	}
	if o.Party == candor.PartyServer {
		if request.Identity.Name, err = o.serverID(); err != nil {
			return err
		}
		if request.Prefix == "" {
			request.Prefix = request.Identity.Name
		}
	}
	party, err := folder.Issue(request)
	if candor.ReasonOf(err) == candor.ReasonConflict && o.Overwrite {
		return try(err, "the same command with --out FOLDER")
	}
	if candor.ReasonOf(err) == candor.ReasonConflict {
		return try(err, "the same command with --overwrite      replaces an earlier certificate of the same party", "the same command with --out FOLDER")
	}
	if err != nil {
		return err
	}
	return o.show(party)
}

func (o *TLSIssueOptions) serverID() (string, error) {
	if o.ID != "" {
		return o.ID, nil
	}
	id, err := server.ServerID(o.Data, o.Name, o.LogStore)
	return id, try(err, "candor tls issue server --id ID --name "+shown([]string{o.Name})[0]+"      with the ID that candor cluster members shows")
}

func (o *TLSIssueOptions) show(party authority.Party) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	s := tlsIssued{
		Identity: party.Identity.URI(), NotAfter: party.Certificate.NotAfter.UTC(), Fingerprint: identity.Fingerprint(party.Certificate),
		CA: party.Files.CA, Cert: party.Files.Cert, Key: party.Files.Key,
	}
	if format.Structured() {
		return internal("tls issue", format.Document(o.Factory.Out, s))
	}
	facts := output.NewFacts(o.Factory.Out, o.OutPalette())
	facts.Add("Identity", s.Identity)
	facts.Add("Acts as", party.Identity.Actor())
	facts.Add("Valid until", moment(s.NotAfter))
	facts.Add("Files", strings.Join([]string{s.Cert, s.Key, s.CA}, "\n"))
	facts.Add("Flags", tlsFlags(party.Files))
	if err := facts.Flush(); err != nil {
		return internal("tls issue", err)
	}
	o.Narrate("issue it anew before it ends, with --overwrite: whoever uses the files takes them within ten seconds")
	return nil
}
