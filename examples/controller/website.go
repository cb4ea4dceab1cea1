package main

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/informer"
)

// kindWebsites is the kind that this controller is for; website.yaml declares it.
const kindWebsites candor.KindName = "websites.web.example"

// websiteSpec is what a user wants.
type websiteSpec struct {
	Files  string `json:"files"`
	Port   int    `json:"port"`
	Copies int32  `json:"copies"`
}

// websiteStatus is what has become of it.
type websiteStatus struct {
	ObservedGeneration uint64 `json:"observedGeneration,omitempty"`
	Phase              string `json:"phase,omitempty"`
	Ready              int32  `json:"ready,omitempty"`
}

// The phases of a website.
const (
	phaseProgressing = "Progressing"
	phaseAvailable   = "Available"
	phaseBlocked     = "Blocked"
)

// plan is all that this controller knows: from a website and the workload of its name,
// either of which may be nil, to the one write that is due, or none.
func plan(site, load *informer.Item) (write *controller.Write, result controller.Result, err error) {
	if site == nil || site.Terminating() {
		return nil, controller.Done(), nil // its workload goes with it: it is owned
	}
	spec, err := informer.Spec[websiteSpec](site)
	if err != nil {
		return nil, controller.Result{}, err
	}
	ref := workloadOf(site.Ref())
	if load == nil {
		object := &candor.Object{
			APIVersion: "candor/v1", Kind: "Workload",
			Metadata: candor.Metadata{Name: ref.Name, Namespace: ref.Namespace, Owners: []candor.OwnerReference{{
				Kind: kindWebsites, Name: site.Metadata.Name, UID: site.Metadata.UID, Controller: true, BlockOwnerDeletion: true,
			}}},
		}
		object.Spec, err = json.Marshal(wanted(spec))
		return because(site, controller.Create{Kind: ref.Kind, Object: object}, "WEBSITE_CREATED", "the website has no workload yet"), controller.Done(), err
	}
	if !owns(site, load) {
		write, err = status(site, websiteStatus{Phase: phaseBlocked})
		return write, controller.Blocked(ref, "a workload of that name belongs to somebody else"), err
	}
	have, err := informer.Spec[candor.WorkloadSpec](load)
	if err != nil {
		return nil, controller.Result{}, err
	}
	if want := wanted(spec); have.Replicas != want.Replicas || !slices.Equal(have.Template.Command, want.Template.Command) {
		update := *load.Object
		changed := *have
		changed.Replicas, changed.Template.Command = want.Replicas, want.Template.Command
		update.Spec, err = json.Marshal(changed)
		return because(site, controller.Update{Kind: ref.Kind, Object: &update}, "WEBSITE_CHANGED", "the website wants something else"), controller.Done(), err
	}
	reached, err := informer.Status[candor.WorkloadStatus](load)
	if err != nil {
		return nil, controller.Result{}, err
	}
	now := websiteStatus{Phase: phaseProgressing, Ready: reached.Ready}
	if reached.ObservedGeneration == load.Metadata.Generation && reached.Ready >= spec.Copies {
		now.Phase = phaseAvailable
	}
	write, err = status(site, now)
	return write, controller.Done(), err
}

// wanted is the workload of a website.
func wanted(s *websiteSpec) candor.WorkloadSpec {
	return candor.WorkloadSpec{Replicas: s.Copies, Template: candor.InstanceTemplate{
		Command: []string{"busybox", "httpd", "-f", "-p", strconv.Itoa(s.Port), "-h", s.Files},
	}}
}

// status is the write that brings the website's to now, or none.
func status(site *informer.Item, now websiteStatus) (*controller.Write, error) {
	now.ObservedGeneration = site.Metadata.Generation
	have, err := informer.Status[websiteStatus](site)
	if err != nil || *have == now {
		return nil, err
	}
	raw, err := json.Marshal(now)
	op := controller.UpdateStatus{Ref: site.Ref(), UID: site.Metadata.UID, ResourceVersion: site.Metadata.ResourceVersion, Status: raw}
	return &controller.Write{Ops: []controller.Op{op}, Reason: "WEBSITE_OBSERVED", Message: "the website is " + now.Phase}, err
}

func because(site *informer.Item, op controller.Op, reason, message string) *controller.Write {
	version := site.Version()
	return &controller.Write{Ops: []controller.Op{op}, Reason: reason, Message: message, Because: &version}
}

func workloadOf(site candor.Ref) candor.Ref {
	return candor.Ref{Kind: candor.KindWorkloads, Namespace: site.Namespace, Name: site.Name}
}

func owns(site, load *informer.Item) bool {
	for _, o := range load.Metadata.Owners {
		if o.UID == site.Metadata.UID && o.Controller {
			return true
		}
	}
	return false
}
