package cli

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
)

// VersionOptions are those of `candor version`.
type VersionOptions struct{ *Factory }

// NewCmdVersion returns `candor version`.
func NewCmdVersion(f *Factory, run func(context.Context, *VersionOptions) error) *cobra.Command {
	o := &VersionOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version of this program",
		Example: "candor version\ncandor version -o json",
		Args:    arguments(0, 0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runs(run, runVersion)(cmd.Context(), o) },
	}
	return honours(cmd, flagOutput)
}

type versionDocument struct {
	Version      string `json:"version"`
	FeatureLevel uint32 `json:"featureLevel"`
	Go           string `json:"go"`
	Platform     string `json:"platform"`
}

func runVersion(_ context.Context, o *VersionOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	v := versionDocument{
		Version: o.Version, FeatureLevel: candor.FeatureLevel,
		Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	if format.Structured() {
		return internal("version", format.Document(o.Out, v))
	}
	_, err = fmt.Fprintf(o.Out, "candor %s (feature level %d, %s, %s)\n", v.Version, v.FeatureLevel, v.Go, v.Platform)
	return internal("version", err)
}
