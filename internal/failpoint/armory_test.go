package failpoint

import (
	"testing"
	"time"
)

// TestAPointActsAtItsHitAndOfItsSubject, and counts anew once it is armed anew.
func TestAPointActsAtItsHitAndOfItsSubject(t *testing.T) {
	var a armory
	load := func(text string) {
		t.Helper()
		if err := a.load(text); err != nil {
			t.Fatal(err)
		}
	}
	hit := func(point, subject string) string {
		if x := a.hit(point, subject); x != nil {
			return x.action
		}
		return ""
	}
	wants := func(want, point, subject string) {
		t.Helper()
		if got := hit(point, subject); got != want {
			t.Errorf("%s[%s]: %q, want %q", point, subject, got, want)
		}
	}
	wants("", "handover/seal", "ids")
	load("handover/seal[tso]=crash@2, duty/run=panic, tenure/renew=pause:1500ms@1,tenure/answered=error")
	wants("", "handover/seal", "tso")
	wants("", "handover/seal", "ids")
	load(a.text)
	wants("crash", "handover/seal", "tso")
	wants("", "handover/seal", "tso")
	wants("panic", "duty/run", "ids")
	wants("panic", "duty/run", "tso")
	wants("error", "tenure/answered", "")
	if x := a.hit("tenure/renew", "ids"); x == nil || x.action != "pause" || x.pause != 1500*time.Millisecond {
		t.Errorf("%+v", x)
	}
	wants("", "tenure/renew", "ids")
	load("")
	wants("", "duty/run", "ids")
	load("tenure/renew=crash@1")
	wants("crash", "tenure/renew", "tso")
}

// TestWhatIsArmedAndIsNoPointIsRefused, and so is what a point cannot do. What was
// armed before stays.
func TestWhatIsArmedAndIsNoPointIsRefused(t *testing.T) {
	var a armory
	if err := a.load("handover/seal=crash"); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"handover/seal", "handover/nowhere=crash", "=crash", "handover/seal=stumble", "handover/seal=crash@0", "handover/seal=crash@x",
		"handover/seal=pause", "handover/seal=pause:long", "handover/sealed=crash,handover/nowhere=crash",
	} {
		if err := a.load(text); err == nil {
			t.Errorf("%q arms %+v", text, a.arms)
		}
	}
	if a.hit("handover/seal", "ids") == nil {
		t.Error("it is not armed any more")
	}
}
