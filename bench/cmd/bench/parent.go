package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// parentInterval is how often a run under "go run" looks for its parent.
const parentInterval = 500 * time.Millisecond

// followParent ends the context when this process was started by "go run" and
// that has ended: "go run" passes no SIGTERM on, and a benchmark that nobody
// waits for would keep the machine busy. The returned function waits for the
// watching goroutine.
func followParent(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	parent := os.Getppid()
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", parent))
	if err != nil || strings.TrimSpace(string(name)) != "go" {
		return ctx, cancel
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(parentInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				if os.Getppid() != parent {
					cancel()
				}
			}
		}
	}()
	return ctx, func() {
		cancel()
		<-done
	}
}
