package system

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// SpecBytes is the size of every object's spec.
const SpecBytes = 256

// Group, Version, Kind, Plural and Namespace identify the measured kind.
const (
	Group     = "bench.candor.dev"
	Version   = "v1"
	Kind      = "Item"
	Plural    = "items"
	Namespace = "default"
)

// Object is one object to write or to find. All its fields are shared and
// read-only.
type Object struct {
	// Path is the whole key, prefix and name: what a flat key space stores.
	Path string
	// Name is the last part of Path.
	Name string
	// Spec is a JSON object of SpecBytes bytes; nil where only the name counts.
	Spec []byte
}

// Corpus is a numbered set of objects whose names share a prefix. Every number
// has its own name and spec, the same on every run.
type Corpus struct{ prefix string }

// NewCorpus is the corpus whose object names begin with the given word, which
// must be a DNS label.
func NewCorpus(word string) Corpus {
	return Corpus{prefix: "/" + strings.Join([]string{Group, Version, Plural, Namespace, word}, "/") + "-"}
}

// Prefix begins the Path of every object of the corpus and of no other.
func (c Corpus) Prefix() string { return c.prefix }

// NamePrefix begins the Name of every object of the corpus.
func (c Corpus) NamePrefix() string { return c.prefix[strings.LastIndexByte(c.prefix, '/')+1:] }

// At is object i with its first spec. It allocates: loops prepare theirs before.
func (c Corpus) At(i int) Object {
	o := c.Bare(i)
	o.Spec = Spec(uint64(i))
	return o
}

// Bare is object i without a spec.
func (c Corpus) Bare(i int) Object {
	path := fmt.Sprintf("%s%08d", c.prefix, i)
	return Object{Path: path, Name: path[strings.LastIndexByte(path, '/')+1:]}
}

// Spec is a JSON object of SpecBytes bytes that is different for every seed and
// does not compress: text drawn from 64 letters.
func Spec(seed uint64) []byte {
	const head, foot = `{"replicas":3,"image":"`, `"}`
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	spec := make([]byte, 0, SpecBytes+8)
	spec = append(spec, head...)
	for state := seed; len(spec) < SpecBytes-len(foot); {
		// splitmix64, by its published constants.
		state += 0x9e3779b97f4a7c15
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		var eight [8]byte
		binary.LittleEndian.PutUint64(eight[:], z^z>>31)
		for _, b := range eight {
			spec = append(spec, letters[b&63])
		}
	}
	return append(spec[:SpecBytes-len(foot)], foot...)
}
