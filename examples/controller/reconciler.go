package main

import (
	"context"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/informer"
)

// reconciler is the plan, carried out.
type reconciler struct{ writer controller.Writer }

// websites declares the controller: what it reads, and all that it may write.
func websites() controller.Controller {
	return controller.Controller{
		Declaration: controller.Declaration{
			Name: "websites",
			Inputs: []controller.Input{
				{Kind: kindWebsites},
				{Kind: candor.KindWorkloads, Map: websiteOf},
			},
			Outputs: []controller.Output{
				{Kind: candor.KindWorkloads, Section: controller.SectionLife},
				{Kind: candor.KindWorkloads, Section: controller.SectionSpec},
				{Kind: kindWebsites, Section: controller.SectionStatus},
			},
			Workers: 2,
		},
		Make: func(w controller.Writer) controller.Reconciler { return &reconciler{writer: w} },
	}
}

// websiteOf is the website that a change of a workload is about.
func websiteOf(c informer.Change) []candor.Ref {
	for _, o := range c.Item().Metadata.Owners {
		if o.Kind == kindWebsites && o.Controller {
			return []candor.Ref{{Kind: kindWebsites, Namespace: c.Ref.Namespace, Name: o.Name}}
		}
	}
	return nil
}

// Reconcile makes the one write that is due; its own change brings the next.
func (r *reconciler) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	write, result, err := plan(request.View.Get(request.Ref), request.View.Get(workloadOf(request.Ref)))
	if err != nil || write == nil {
		return result, err
	}
	_, err = r.writer.Write(ctx, *write)
	return result, err
}
