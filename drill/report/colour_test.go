package report_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/candor-plane/candor/drill/report"
)

// palettes are the colours of the page in light, in dark and on paper.
func palettes(t *testing.T) map[string]map[string]string {
	t.Helper()
	_, style := inner(t, draw(t, &report.Report{}), "style")
	_, rest, _ := strings.Cut(style, ":root {")
	light, rest, _ := strings.Cut(rest, "}")
	_, rest, _ = strings.Cut(rest, ":root {")
	dark, rest, _ := strings.Cut(rest, "}")
	_, rest, _ = strings.Cut(rest, ":root {")
	paper, _, _ := strings.Cut(rest, "}")
	all := map[string]map[string]string{}
	for name, text := range map[string]string{"light": light, "dark": dark, "paper": paper} {
		all[name] = map[string]string{}
		for _, m := range regexp.MustCompile(`--([\w-]+): (#[0-9a-f]+)`).FindAllStringSubmatch(text, -1) {
			all[name][m[1]] = m[2]
		}
	}
	return all
}

// luminance is the relative luminance of WCAG 2.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	hex := strings.TrimPrefix(colour, "#")
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatalf("colour %q: %v", colour, err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			sum += weight * c / 12.92
			continue
		}
		sum += weight * math.Pow((c+0.055)/1.055, 2.4)
	}
	return sum
}

// TestTextIsLegible: 4.5 to 1 for text, 3 to 1 for what has to be told from the page, in
// every palette (WCAG 2, 1.4.3 and 1.4.11).
func TestTextIsLegible(t *testing.T) {
	type pair struct {
		front, back string
		least       float64
	}
	pairs := []pair{
		{"ink", "bg", 4.5}, {"soft", "bg", 4.5}, {"link", "bg", 4.5}, {"ink", "panel", 4.5},
		{"pass", "bg", 4.5}, {"violation", "bg", 4.5}, {"inconclusive", "bg", 4.5},
		{"pass", "pass-bg", 4.5}, {"violation", "violation-bg", 4.5}, {"inconclusive", "inconclusive-bg", 4.5},
		{"ink", "pass-bg", 4.5}, {"ink", "violation-bg", 4.5}, {"ink", "inconclusive-bg", 4.5},
		{"leader-ink", "leader", 4.5}, {"down", "bg", 4.5}, {"gap-ink", "gap", 4.5}, {"ink", "chip", 4.5}, {"bg", "violation", 4.5},
		{"era-ink", "e0", 4.5}, {"era-ink", "e1", 4.5}, {"era-ink", "e2", 4.5}, {"era-ink", "e3", 4.5}, {"era-ink", "e4", 4.5}, {"era-ink", "e5", 4.5},
		{"leader", "bg", 3}, {"candidate", "bg", 3}, {"paused", "bg", 3}, {"degraded", "bg", 3}, {"unknown", "bg", 3}, {"gap", "bg", 3},
		{"dot", "bg", 3}, {"cross", "bg", 3}, {"triangle", "bg", 3}, {"band", "bg", 3},
	}
	for name, palette := range palettes(t) {
		for _, p := range pairs {
			front, back := palette[p.front], palette[p.back]
			if front == "" || back == "" {
				t.Errorf("%s has no %s or no %s", name, p.front, p.back)
				continue
			}
			a, b := luminance(t, front), luminance(t, back)
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < p.least {
				t.Errorf("%s: %s %s on %s %s: %.2f, want %.1f", name, p.front, front, p.back, back, ratio, p.least)
			}
		}
	}
}
