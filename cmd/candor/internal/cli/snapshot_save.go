package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
	"github.com/candor-plane/candor/server"
)

// SnapshotSaveOptions are those of `candor snapshot save`.
type SnapshotSaveOptions struct {
	*Factory
	Path      string
	Server    string
	Overwrite bool
}

// NewCmdSnapshotSave returns `candor snapshot save`.
func NewCmdSnapshotSave(f *Factory, run func(context.Context, *SnapshotSaveOptions) error) *cobra.Command {
	o := &SnapshotSaveOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "save FILE", Short: "Save the cluster's state to a file",
		Long: `Save the cluster's state to a file, while it works on. The file appears under
its name when it is verified and on the disk, and not before. The leader is
asked, or the server that --from names.

The contents are a digest of the objects alone, which a restore keeps: see
"candor snapshot inspect --help".`,
		Example: "candor snapshot save backup.candor\ncandor snapshot save backup.candor --from n3",
		Args:    arguments(1, 1, "one file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Path = args[0]
			return runs(run, runSnapshotSave)(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.Server, "from", "", "ask this `server`: a member's name or ID, or HOST:PORT")
	cmd.Flags().BoolVar(&o.Overwrite, "overwrite", false, "replace the file if there is one")
	return remotely(cmd, flagOutput)
}

type snapshotDocument struct {
	File    string       `json:"file"`
	Bytes   uint64       `json:"bytes"`
	Token   candor.Token `json:"rootToken"`
	Objects uint64       `json:"objects"`
	// Digest is of the whole state, Contents of the live objects alone.
	Digest   string          `json:"digest"`
	Contents string          `json:"contents"`
	Witness  *candor.Witness `json:"witness,omitempty"`
}

func runSnapshotSave(ctx context.Context, o *SnapshotSaveOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	if _, err := os.Lstat(o.Path); err == nil && !o.Overwrite {
		return try(&candor.Error{Reason: candor.ReasonAlreadyExists, Subject: o.Path, Message: o.Path + " is there already"},
			"candor snapshot save "+o.Path+" --overwrite")
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	var options []client.ReadOption
	if o.Server != "" {
		address, err := o.address(ctx, remote, o.Server)
		if err != nil {
			return err
		}
		options = append(options, client.OnEndpoint(address))
	}
	if o.Flags.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Flags.Timeout)
		defer cancel()
	}
	info, verified, err := o.save(ctx, remote.Keeper, options)
	if err != nil {
		return err
	}
	document := snapshotDocument{
		File: o.Path, Bytes: info.Bytes, Token: info.Token, Objects: verified.Objects,
		Digest: verified.Digest, Contents: verified.Contents, Witness: info.Witness,
	}
	if format.Structured() {
		return internal("snapshot save", format.Document(o.Out, document))
	}
	_, err = fmt.Fprintf(o.Out, "%s: %s of the state at %s, %s objects\ncontents  %s\n",
		o.Path, output.Bytes(info.Bytes), info.Token, output.Count(verified.Objects), verified.Contents)
	if info.Witness != nil {
		o.Foot(*info.Witness)
	}
	return internal("snapshot save", err)
}

// save writes beside the file and renames once everything is on the disk and
// read back. On an error nothing is left behind.
func (o *SnapshotSaveOptions) save(ctx context.Context, keeper Keeper, options []client.ReadOption) (info client.SnapshotInfo, verified server.SnapshotInfo, err error) {
	folder := filepath.Dir(o.Path)
	f, err := os.CreateTemp(folder, "."+filepath.Base(o.Path)+".partial-*")
	if err != nil {
		return info, verified, internal("snapshot save", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreClosed(f.Close()), os.Remove(f.Name()))
		}
	}()
	bar := o.progress(ctx)
	info, err = keeper.Snapshot(ctx, f, bar.update, options...)
	bar.end(err == nil)
	if err != nil {
		return info, verified, err
	}
	if verified, err = received(f, info.Token); err != nil {
		return info, verified, err
	}
	if err = f.Close(); err != nil {
		return info, verified, internal("snapshot save", err)
	}
	if err = os.Rename(f.Name(), o.Path); err != nil {
		return info, verified, internal("snapshot save", err)
	}
	if err := syncFolder(folder); err != nil {
		return info, verified, internal("snapshot save", err)
	}
	return info, verified, nil
}

// received verifies what came: every byte, and that it is of the position that
// the server told.
func received(file io.ReadSeeker, told candor.Token) (server.SnapshotInfo, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return server.SnapshotInfo{}, internal("snapshot save", err)
	}
	verified, err := server.ScanSnapshot(file)
	if err == nil && verified.Token != told {
		err = candor.Errorf(candor.ReasonDataCorrupt, "the server told of a snapshot at %s, and sent one at %s", told, verified.Token)
	}
	return verified, candor.Wrap("verify what was received", err)
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// progress is a bar on a terminal and nothing anywhere else.
type progress struct {
	container *mpb.Progress
	bar       *mpb.Bar
}

func (f *Factory) progress(ctx context.Context) progress {
	if f.Flags.Quiet || !f.ErrTerminal {
		return progress{}
	}
	container := mpb.NewWithContext(ctx, mpb.WithOutput(f.Err), mpb.WithWidth(barWidth))
	bar := container.AddBar(0,
		mpb.PrependDecorators(decor.Name("saving ")),
		mpb.AppendDecorators(decor.CountersKibiByte("% .1f of about % .1f"), decor.Name("  "), decor.Percentage()))
	return progress{container, bar}
}

const barWidth = 72

func (p progress) update(written, estimated uint64) {
	if p.bar == nil {
		return
	}
	p.bar.SetTotal(int64(max(written, estimated)), false)
	p.bar.SetCurrent(int64(written))
}

// end waits until the bar is drawn for the last time.
func (p progress) end(whole bool) {
	if p.bar == nil {
		return
	}
	if whole {
		p.bar.SetTotal(-1, true)
	} else {
		p.bar.Abort(false)
	}
	p.container.Wait()
}
