package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"sigs.k8s.io/yaml"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
)

// stage is a cluster that knows websites.
type stage struct {
	*servertest.Cluster
	t      *testing.T
	client *client.Client
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{Cluster: servertest.Start(t), t: t}
	s.client = s.Client(t)
	file, err := os.ReadFile("website.yaml")
	s.must(err)
	for document := range bytes.SplitSeq(file, []byte("\n---\n")) {
		raw, err := yaml.YAMLToJSON(document)
		s.must(err)
		object := new(candor.Object)
		s.must(json.Unmarshal(raw, object))
		_, err = s.client.Create(t.Context(), object)
		s.must(err)
	}
	return s
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// runs starts the controller as an actor; stop ends it, kill does without a word to the
// cluster.
func (s *stage) runs(actor string) (stop, kill func()) {
	s.t.Helper()
	var endpoints []string
	for _, server := range s.Servers() {
		endpoints = append(endpoints, server.Name())
	}
	c, err := client.New(client.Config{Endpoints: endpoints, Actor: actor, Dialer: s.Dialer()})
	s.must(err)
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx, c, hclog.NewNullLogger()) }()
	var once sync.Once
	end := func(first func()) {
		once.Do(func() {
			first()
			cancel()
			s.must(<-done)
			if err := c.Close(); err != nil {
				s.t.Error(err)
			}
		})
	}
	s.t.Cleanup(func() { end(func() {}) })
	return func() { end(func() {}) }, func() { end(func() { _ = c.Close() }) }
}

func (s *stage) get(ref candor.Ref) *candor.Object {
	s.t.Helper()
	o, _, err := s.client.Get(s.t.Context(), ref)
	if errors.Is(err, &candor.Error{Reason: candor.ReasonNotFound}) {
		return nil
	}
	s.must(err)
	return o
}

var (
	docs = candor.Ref{Kind: kindWebsites, Namespace: "web", Name: "docs"}
	load = workloadOf(docs)
)

func (s *stage) replicas() int32 {
	o := s.get(load)
	if o == nil {
		return -1
	}
	var spec candor.WorkloadSpec
	s.must(json.Unmarshal(o.Spec, &spec))
	return spec.Replicas
}

func (s *stage) wants(copies string) {
	s.t.Helper()
	o := s.get(docs)
	o.Spec = json.RawMessage(`{"files":"/srv/docs","port":8080,"copies":` + copies + `}`)
	_, err := s.client.Update(s.t.Context(), o)
	s.must(err)
}

func (s *stage) phase() string {
	var status websiteStatus
	if o := s.get(docs); o != nil && o.Status != nil {
		s.must(json.Unmarshal(o.Status, &status))
	}
	return status.Phase
}

// A website gets its workload, with the cause and under the tenure, and the workload
// follows the website to its end.
func TestAWebsiteHasAWorkload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.runs("websites")
		s.Until("there is a workload", func() bool { return s.replicas() == 3 })
		mine := s.written(load)
		if len(mine) != 1 {
			t.Fatalf("the controller made %d versions of the workload, want 1", len(mine))
		}
		if c := mine[0].Cause; c.Era != 1 || c.Reason != "WEBSITE_CREATED" || c.Because == nil || c.Because.Ref != docs || c.ReadToken.Revision == 0 {
			t.Errorf("cause %+v", c)
		}
		if o := mine[0].Metadata.Owners; len(o) != 1 || !o[0].Controller || o[0].UID != s.get(docs).Metadata.UID {
			t.Errorf("owners %+v", o)
		}
		s.wants("5")
		s.Until("the workload follows", func() bool { return s.replicas() == 5 })
		s.Until("the website tells", func() bool { return s.phase() == phaseProgressing })
		_, err := s.client.Delete(t.Context(), load)
		s.must(err)
		s.Until("the workload is back", func() bool { return s.replicas() == 5 })
		_, err = s.client.Delete(t.Context(), docs)
		s.must(err)
		s.Until("both are gone", func() bool { return s.get(docs) == nil && s.get(load) == nil })
	})
}

// What belongs to somebody else is left alone, until it is gone.
func TestAForeignWorkloadBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		_, err := s.client.Create(t.Context(), &candor.Object{
			APIVersion: "candor/v1", Kind: "Workload", Metadata: candor.Metadata{Name: "docs", Namespace: "web"},
			Spec: json.RawMessage(`{"replicas":1,"template":{"command":["true"]}}`),
		})
		s.must(err)
		s.runs("websites")
		s.Until("it is blocked", func() bool { return s.phase() == phaseBlocked })
		if s.replicas() != 1 {
			t.Error("it took what is not its own")
		}
		_, err = s.client.Delete(t.Context(), load)
		s.must(err)
		s.Until("it goes on", func() bool { return s.replicas() == 3 })
	})
}

// Of two controllers one works; when it stops, or dies, or a server does, the work goes
// on, and nothing that is as it should be is written again.
func TestOneOfTwoControllersWorksWhateverDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		stop, _ := s.runs("ana")
		s.Until("there is a workload", func() bool { return s.replicas() == 3 && s.phase() == phaseProgressing })
		_, kill := s.runs("eva")
		uid := s.get(load).Metadata.UID
		stop()
		s.Until("eva has the duty", func() bool { return slices.Equal(s.holder(), []string{"client/eva"}) })
		s.wants("4")
		s.Until("eva works", func() bool { return s.replicas() == 4 })
		if got := eras(s.written(load)); s.get(load).Metadata.UID != uid || !slices.Equal(got, []uint64{2, 1}) {
			t.Errorf("the workload was made again, or not under the next era: %v", got)
		}
		s.runs("ida")
		kill()
		s.wants("6")
		s.Until("ida works", func() bool { return s.replicas() == 6 })
		s.Kill(s.Leader().Name())
		s.wants("7")
		s.Until("ida still works", func() bool { return s.replicas() == 7 })
		if got := eras(s.written(load)); !slices.Equal(got, []uint64{3, 3, 2, 1}) {
			t.Errorf("the workload was written in the eras %v: want once for each wish", got)
		}
		quiet := len(s.written(docs))
		time.Sleep(time.Minute)
		if len(s.written(docs)) != quiet || len(s.written(load)) != 4 {
			t.Error("something is written again and again")
		}
	})
}

// written are the versions of an object that the controllers made, newest first.
func (s *stage) written(ref candor.Ref) (objects []*candor.Object) {
	s.t.Helper()
	history, err := s.client.History(s.t.Context(), ref)
	s.must(err)
	for _, v := range history.Versions {
		if !v.Deleted && v.Object.Cause != nil && v.Object.Cause.Duty == "control/websites" {
			objects = append(objects, v.Object)
		}
	}
	return objects
}

func eras(objects []*candor.Object) (out []uint64) {
	for _, o := range objects {
		out = append(out, o.Cause.Era)
	}
	return out
}

func (s *stage) holder() (holders []string) {
	s.t.Helper()
	list, err := s.client.Tenures(s.t.Context())
	s.must(err)
	for _, x := range list.Tenures {
		if strings.HasPrefix(x.Duty, "control/") && x.Current.Active() {
			holders = append(holders, x.Current.Holder)
		}
	}
	return holders
}
