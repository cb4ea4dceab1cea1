package main

import (
	"context"
	"os"
	"testing"
	"time"
)

func TestWhatServesIsFoundHealthyUntilItEnds(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("CANDOR_INSTANCE_UID", "a-uid")
	if err := check(t.Context()); err == nil {
		t.Error("nothing serves, and the check succeeds")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"serve", "web"}) }()
	deadline := time.Now().Add(10 * time.Second)
	for check(t.Context()) != nil {
		if time.Now().After(deadline) {
			t.Fatal("not healthy within 10 s")
		}
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, err := os.Stat(addressFile()); err == nil {
		t.Error("it left its address behind")
	}
}
