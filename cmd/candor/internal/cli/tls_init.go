package cli

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/authority"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
	"github.com/candor-plane/candor/identity"
)

// TLSInitOptions are those of `candor tls init`.
type TLSInitOptions struct {
	*Factory
	Dir     string
	Cluster string
	Valid   time.Duration
}

// NewCmdTLSInit returns `candor tls init`.
func NewCmdTLSInit(f *Factory, run func(context.Context, *TLSInitOptions) error) *cobra.Command {
	o := &TLSInitOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "init", Short: "Make the authority of a new cluster",
		Long: `Make the authority of a new cluster: ca.crt, which every party trusts, and
ca.key, which issues. Whoever has ca.key can be anyone in the cluster: it is
needed on no server, so keep the folder away from them, and keep a copy of it.

The cluster's ID is part of every certificate and cannot be changed later.`,
		Example: "candor tls init\ncandor tls init --dir /secure/candor --cluster prod-1",
		Args:    arguments(0, 0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runs(run, runTLSInit)(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	registerTLSDir(flags, &o.Dir)
	flags.StringVar(&o.Cluster, "cluster", "", "`ID` of the cluster (default: a new UUID)")
	flags.DurationVar(&o.Valid, "valid", authorityValid, "how long the authority is valid")
	completeFolders(cmd, "dir")
	return honours(cmd, flagOutput)
}

// tlsInitShown is what init says as a document.
type tlsInitShown struct {
	Cluster     string    `json:"cluster"`
	NotAfter    time.Time `json:"notAfter"`
	Fingerprint string    `json:"fingerprint"`
	CA          string    `json:"ca"`
	Key         string    `json:"key"`
}

func runTLSInit(_ context.Context, o *TLSInitOptions) error {
	if o.Valid <= 0 {
		return usage("--valid %s: want a positive duration, for example %s", o.Valid, authorityValid)
	}
	if o.Cluster == "" {
		o.Cluster = uuid.NewString()
	}
	dir := shown([]string{o.Dir})[0]
	folder, err := authority.Init(o.Dir, o.Cluster, o.Valid, o.Now)
	if candor.ReasonOf(err) == candor.ReasonConflict {
		return try(err, "candor tls show "+dir, "candor tls init --dir ANOTHER", "candor tls rotate begin --dir "+dir+"      replaces an authority while its cluster runs")
	}
	if err != nil {
		return err
	}
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	certificate := folder.Authority().Certificate()
	s := tlsInitShown{Cluster: folder.Cluster(), NotAfter: certificate.NotAfter.UTC(), Fingerprint: identity.Fingerprint(certificate), CA: folder.Bundle(), Key: folder.Key()}
	if format.Structured() {
		return internal("tls init", format.Document(o.Out, s))
	}
	facts := output.NewFacts(o.Out, o.OutPalette())
	facts.Add("Cluster", s.Cluster)
	facts.Add("Valid until", moment(s.NotAfter))
	facts.Add("Fingerprint", s.Fingerprint)
	facts.Add("Trusted", s.CA)
	facts.Add("Secret key", s.Key+" (keep it away from servers)")
	if err := facts.Flush(); err != nil {
		return internal("tls init", err)
	}
	o.Narrate("next, for every server: candor tls issue server --data DATA --name NAME --dir %s", dir)
	o.Narrate("and for every person:   candor tls issue client NAME --dir %s", dir)
	return nil
}
