package cli_test

import (
	"context"
	"fmt"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// transitions are what every server says of changes of several steps.
type transitions struct{ shelf *shelf }

func (s transitions) list(only func(*client.Transition) bool) *client.TransitionList {
	w := s.shelf.witness()
	list := &client.TransitionList{ClusterTime: s.shelf.clusterTime, Witness: &w, Transitions: []client.Transition{}}
	for _, t := range s.shelf.transitions {
		if only(&t) {
			list.Transitions = append(list.Transitions, t)
		}
	}
	return list
}

func (s transitions) List(_ context.Context, pending bool, _ ...client.ReadOption) (*client.TransitionList, error) {
	return s.list(func(t *client.Transition) bool { return !pending || !t.Ended() }), s.shelf.refuse("transitions")
}

func (s transitions) Get(_ context.Context, id string, _ ...client.ReadOption) (*client.TransitionList, error) {
	if err := s.shelf.refuse("transition"); err != nil {
		return nil, err
	}
	list := s.list(func(t *client.Transition) bool { return t.ID == id })
	if len(list.Transitions) == 0 {
		return nil, &candor.Error{Reason: candor.ReasonNotFound, Subject: id, Message: "there is no transition " + id}
	}
	return list, nil
}

// Wait returns one that has ended, and otherwise waits as long as its caller does.
func (s transitions) Wait(ctx context.Context, id string, _ ...client.ReadOption) (*client.Transition, error) {
	list, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if t := &list.Transitions[0]; t.Ended() {
		return t, nil
	}
	<-ctx.Done()
	return nil, &candor.Error{Reason: candor.ReasonTimedOut, Message: ctx.Err().Error(), Err: ctx.Err()}
}

func (s transitions) Cancel(_ context.Context, id, reason string) (*client.Transition, error) {
	s.shelf.log = append(s.shelf.log, fmt.Sprintf("cancel %s %q", id, reason))
	if err := s.shelf.refuse("cancel"); err != nil {
		return nil, err
	}
	at := slices.IndexFunc(s.shelf.transitions, func(t client.Transition) bool { return t.ID == id })
	if at < 0 {
		return nil, &candor.Error{Reason: candor.ReasonNotFound, Subject: id, Message: "there is no transition " + id}
	}
	t := s.shelf.transitions[at]
	t.Phase = "CANCELLED"
	return &t, nil
}

func (s *shelf) Replace(ctx context.Context, server, with string, o client.ReplaceOptions) (client.Reshaped, error) {
	s.log = append(s.log, fmt.Sprintf("replace %s %s %+v", server, with, o))
	if s.unanswering {
		<-ctx.Done()
		return client.Reshaped{}, &candor.Error{Reason: candor.ReasonOutcomeUnknown, Subject: server, Message: "an attempt got no answer, so the write may have been made", Err: ctx.Err()}
	}
	if err := s.refuse("replace"); err != nil {
		return client.Reshaped{}, err
	}
	return client.Reshaped{ConfigurationIndex: 9, Transition: s.reshaped}, nil
}
