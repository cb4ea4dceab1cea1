package scenario

import "testing"

// TestTheLibraryIsWhole: each file is a scenario of its own name, and together they have
// a fault of each kind and each shape.
func TestTheLibraryIsWhole(t *testing.T) {
	all, err := Library()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Errorf("%d scenarios", len(all))
	}
	kinds, shapes, damages := map[Kind]bool{}, map[Shape]bool{}, map[string]bool{}
	for _, s := range all {
		text, err := Text(s.Name)
		if err != nil || len(text) == 0 {
			t.Errorf("%s is in no file of its name: %v", s.Name, err)
		}
		for _, f := range s.Faults {
			kinds[f.Kind], shapes[f.Shape], damages[f.What] = true, true, true
		}
	}
	for kind := range needs {
		if !kinds[kind] {
			t.Errorf("no scenario has %s", kind)
		}
	}
	for _, shape := range Shapes {
		if !shapes[shape] {
			t.Errorf("no scenario has a partition %s", shape)
		}
	}
	for _, what := range Damages {
		if !damages[what] {
			t.Errorf("no scenario damages %s", what)
		}
	}
}
