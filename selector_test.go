package candor_test

import (
	"testing"

	"github.com/candor-plane/candor"
)

func TestSelectorMatches(t *testing.T) {
	labels := map[string]string{"app": "web", "tier": "front", "empty": "", "example.com/zone": "eu-1"}
	for _, c := range []struct {
		selector string
		want     bool
	}{
		{"", true},
		{"   ", true},
		{"app=web", true},
		{"app==web", true},
		{" app = web ", true},
		{"app=api", false},
		{"missing=web", false},
		{"app!=api", true},
		{"app!=web", false},
		{"missing!=web", true},
		{"app", true},
		{"missing", false},
		{"!app", false},
		{"!missing", true},
		{"empty=", true},
		{"app=", false},
		{"app in (web,api)", true},
		{"app in (api, web)", true},
		{"app in (api)", false},
		{"missing in (web)", false},
		{"app notin (web)", false},
		{"app notin (api)", true},
		{"missing notin (api)", true},
		{"app in (web,api),tier=front", true},
		{"app in (web,api),tier!=front", false},
		{"example.com/zone=eu-1", true},
		{"app=web,tier=front,!missing,empty", true},
	} {
		s, err := candor.ParseSelector(c.selector)
		if err != nil {
			t.Errorf("%q: %v", c.selector, err)
			continue
		}
		if got := s.Matches(labels); got != c.want {
			t.Errorf("%q matches %v: %t, want %t", c.selector, labels, got, c.want)
		}
	}
}

func TestSelectorRefusesWhatItDoesNotUnderstand(t *testing.T) {
	for _, text := range []string{
		"=", "=web", "app=web,", ",", "app=web,,tier=front", "app in web", "app in (web", "app within (web)",
		"in (web)", "app in (we b)", "app=we b", "App/=x", "a=b=c", "app>3", "!", "!!app", "app in ((web))", "app) , b",
	} {
		if _, err := candor.ParseSelector(text); candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("%q: got %v, want INVALID", text, err)
		}
	}
}

func TestTheZeroSelectorMatchesEverything(t *testing.T) {
	var s candor.Selector
	if !s.Empty() || !s.Matches(nil) || !s.Matches(map[string]string{"a": "b"}) {
		t.Error("the zero selector must match everything")
	}
	parsed, err := candor.ParseSelector("a")
	if err != nil || parsed.Empty() {
		t.Errorf("a selector with a requirement is empty: %v", err)
	}
}

func FuzzParseSelector(f *testing.F) {
	f.Add("app in (web,api),tier!=front,!x,y")
	f.Add("((),=)")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := candor.ParseSelector(text)
		if err != nil {
			if candor.ReasonOf(err) != candor.ReasonInvalid {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		s.Matches(map[string]string{"app": "web"})
	})
}
