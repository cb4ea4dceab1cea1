package cli

import (
	"context"
	"encoding/json"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// NewCmdTransition returns `candor transition` and its commands.
func NewCmdTransition(f *Factory) *cobra.Command {
	cmd := newGroup("transition", "Look at changes of several steps, wait for them, give them up",
		NewCmdTransitionList(f, nil), NewCmdTransitionGet(f, nil), NewCmdTransitionWait(f, nil), NewCmdTransitionCancel(f, nil))
	cmd.Long = `Look at changes of several steps, wait for them, give them up.

Every change of the members is a transition: planned in the root before anything
is done (PLANNED), taken up by the holder of duty topology (ADMITTED), carried
out (EXECUTING, APPLIED), and over once the root shows that it is so (PUBLISHED).
It goes on whoever waits for it, and whichever server leads. A step of another
one has a parent. It may also end COMPLETED (it was so already), CANCELLED,
CONFLICTED, SUPERSEDED, ABORTED or FAILED.

STALLED means that a phase has passed its deadline: "candor transition get" says
why, and what moves it. What has ended is kept for 7 days.`
	return cmd
}

// completeTransition completes the ID of one; pending leaves out those that have ended.
func (f *Factory) completeTransition(pending bool) completer {
	return f.completeOnce(func(ctx context.Context) ([]string, error) {
		remote, err := f.Remote()
		if err != nil {
			return nil, err
		}
		list, err := remote.Transitions.List(ctx, pending, client.WithoutSession())
		if err != nil {
			return nil, err
		}
		var ids []string
		for i := range list.Transitions {
			ids = append(ids, list.Transitions[i].ID)
		}
		return ids, nil
	})
}

const dutyTopology = "topology"

// informed asks the server that knows most of what is under way: the one that is named,
// else the holder of duty topology where it can be found, else any.
func (f *Factory) informed(ctx context.Context, remote *Remote, on string) ([]client.ReadOption, error) {
	options := []client.ReadOption{client.WithoutSession()}
	if on != "" {
		address, err := f.address(ctx, remote, on)
		if err != nil {
			return nil, err
		}
		return append(options, client.OnEndpoint(address)), nil
	}
	duties, err := remote.Tenures.Tenures(ctx, client.WithoutSession())
	if err != nil {
		return options, nil //nolint:nilerr // any server will do, and says itself what is wrong
	}
	for i := range duties.Tenures {
		if t := &duties.Tenures[i]; t.Duty == dutyTopology && t.Current.Active() && t.Current.HolderName != "" {
			if address, err := f.address(ctx, remote, t.Current.HolderName); err == nil {
				return append(options, client.OnEndpoint(address)), nil
			}
		}
	}
	return options, nil
}

// names are what servers are called, by ID: of those that are members.
type names map[string]string

// memberNamesByID is empty where nobody tells.
func (f *Factory) memberNamesByID(ctx context.Context, remote *Remote) names {
	known := names{}
	members, err := remote.Cluster.Members(ctx, client.WithoutSession())
	if err != nil {
		return known
	}
	for i := range members.Members {
		known[members.Members[i].ServerID] = members.Members[i].Name
	}
	return known
}

func (n names) of(id string) string {
	if name := n[id]; name != "" {
		return name
	}
	return id
}

// targetText is whom a transition is about.
func targetText(t *client.Transition) string {
	if t.TargetName != "" {
		return t.TargetName
	}
	return t.Target
}

// phaseText is the phase, and whether it stands still.
func phaseText(t *client.Transition) string {
	if t.Stalled != nil {
		return t.Phase + ", STALLED"
	}
	return t.Phase
}

// tookText is how long an ended transition took; empty where cluster time does not tell,
// as it stands still while nobody leads.
func tookText(t *client.Transition) string {
	if t.Times.Planned == 0 || t.Times.Ended <= t.Times.Planned {
		return ""
	}
	return output.Span(time.Duration(t.Times.Ended - t.Times.Planned))
}

// afterText is the same behind the phase that ended it.
func afterText(t *client.Transition) string {
	if took := tookText(t); took != "" {
		return " after " + took
	}
	return ""
}

// intent is what a change of the members wants besides its target.
type intent struct {
	With  string `json:"with"`
	Force bool   `json:"force"`
}

func intentOf(t *client.Transition) intent {
	var i intent
	// Of other kinds it says nothing that is shown.
	_ = json.Unmarshal(t.Intent, &i)
	return i
}

// deed is what a transition does, in words.
func (n names) deed(t *client.Transition) string {
	target := t.TargetName
	if target == "" {
		target = n.of(t.Target)
	}
	switch t.Kind {
	case "member-add":
		return "add " + target
	case "member-promote":
		return "let " + target + " vote"
	case "member-remove":
		return "remove " + target
	case "member-replace":
		return "replace " + target + " with " + n.of(intentOf(t).With)
	case "leader-transfer":
		return "let " + target + " lead"
	}
	return t.Kind + " of " + target
}

// pendingText says in one line what is under way, as a server sees it: what status shows
// must not fail for it.
func (f *Factory) pendingText(ctx context.Context, remote *Remote, options []client.ReadOption) string {
	list, err := remote.Transitions.List(ctx, true, options...)
	if err != nil {
		return "not known: " + string(candor.ReasonOf(err))
	}
	return underWayText(list)
}

func underWayText(list *client.TransitionList) string {
	if len(list.Transitions) == 0 {
		return "none pends"
	}
	stalled := 0
	for i := range list.Transitions {
		if list.Transitions[i].Stalled != nil {
			stalled++
		}
	}
	first := &list.Transitions[len(list.Transitions)-1]
	text := count(uint64(len(list.Transitions))) + " pending"
	if stalled > 0 {
		text += ", " + count(uint64(stalled)) + " STALLED"
	}
	return text + "; the oldest is " + first.ID
}
