package cli

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/dev"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/stage"
	"github.com/candor-plane/candor/drill/workload"
	"github.com/candor-plane/candor/identity"
)

// devStage is the cluster that `candor dev` runs in a folder, reached by the folder's
// context: its certificates and its token.
func (o *DrillRunOptions) devStage(ctx context.Context, logger hclog.Logger) (drill.Stage, error) {
	if _, err := (devControl{o.Dev}).Do(ctx, "list", ""); err != nil {
		return nil, err
	}
	flags := *o.Flags
	if flags.ContextFile == "" {
		flags.ContextFile = filepath.Join(o.Dev, "context.yaml")
	}
	o.Flags = &flags
	token, err := o.token()
	if err != nil {
		return nil, err
	}
	files, err := flags.certificates(o.Getenv)
	if err != nil {
		return nil, err
	}
	own, err := openIdentity(files)
	if err != nil {
		return nil, err
	}
	st, err := stage.Dev(ctx, stage.DevOptions{
		Control: devControl{o.Dev}, Logger: logger,
		Client: func(c client.Config) (*client.Client, error) {
			if c.Token, c.TLS = token, own; token != "" || own != nil {
				c.Actor = "" // who proves who it is acts as nobody else
			}
			return client.New(c)
		},
	})
	if err != nil {
		if own != nil {
			err = errors.Join(err, own.Close())
		}
		return nil, err
	}
	return &ownDevStage{DevCluster: st, own: own}, nil
}

// ownDevStage ends its certificates with the stage.
type ownDevStage struct {
	*stage.DevCluster
	own *identity.Source
}

// Close heals what lasts, and leaves the cluster.
func (s *ownDevStage) Close() error {
	err := s.DevCluster.Close()
	if s.own != nil {
		err = errors.Join(err, s.own.Close())
	}
	return err
}

// cleaning is how long the traffic's namespaces may take to go.
const cleaning = time.Minute

// clean takes away what the traffic left in a cluster that stays, also of a drill that
// was interrupted.
func (o *DrillRunOptions) clean(ctx context.Context, st drill.Stage) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleaning)
	defer cancel()
	o.Narrate("%8s  the traffic's namespaces are deleted", "")
	return workload.Clean(ctx, st)
}

// devControl asks a cluster of `candor dev` for what drills need of it.
type devControl struct{ dir string }

func (c devControl) Do(ctx context.Context, verb, node string) ([]string, error) {
	r, err := dev.Ask(ctx, c.dir, dev.Request{Verb: verb, Node: node})
	return r.Lines, candor.Wrap("candor dev "+verb, err)
}
