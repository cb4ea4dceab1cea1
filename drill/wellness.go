package drill

import (
	"context"
	"fmt"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// becomesWell waits until every server serves what a healthy one does, but for those given
// that do not answer: a leader is known to it, it has applied what the leader had
// committed, and a bounded read gets an answer. The error, of reason TIMED_OUT, says what is
// missing; one that breaks a promise is returned as it is, and at once.
func becomesWell(ctx context.Context, stage Stage, within time.Duration, but func(server string) bool) error {
	k, err := stage.Client()
	if err != nil {
		return err
	}
	defer func() { _ = k.Close() }() // nothing of it is to be kept
	for began := time.Now(); ; {
		missing, err := unwell(ctx, k, stage, but)
		if err != nil || missing == "" {
			return err
		}
		if time.Since(began) > within {
			return candor.Errorf(candor.ReasonTimedOut, "not well within %s: %s", within, missing)
		}
		if !passes(ctx, look) {
			return candor.Errorf(candor.ReasonCanceled, "not well yet: %s", missing)
		}
	}
}

// unwell says what is missing; empty for nothing. The error is a broken promise.
func unwell(ctx context.Context, k *client.Client, stage Stage, but func(string) bool) (missing string, broken error) {
	var committed uint64
	var statuses []*client.ClusterStatus
	for _, name := range stage.Servers() {
		status, err := statusOf(ctx, k, stage, name, 4*glance)
		switch {
		case err != nil && but(name):
			continue
		case conflicts(err):
			return "", candor.Wrap(name, err)
		case err != nil:
			return fmt.Sprintf("%s does not answer: %v", name, err), nil
		case status.Leader == nil:
			return name + " knows no leader", nil
		}
		committed = max(committed, status.CommitIndex)
		statuses = append(statuses, status)
	}
	for _, status := range statuses {
		if status.Applied.Index+slack < committed {
			return fmt.Sprintf("%s has applied %d of %d entries", status.NodeName, status.Applied.Index, committed), nil
		}
		switch err := bounded(ctx, k, stage.Endpoint(status.NodeName)); {
		case conflicts(err):
			return "", candor.Wrap(status.NodeName, err)
		case err != nil:
			return fmt.Sprintf("%s serves no bounded read: %v", status.NodeName, err), nil
		}
	}
	if len(statuses) == 0 {
		return "no server is left", nil
	}
	return "", nil
}

// slack is by how many entries a server may be behind another that was asked later,
// under load.
const slack = 500

// statusOf is a server's own word, if it comes in time.
func statusOf(ctx context.Context, k *client.Client, stage Stage, name string, within time.Duration) (*client.ClusterStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return k.Cluster().Status(ctx, client.OnEndpoint(stage.Endpoint(name)), client.WithoutSession())
}

func bounded(ctx context.Context, k *client.Client, endpoint string) error {
	ctx, cancel := context.WithTimeout(ctx, 4*glance)
	defer cancel()
	_, err := k.List(ctx, candor.KindNamespaces, client.ListOptions{Limit: 1},
		client.OnEndpoint(endpoint), client.WithoutSession(), client.WithFreshness(candor.FreshnessBounded))
	return err
}
