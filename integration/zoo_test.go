package integration

import (
	"bytes"
	"os"
	"testing"

	"github.com/candor-plane/candor/internal/zoo"
)

// TestTheProductHasNoMistakesToRelease: no name of one is in the binary that is served
// with, nor what would release it. (That a build with the tag zoo has all of them is a
// test of integration/zoo.)
func TestTheProductHasNoMistakesToRelease(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	words := []string{"CANDOR_ZOO", "internal/zoo.Has"}
	for _, b := range zoo.Bugs() {
		words = append(words, string(b.Name))
	}
	for _, word := range words {
		if bytes.Contains(text, []byte(word)) {
			t.Errorf("the product contains %q", word)
		}
	}
}
