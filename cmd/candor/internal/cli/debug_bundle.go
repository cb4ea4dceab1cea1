package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
	"github.com/candor-plane/candor/verify/bundle"
)

// DebugBundleOptions are those of `candor debug bundle`.
type DebugBundleOptions struct {
	*Factory
	File     string
	Data     bool
	MaxSize  string
	Logs     string
	mostData int64
}

// NewCmdDebugBundle returns `candor debug bundle`.
func NewCmdDebugBundle(f *Factory, run func(context.Context, *DebugBundleOptions) error) *cobra.Command {
	o := &DebugBundleOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "bundle", Short: "Collect what every server says of itself into one file",
		Long: `Collect what every server says of itself into one zip file: status, condition,
digests, requests, blocked turns, members, duties, transitions, findings, audit
log, and, where it has a debug listener, metrics and goroutines. Servers are those
of --server or the context, and the members that any of them knows. It works
without a quorum.

What cannot be had is in the manifest as a gap, with the reason: a server that is
down does not make the rest less. Exit code 0: some server answered. 5: none did,
and there is no file.

--with-data adds each server's newest snapshot and its log from there, so that
"candor replay" works on the file. It takes the right to get system/snapshots, and
then EVERY OBJECT IS IN THE FILE, with the hashes of tokens. Without it no object
is but findings. Bearer tokens and private keys are never in it.

The logs of servers that "candor dev" runs are added where the context is its own;
--logs names another folder of NAME.log files.`,
		Example: `candor debug bundle
candor debug bundle -f incident.zip --with-data --max-size 1Gi
candor debug inspect incident.zip`,
		Args: arguments(0, 0, "no arguments"), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error { return runs(run, runDebugBundle)(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.File, "filename", "f", "", "write this `file` (default candor-bundle-TIME.zip)")
	flags.BoolVar(&o.Data, "with-data", false, "add the newest snapshot of each server and its log from there: every object")
	flags.StringVar(&o.MaxSize, "max-size", "256Mi", "bound the data of --with-data: `bytes` before compression, of all servers")
	flags.StringVar(&o.Logs, "logs", "", "add the ends of the files *.log in this `folder`")
	return remotely(cmd, flagOutput)
}

func runDebugBundle(ctx context.Context, o *DebugBundleOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	most, refused := candor.ParseAmount(candor.ResourceMemory, o.MaxSize)
	if refused != nil {
		return usage("--max-size %q: want bytes, such as 64Mi or 1Gi", o.MaxSize)
	}
	o.mostData = most
	if o.File == "" {
		o.File = "candor-bundle-" + o.Now().UTC().Format("20060102T150405Z") + ".zip"
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	w, err := bundle.Create(o.File)
	if err != nil {
		return err
	}
	c, err := o.collect(ctx, remote, w)
	if err != nil {
		return errors.Join(err, w.Abandon())
	}
	manifest, err := w.Close(c.manifest)
	if err != nil {
		return err
	}
	if format.Structured() {
		return internal("debug bundle", format.Document(o.Out, manifest))
	}
	for _, g := range manifest.Gaps {
		o.Narrate("%s", output.Clean(gapText(g)))
	}
	size := int64(0)
	if st, err := os.Stat(o.File); err == nil {
		size = st.Size()
	}
	_, err = fmt.Fprintf(o.Out, "%s: %s, from %s; parts: %d, gaps: %d\n", o.File, output.Bytes(uint64(size)), answeredText(manifest.Nodes), len(manifest.Parts), len(manifest.Gaps))
	if o.Data {
		o.Narrate("every object of the cluster is in it, and the hashes of tokens: treat it as you treat a backup")
	}
	return internal("debug bundle", err)
}

func answeredText(nodes []bundle.Node) string {
	answered := 0
	for _, n := range nodes {
		if n.Answered {
			answered++
		}
	}
	return fmt.Sprintf("%d of %d servers", answered, len(nodes))
}

func gapText(g bundle.Gap) string {
	who := g.Node
	if who == "" {
		who = "cluster"
	}
	return who + ": UNKNOWN: " + g.What + ": " + g.Why
}

// collection is a bundle on its way.
type collection struct {
	o        *DebugBundleOptions
	remote   *Remote
	bundle   *bundle.Writer
	manifest bundle.Manifest
	left     int64
}

// collect asks every server at once, and writes what they said. The error is UNAVAILABLE
// where none answered.
func (o *DebugBundleOptions) collect(ctx context.Context, remote *Remote, w *bundle.Writer) (*collection, error) {
	c := &collection{o: o, remote: remote, bundle: w, left: o.mostData, manifest: bundle.Manifest{
		Made: o.Now().UTC(), Build: o.Version, WithData: o.Data,
		LeftOut: []string{
			"bearer tokens, private keys and gossip keys: no server gives them away",
			"the servers' flags and files: what they tell of their limits and addresses is in diagnostics.json",
		},
	}}
	if !o.Data {
		c.manifest.LeftOut = append(c.manifest.LeftOut, "objects but findings, the log and snapshots: --with-data was not given")
	}
	hearings := o.hear(ctx, remote)
	answered := 0
	var last error
	for _, h := range hearings {
		c.manifest.Nodes = append(c.manifest.Nodes, h.node)
		c.manifest.Gaps = append(c.manifest.Gaps, h.gaps...)
		if !h.node.Answered {
			last = h.failure
			continue
		}
		answered++
		if err := c.write(h); err != nil {
			return nil, err
		}
	}
	if answered == 0 {
		if last == nil {
			last = candor.Errorf(candor.ReasonUnavailable, "no server answered")
		}
		return nil, try(last, "candor replay DIR      look into the data directory of a stopped server")
	}
	if o.Data {
		for _, h := range hearings {
			if h.node.Answered {
				c.data(ctx, h)
			}
		}
	}
	c.logs()
	return c, nil
}

func (c *collection) gap(node, what string, err error) {
	c.manifest.Gaps = append(c.manifest.Gaps, gapOf(node, what, err))
}

func gapOf(node, what string, err error) bundle.Gap {
	return bundle.Gap{Node: node, What: what, Reason: candor.ReasonOf(err), Why: err.Error()}
}

// write writes what one server said.
func (c *collection) write(h *hearing) error {
	folder := bundle.Folder(h.node.Name)
	for _, d := range h.documents {
		var err error
		if d.text != nil {
			err = c.bundle.Add(folder+d.name, d.what, func(to io.Writer) error {
				_, err := to.Write(d.text)
				return err
			})
		} else {
			err = c.bundle.AddJSON(folder+d.name, d.what, d.value)
		}
		if err != nil {
			return err
		}
	}
	if c.manifest.ClusterID == "" {
		c.manifest.ClusterID = h.clusterID
	}
	return c.bundle.AddDigests(h.node.Name, h.points)
}

// data adds the newest snapshot of a server and its log from there. What cannot be had
// is a gap.
func (c *collection) data(ctx context.Context, h *hearing) {
	name := h.node.Name
	n := newNodeSource(c.remote, h.node.Address)
	if err := n.look(ctx, c.remote.Node(h.node.Address)); err != nil {
		c.gap(name, "log and snapshot", err)
		return
	}
	origin := n.Origin()
	from := origin.First
	if len(origin.Snapshots) > 0 {
		s := origin.Snapshots[0]
		if s.Bytes > c.left {
			c.gap(name, "log and snapshot", candor.Errorf(candor.ReasonTurnTooLarge, "the snapshot has %s; --max-size leaves %s", output.Bytes(uint64(s.Bytes)), output.Bytes(uint64(c.left))))
			return
		}
		if err := c.bundle.AddSnapshot(ctx, name, n, s.ID); err != nil {
			c.gap(name, "snapshot "+s.ID, err)
			return
		}
		c.left -= s.Bytes
		from = max(from, s.Index+1)
	}
	last, size, err := c.bundle.AddLog(ctx, name, n, from, origin.Committed, c.left)
	if err != nil {
		c.gap(name, fmt.Sprintf("log entries %d to %d", max(last+1, from), origin.Committed), err)
	}
	c.left -= size
}

// mostLog is how much of the end of a log file is added.
const mostLog = 4 << 20

// logs adds the ends of log files in a folder.
func (c *collection) logs() {
	folder := c.o.Logs
	if folder == "" {
		folder = c.o.devFolder()
	}
	if folder == "" {
		c.manifest.LeftOut = append(c.manifest.LeftOut, "the servers' own logs, which are on their machines: --logs adds those of a folder")
		return
	}
	paths, err := filepath.Glob(filepath.Join(folder, "*.log"))
	if err == nil && len(paths) == 0 {
		err = candor.Errorf(candor.ReasonNotFound, "there is no *.log in %s", folder)
	}
	if err != nil {
		c.gap("", "logs", err)
		return
	}
	slices.Sort(paths)
	for _, path := range paths {
		err := c.bundle.Add("logs/"+filepath.Base(path), "the end of a log", func(to io.Writer) error { return tailOf(path, to) })
		if err != nil {
			c.gap("", "log "+filepath.Base(path), err)
		}
	}
}

// devFolder is that of the `candor dev` whose context file is in use; "" for another.
func (f *Factory) devFolder() string {
	path, err := f.Flags.contextPath(f.Getenv)
	if err != nil || len(f.Flags.Servers) > 0 {
		return ""
	}
	folder := filepath.Dir(path)
	if _, err := os.Stat(filepath.Join(folder, "dev.yaml")); err != nil {
		return ""
	}
	return folder
}

func tailOf(path string, to io.Writer) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	_, err = io.Copy(to, io.NewSectionReader(f, max(0, st.Size()-mostLog), mostLog))
	return err
}

// hear asks every server at once.
func (o *DebugBundleOptions) hear(ctx context.Context, remote *Remote) []*hearing {
	d := &DiagnosticsOptions{Factory: o.Factory, Every: true}
	nodes := d.everyone(ctx, remote)
	asked := make([]time.Time, len(nodes))
	var looks sync.WaitGroup
	for i := range nodes {
		looks.Go(func() {
			asked[i] = o.Now().UTC()
			if nodes[i].failure == nil {
				nodes[i] = d.look(ctx, remote.Node(nodes[i].Address), nodes[i])
			}
		})
	}
	looks.Wait()
	began := slices.MinFunc(asked, time.Time.Compare)
	nodes = once(nodes)
	slices.SortStableFunc(nodes, func(a, b nodeDocument) int { return strings.Compare(a.name(), b.name()) })
	out := make([]*hearing, len(nodes))
	for i := range nodes {
		looks.Go(func() { out[i] = o.hearOne(ctx, remote, &nodes[i], began) })
	}
	looks.Wait()
	return out
}
