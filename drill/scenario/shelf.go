package scenario

import (
	"embed"
	"path"
	"strings"

	"github.com/candor-plane/candor"
)

//go:embed library/*.yaml
var library embed.FS

// Library is every scenario that is part of the binary, by name.
func Library() ([]*Scenario, error) {
	entries, err := library.ReadDir("library")
	if err != nil {
		return nil, candor.Wrap("library of scenarios", err)
	}
	var all []*Scenario
	for _, entry := range entries {
		s, err := Named(strings.TrimSuffix(entry.Name(), ".yaml"))
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// Named is a scenario of the library; NOT_FOUND where there is none of that name.
func Named(name string) (*Scenario, error) {
	text, err := Text(name)
	if err != nil {
		return nil, err
	}
	return Parse(name+".yaml", text)
}

// Text is a scenario of the library as it is written.
func Text(name string) ([]byte, error) {
	text, err := library.ReadFile(path.Join("library", name+".yaml"))
	if err != nil {
		return nil, candor.Errorf(candor.ReasonNotFound, "no scenario is named %q: `candor drill list` has their names", name)
	}
	return text, nil
}
