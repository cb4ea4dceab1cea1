package system_test

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"strings"
	"testing"

	"github.com/candor-plane/candor/bench/system"
)

func TestEverySpecIsAJSONObjectOfTheStatedSize(t *testing.T) {
	seen := map[string]bool{}
	for i := range 5_000 {
		spec := system.Spec(uint64(i))
		if len(spec) != system.SpecBytes {
			t.Fatalf("spec %d has %d bytes", i, len(spec))
		}
		var fields struct {
			Replicas int
			Image    string
		}
		if err := json.Unmarshal(spec, &fields); err != nil || fields.Replicas != 3 || fields.Image == "" {
			t.Fatalf("spec %d: %v, %+v", i, err, fields)
		}
		if seen[string(spec)] {
			t.Fatalf("spec %d repeats an earlier one", i)
		}
		seen[string(spec)] = true
	}
}

func TestSpecsGainNothingFromCompressionBeyondTheirAlphabet(t *testing.T) {
	var packed bytes.Buffer
	writer, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	const n = 2_000
	for i := range n {
		writer.Write(system.Spec(uint64(i)))
	}
	writer.Close()
	if share := float64(packed.Len()) / (n * system.SpecBytes); share < 0.68 {
		t.Errorf("specs compress to %.2f of their size", share)
	}
}

func TestObjectsOfACorpusShareThePrefixAndDifferInName(t *testing.T) {
	corpus := system.NewCorpus("item")
	a, b := corpus.At(0), corpus.At(99_999_999)
	if a.Name != "item-00000000" || b.Name != "item-99999999" {
		t.Errorf("names %q, %q", a.Name, b.Name)
	}
	for _, o := range []system.Object{a, b} {
		if !strings.HasPrefix(o.Path, corpus.Prefix()) || !strings.HasSuffix(o.Path, "/"+o.Name) {
			t.Errorf("path %q of name %q", o.Path, o.Name)
		}
		if !strings.HasPrefix(o.Name, corpus.NamePrefix()) {
			t.Errorf("name %q lacks prefix %q", o.Name, corpus.NamePrefix())
		}
	}
}
