package scenario

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
	sigs "sigs.k8s.io/yaml"

	"github.com/candor-plane/candor"
)

// Parse reads one scenario, strictly: a field that is unknown or given twice is an
// error, and so is whatever Validate refuses. Errors are of reason INVALID and name
// the file and, for a fault, its line. What may be left out is filled in.
func Parse(file string, data []byte) (*Scenario, error) {
	s := new(Scenario)
	if err := sigs.UnmarshalStrict(data, s); err != nil {
		return nil, candor.Errorf(candor.ReasonInvalid, "%s: %s", file, strings.TrimPrefix(err.Error(), "error unmarshaling JSON: "))
	}
	s.fill()
	err := s.Validate()
	if wrong, ok := errors.AsType[*faultError](err); ok {
		return nil, candor.Errorf(candor.ReasonInvalid, "%s:%d: %v", file, lineOf(data, wrong.index), err)
	}
	if err != nil {
		return nil, candor.Errorf(candor.ReasonInvalid, "%s: %v", file, err)
	}
	return s, nil
}

// fill puts the defaults in.
func (s *Scenario) fill() {
	if s.Cluster.Servers == 0 {
		s.Cluster.Servers = 3
	}
	if s.Expect.Acknowledged == 0 {
		s.Expect.Acknowledged = 100
	}
	for i := range s.Faults {
		if s.Faults[i].Times == 0 {
			s.Faults[i].Times = 1
		}
	}
}

// faultError is what is wrong with one of the faults.
type faultError struct {
	index int
	kind  Kind
	what  string
}

func (e *faultError) Error() string {
	return fmt.Sprintf("fault %d (%s): %s", e.index+1, e.kind, e.what)
}

// lineOf is the line of a fault, from 1; that of the document where it is not found.
func lineOf(data []byte, fault int) int {
	var root yaml.Node
	if yaml.Unmarshal(data, &root) != nil || len(root.Content) == 0 {
		return 1
	}
	document := root.Content[0]
	for i := 0; i+1 < len(document.Content); i += 2 {
		if document.Content[i].Value == "faults" && fault < len(document.Content[i+1].Content) {
			return document.Content[i+1].Content[fault].Line
		}
	}
	return document.Line
}
