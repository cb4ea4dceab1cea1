package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Document is everything about one run.
type Document struct {
	Environment Environment `json:"environment"`
	Rows        []Row       `json:"rows"`
}

// Write replaces path with the document as JSON, whole or not at all.
func (d Document) Write(path string) error {
	data, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	part := path + ".part"
	if err := os.WriteFile(part, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	if err := os.Rename(part, path); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}

// Unmet is the name of every row whose targets are not shown to be reached:
// missed, or not judged.
func (d Document) Unmet() []string {
	var names []string
	for _, r := range d.Rows {
		if len(r.Target) > 0 && (r.Met == nil || !*r.Met) {
			names = append(names, r.Name)
		}
	}
	return names
}

// Failed is the first row of every experiment that did not get its rounds.
func (d Document) Failed() []string {
	var names []string
	for _, r := range d.Rows {
		if r.Candor == nil && r.Peer == nil {
			names = append(names, r.Name)
		}
	}
	return names
}
