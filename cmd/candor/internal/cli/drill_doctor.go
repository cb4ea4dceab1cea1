package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
	"github.com/candor-plane/candor/drill/doctor"
	"github.com/candor-plane/candor/drill/network"
	"github.com/candor-plane/candor/drill/report"
)

// DrillDoctorOptions are those of `candor drill doctor`.
type DrillDoctorOptions struct {
	*Factory
	Clean bool
}

// NewCmdDrillDoctor returns `candor drill doctor`.
func NewCmdDrillDoctor(f *Factory, run func(context.Context, *DrillDoctorOptions) error) *cobra.Command {
	o := &DrillDoctorOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "doctor", Short: "Say which faults this machine can make, and clean up after killed drills",
		Long: `Try every means that drills use to make faults, and say which work here, why others do
not, and what stands in for those.

With --clean it removes what drills left that were killed: their processes, mounts and
folders. It knows them by a mark that names a drill which is dead, and touches nothing
else.`,
		Example: "candor drill doctor\ncandor drill doctor --clean",
		Args:    arguments(0, 0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runs(run, runDrillDoctor)(cmd.Context(), o) },
	}
	cmd.Flags().BoolVar(&o.Clean, "clean", false, "remove what killed drills left")
	return honours(cmd, flagOutput)
}

type doctorDocument struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Probes     []doctor.Probe `json:"probes"`
	Removed    []string       `json:"removed,omitempty"`
}

func runDrillDoctor(ctx context.Context, o *DrillDoctorOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	d := doctorDocument{APIVersion: candor.APIVersion, Kind: "DrillDoctor", Probes: probes(ctx)}
	if o.Clean {
		if d.Removed, err = doctor.Clean(ctx); err != nil {
			return err
		}
	}
	if format.Structured() {
		return internal("drill doctor", format.Document(o.Out, d))
	}
	table := output.NewTable(o.Out, o.OutPalette(), "MEANS", "HERE", "FOR")
	for _, p := range d.Probes {
		here := "yes"
		if !p.Able {
			here = "no"
		}
		table.Row(p.Injector, here, p.Use)
	}
	if err := table.Flush(); err != nil {
		return internal("drill doctor", err)
	}
	_, err = io.WriteString(o.Out, d.rest(o.Clean))
	return internal("drill doctor", err)
}

// rest is what a table has no room for: what stands in for the means that do not work,
// what drills take beside them, and what was removed.
func (d *doctorDocument) rest(cleaned bool) string {
	var out strings.Builder
	for _, p := range d.Probes {
		if !p.Able {
			fmt.Fprintf(&out, "\nno %s\n%s%s", p.Injector, folded("why:     ", p.Why), folded("instead: ", orDash(p.Fallback)))
		}
	}
	out.WriteString("\nCLOCK faults take servers built with -tags failpoints (--binary), UPGRADE takes the previous\n" +
		"release's program (--previous); every other fault takes what is above.\n")
	for _, removed := range d.Removed {
		out.WriteString("removed: " + removed + "\n")
	}
	if cleaned && len(d.Removed) == 0 {
		out.WriteString("nothing was left by a drill that is dead\n")
	}
	return out.String()
}

// folded is a text below its head, in lines of at most 100 columns.
func folded(head, text string) string {
	const columns = 100
	var out strings.Builder
	line := "  " + head
	for word := range strings.FieldsSeq(text) {
		if len(line)+len(word)+1 > columns && strings.TrimSpace(line) != "" {
			out.WriteString(strings.TrimRight(line, " ") + "\n")
			line = strings.Repeat(" ", len(head)+2)
		}
		line += word + " "
	}
	return out.String() + strings.TrimRight(line, " ") + "\n"
}

func probes(ctx context.Context) []doctor.Probe {
	return doctor.Examine(ctx, append(network.Checks(), doctor.Checks()...)...)
}

// machineOf is this machine for an account of a drill on such a layer.
func machineOf(ctx context.Context, layer string) report.Machine {
	m := report.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Root: os.Getuid() == 0 && !network.Sheltered(), Kernel: kernel()}
	for _, p := range probes(ctx) {
		m.Probes = append(m.Probes, report.Probe{Name: p.Injector, Able: p.Able, Why: p.Why, Used: p.Able && layer == p.Injector, Instead: p.Fallback})
	}
	return m
}

// kernel is the release of this machine's; empty where that is not told.
func kernel() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
