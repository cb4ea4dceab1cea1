package layering

import (
	"testing"
	"testing/fstest"
)

func TestAnExcuseFromGoleakCountsOnlyWhileItIsNeeded(t *testing.T) {
	tree, err := Load(fstest.MapFS{
		"worker/worker.go": {Data: []byte("package worker\n\nfunc start() { go run() }\n")},
		"client/client.go": {Data: []byte("package client\n")},
	})
	if err != nil {
		t.Fatal(err)
	}

	found := goroutines(tree, map[string]string{"worker": "runs until the process ends", "client": "no longer true"})
	if len(found) != 1 || found[0].File != "client" {
		t.Errorf("want the row of client alone to be found, got %v", found)
	}
}
