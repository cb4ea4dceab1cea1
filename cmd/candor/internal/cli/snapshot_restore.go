package cli

import (
	"context"
	"fmt"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/server"
)

// SnapshotInspectOptions are those of `candor snapshot inspect`.
type SnapshotInspectOptions struct {
	*Factory
	Path string
}

// NewCmdSnapshotInspect returns `candor snapshot inspect`.
func NewCmdSnapshotInspect(f *Factory, run func(context.Context, *SnapshotInspectOptions) error) *cobra.Command {
	o := &SnapshotInspectOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "inspect FILE", Short: "Verify a snapshot file and say what it holds",
		Long: `Verify a snapshot file, all of it, and say what it holds.

The digest is of the whole state, its position and history included. The
contents are a digest of the objects alone: a snapshot, the cluster restored
from it, and a snapshot of that cluster show the same contents as long as
nothing was written in between.`,
		Example: "candor snapshot inspect backup.candor",
		Args:    arguments(1, 1, "one file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Path = args[0]
			return runs(run, runSnapshotInspect)(cmd.Context(), o)
		},
	}
	return honours(cmd, flagOutput)
}

func runSnapshotInspect(_ context.Context, o *SnapshotInspectOptions) error {
	info, err := server.InspectSnapshot(o.Path)
	if err != nil {
		return err
	}
	return o.showSnapshot(info)
}

func (f *Factory) showSnapshot(info server.SnapshotInfo) error {
	format, err := f.Flags.format()
	if err != nil {
		return err
	}
	if format.Structured() {
		return internal("snapshot", format.Document(f.Out, info))
	}
	_, err = fmt.Fprintf(f.Out, "cluster   %s\nhistory   %s\nat        %s\nfloor     %d\nobjects   %d in %d versions\nlevel     %d\ndigest    %s\ncontents  %s\nverified  whole\n",
		info.ClusterID, info.HistoryID, info.Token, info.Floor, info.Objects, info.Versions, info.Level, info.Digest, info.Contents)
	return internal("snapshot", err)
}

// SnapshotRestoreOptions are those of `candor snapshot restore`.
type SnapshotRestoreOptions struct {
	*Factory
	Restore server.Restore
}

// NewCmdSnapshotRestore returns `candor snapshot restore`.
func NewCmdSnapshotRestore(f *Factory, run func(context.Context, *SnapshotRestoreOptions) error) *cobra.Command {
	o := &SnapshotRestoreOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "Make a new cluster of a snapshot file",
		Long: `Make a new cluster of a snapshot file: the data directory of its first server,
which others then join. The file is verified whole before anything is written.

The new cluster has its own cluster and history ID, and its revisions begin a
billion above the snapshot's: tokens and sessions of the old one are refused
by it and never mistaken for its own. Its contents are the snapshot's: compare
the digest with what "candor snapshot inspect" shows of the file.`,
		Example: `candor snapshot restore backup.candor --name n1 --data ./n1 --raft 127.0.0.1:7201
candor server --name n1 --data ./n1 --raft 127.0.0.1:7201`,
		Args: arguments(1, 1, "one file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Restore.Snapshot = args[0]
			if o.Restore.Data == "" || o.Restore.Name == "" {
				return usage("--data and --name are required: the directory and the name of the first server")
			}
			return runs(run, runSnapshotRestore)(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Restore.Data, "data", "", "data directory to make, empty or not there yet")
	flags.StringVar(&o.Restore.Name, "name", "", "name of the server")
	flags.StringVar(&o.Restore.Raft, "raft", "127.0.0.1:7201", "the address that the server will use for Raft")
	flags.StringVar(&o.Restore.LogStore, "log-store", "wal", "log store of the directory: wal or boltdb")
	return honours(cmd, flagOutput)
}

func runSnapshotRestore(_ context.Context, o *SnapshotRestoreOptions) error {
	o.Restore.Logger = hclog.New(&hclog.LoggerOptions{Name: "candor", Level: hclog.Warn, Output: o.Err})
	info, err := server.RestoreSnapshot(o.Restore)
	if err != nil {
		return err
	}
	if err := o.showSnapshot(info); err != nil {
		return err
	}
	o.Narrate("start it with: candor server --name %s --data %s --raft %s", o.Restore.Name, o.Restore.Data, o.Restore.Raft)
	return nil
}
