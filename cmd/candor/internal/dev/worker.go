package dev

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/worker"
)

// LabelDev is on the nodes of a cluster's own workers, so that a FailurePolicy can be
// about them and no others.
const LabelDev = "candor/dev"

// zones are those that workers are put in by turns.
var zones = [...]string{"zone-a", "zone-b", "zone-c"}

func workerName(i int) string { return "w" + strconv.Itoa(i+1) }

// worker is the process of one worker. Workers share a machine, so each offers its
// equal part of what that has.
func (c *Cluster) worker(i int) *process {
	name := workerName(i)
	data := filepath.Join(c.options.Dir, name)
	args := []string{
		"worker", "--name", name, "--data-dir", data, "--server", strings.Join(c.layout.APIAddresses(), ","),
		"--labels", candor.LabelZone + "=" + zones[i%len(zones)] + "," + candor.LabelHost + "=" + name + "," + LabelDev + "=true",
	}
	for _, a := range worker.Capacity() {
		part := a.Value / int64(c.layout.Workers)
		if a.Name == candor.ResourceMemory && part > 1<<30 {
			part -= part % (1 << 30) // a number that people can read
		}
		if a.Name == candor.ResourceCPU || a.Name == candor.ResourceMemory {
			args = append(args, "--"+a.Name, candor.FormatAmount(a.Name, part))
		}
	}
	if files, ok := c.certified.nodes[name]; ok {
		args = append(args, "--tls-ca", files.CA, "--tls-cert", files.Cert, "--tls-key", files.Key)
	}
	return &process{
		name: name, about: "worker\tdata " + data, program: c.options.Program, args: args,
		env: c.workerEnvironment(data), dir: c.options.Dir, ended: c.ended,
	}
}

// workerEnvironment has what lies beside this program found first, keeps temporary
// files in the folder, and leaves out which cluster this terminal speaks to.
func (c *Cluster) workerEnvironment(data string) []string {
	var env []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if name != "PATH" && name != "TMPDIR" && !strings.HasPrefix(name, "CANDOR_") {
			env = append(env, entry)
		}
	}
	path := filepath.Dir(c.options.Program) + string(filepath.ListSeparator) + os.Getenv("PATH")
	return append(env, "PATH="+path, "TMPDIR="+temporary(data))
}

func temporary(data string) string { return filepath.Join(data, "tmp") }

// StartWorkers begins every worker that does not run: once what their nodes are to be
// under, such as a FailurePolicy, is in the cluster.
func (c *Cluster) StartWorkers() error {
	for i := range c.workers {
		if err := os.MkdirAll(temporary(filepath.Join(c.options.Dir, workerName(i))), 0o750); err != nil {
			return candor.Wrap("dev", err)
		}
	}
	return startAll(c.workers)
}

// Workers are the names of the workers.
func (c *Cluster) Workers() []string {
	var out []string
	for _, p := range c.workers {
		out = append(out, p.name)
	}
	return out
}
