// Command controller keeps websites: for each object of the kind websites.web.example it
// has a workload, which it creates, changes and reports on. It is an example of a
// controller outside of Candor's own tree, with a kind of its own: it needs nothing but
// the API, may run several times (one works, the others wait), and may die at any time.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/coordinator/controller"
)

func main() {
	endpoints := flag.String("endpoints", "127.0.0.1:7101", "the servers' API addresses, with commas between them")
	actor := flag.String("actor", "websites", "who this is, where access control is off")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	logger := hclog.New(&hclog.LoggerOptions{Name: "websites", Output: os.Stderr})
	config := client.Config{Endpoints: strings.Split(*endpoints, ","), Token: os.Getenv("CANDOR_TOKEN"), Logger: logger.Named("client")}
	if config.Token == "" {
		config.Actor = *actor // a token says who this is
	}
	err := connect(ctx, config, logger)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(candor.ReasonOf(err).Disposition().Exit)
	}
}

func connect(ctx context.Context, config client.Config, logger hclog.Logger) (err error) {
	c, err := client.New(config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return run(ctx, c, logger)
}

// run keeps websites until ctx ends.
func run(ctx context.Context, c *client.Client, logger hclog.Logger) (err error) {
	// Whoever waits for the duty keeps its copy warm, and begins at once.
	cache, err := c.Cache(client.CacheOptions{Kinds: []client.CacheKind{{Kind: kindWebsites}, {Kind: candor.KindWorkloads}}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cache.Close()) }()
	if err := cache.WaitForSync(ctx); err != nil {
		return err
	}
	duty := &tenure{client: c, control: c.Control(group), logger: logger, lasts: 5 * time.Second}
	duty.hold(ctx, func(ctx context.Context, era uint64) error {
		runtime, err := controller.New(controller.Config{
			Store: cache.Store(), Logger: logger,
			Writer:      &writer{client: c, duty: duty.control.Duty(), era: era},
			Controllers: []controller.Controller{websites()},
		})
		if err != nil {
			return err
		}
		return runtime.Run(ctx)
	})
	return nil
}
