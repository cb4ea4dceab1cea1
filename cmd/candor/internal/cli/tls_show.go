package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/authority"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// TLSShowOptions are those of `candor tls show`.
type TLSShowOptions struct {
	*Factory
	Path string
}

// NewCmdTLSShow returns `candor tls show`.
func NewCmdTLSShow(f *Factory, run func(context.Context, *TLSShowOptions) error) *cobra.Command {
	o := &TLSShowOptions{Factory: f, Path: "tls"}
	cmd := &cobra.Command{
		Use: "show [FILE|FOLDER]", Short: "Show whose certificates these are, and what is wrong with them",
		Long: `Show whose certificates these are, by whom and how long, and what is wrong with
them: of one file, or of all *.crt files of a folder and the folders in it. Of an
authority's folder also how far a rotation is. Keys are never shown.`,
		Example: "candor tls show\ncandor tls show tls/n1/n1.crt\ncandor tls show tls -o json",
		Args:    arguments(0, 1, "at most one file or folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Path = args[0]
			}
			return runs(run, runTLSShow)(cmd.Context(), o)
		},
	}
	return honours(cmd, flagOutput)
}

// tlsShown is what show says as a document.
type tlsShown struct {
	Rotation     authority.State   `json:"rotation,omitempty"`
	Certificates []authority.Sight `json:"certificates"`
}

func runTLSShow(_ context.Context, o *TLSShowOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	sights, state, err := authority.Look(o.Path, o.Now())
	if candor.ReasonOf(err) == candor.ReasonNotFound {
		return try(err, "candor tls show FILE|FOLDER", "candor tls init")
	}
	if err != nil {
		return err
	}
	if format.Structured() {
		return internal("tls show", format.Document(o.Out, tlsShown{state, sights}))
	}
	for i, s := range sights {
		if i > 0 {
			if _, err := fmt.Fprintln(o.Out); err != nil {
				return internal("tls show", err)
			}
		}
		facts := output.NewFacts(o.Out, o.OutPalette())
		facts.Add("File", s.File)
		facts.Add("Who", strings.TrimSpace(s.Role+" "+s.Name))
		facts.Add("Identity", s.Identity)
		facts.Add("Cluster", s.Cluster)
		facts.Add("Issuer", s.Issuer)
		facts.Add("Addresses", strings.Join(s.Addresses, ", "))
		facts.Add("Valid", moment(s.NotBefore)+" to "+moment(s.NotAfter))
		facts.Add("Fingerprint", s.Fingerprint)
		facts.Add("Warning", strings.Join(s.Warnings, "\n"))
		if err := facts.Flush(); err != nil {
			return internal("tls show", err)
		}
	}
	switch state {
	case authority.Begun:
		o.Narrate("a rotation has begun: next is candor tls rotate switch")
	case authority.Switched:
		o.Narrate("a rotation has been switched: next is candor tls rotate finish")
	case authority.Steady:
	}
	return nil
}
