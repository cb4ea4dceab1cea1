package network

import (
	"errors"
	"strings"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/scenario"
)

func TestAPartitionCutsTheDirectionsOfItsShape(t *testing.T) {
	three, five := []string{"a", "b", "c"}, []string{"a", "b", "c", "d", "e"}
	for _, test := range []struct {
		shape   scenario.Shape
		targets []string
		all     []string
		want    string
	}{
		{scenario.Isolated, []string{"b"}, three, "b>a a>b b>c c>b"},
		{scenario.Isolated, []string{"a", "e"}, five, "a>b b>a a>c c>a a>d d>a e>b b>e e>c c>e e>d d>e"},
		{scenario.Deaf, []string{"b"}, three, "a>b c>b"},
		{scenario.Mute, []string{"b"}, three, "b>a b>c"},
		{scenario.Mute, []string{"a", "b"}, three, "a>c b>c"},
		{scenario.Bridge, []string{"b"}, three, "a>c c>a"},
		{scenario.Bridge, []string{"c"}, five, "a>d d>a a>e e>a b>d d>b b>e e>b"},
		{scenario.Ring, []string{"a"}, three, ""},
		{scenario.Ring, nil, five, "a>c c>a a>d d>a b>d d>b b>e e>b c>e e>c"},
	} {
		cut, err := Directions(test.shape, test.targets, test.all)
		if err != nil {
			t.Errorf("%s of %v: %v", test.shape, test.targets, err)
		}
		var words []string
		for _, d := range cut {
			words = append(words, d.String())
		}
		if got := strings.Join(words, " "); got != test.want {
			t.Errorf("%s of %v among %v cuts %s, want %s", test.shape, test.targets, test.all, got, test.want)
		}
	}
}

func TestAPartitionOfNothingIsRefused(t *testing.T) {
	all := []string{"a", "b", "c"}
	for _, test := range []struct {
		shape   scenario.Shape
		targets []string
	}{
		{scenario.Isolated, nil},
		{scenario.Isolated, all},
		{scenario.Deaf, []string{"x"}},
		{scenario.Bridge, []string{"a", "b"}},
		{"STAR", []string{"a"}},
	} {
		cut, err := Directions(test.shape, test.targets, all)
		if !errors.Is(err, &candor.Error{Reason: candor.ReasonInvalid}) {
			t.Errorf("%s of %v: %v, %v; want %s", test.shape, test.targets, cut, err, candor.ReasonInvalid)
		}
	}
}
