package bundle

import (
	"encoding/json"
	"time"

	"github.com/candor-plane/candor"
)

// Format is that of the bundles that this build writes, and reads.
const Format = "candor-bundle/1"

// ManifestName is the part that says what the others are.
const ManifestName = "manifest.json"

// Manifest says what is in a bundle, and what is not.
type Manifest struct {
	Format string `json:"format"`
	// Made is by the clock of the machine that made it, with that build.
	Made      time.Time `json:"made"`
	Build     string    `json:"build"`
	ClusterID string    `json:"clusterID,omitempty"`
	// WithData: logs and snapshots were asked for, and with them every object.
	WithData bool   `json:"withData"`
	Nodes    []Node `json:"nodes"`
	// LeftOut is what no bundle of this kind has, on purpose.
	LeftOut []string `json:"leftOut"`
	// Gaps are what was wanted and could not be had.
	Gaps  []Gap  `json:"gaps,omitempty"`
	Parts []Part `json:"parts"`
}

// Node is a member, or a server that was asked.
type Node struct {
	Name    string `json:"name"`
	ID      string `json:"id,omitempty"`
	Address string `json:"address,omitempty"`
	Version string `json:"version,omitempty"`
	// Answered: it was reached. Otherwise everything about it is unknown.
	Answered bool   `json:"answered"`
	Failure  string `json:"failure,omitempty"`
	// Asked and Told bound when its answer was made, by the clock of Made. Clock is its
	// own at that time, where it tells it.
	Asked time.Time `json:"asked,omitzero"`
	Told  time.Time `json:"told,omitzero"`
	Clock time.Time `json:"clock,omitzero"`
}

// Gap is what could not be had.
type Gap struct {
	// Node is its name; empty for what is of the whole.
	Node   string        `json:"node,omitempty"`
	What   string        `json:"what"`
	Reason candor.Reason `json:"reason,omitempty"`
	Why    string        `json:"why"`
}

// Part is one file of the archive.
type Part struct {
	Path   string `json:"path"`
	What   string `json:"what"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Incomplete says why it ends early.
	Incomplete string `json:"incomplete,omitempty"`
}

func (m *Manifest) check() error {
	if m.Format != Format {
		return candor.Errorf(candor.ReasonFeatureLevel, "it has format %q; this build reads %q", m.Format, Format)
	}
	return nil
}

func parseManifest(data []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return m, candor.Errorf(candor.ReasonDataCorrupt, "%s: %w", ManifestName, err)
	}
	return m, m.check()
}
