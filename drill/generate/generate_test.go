package generate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/generate"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/drill/workload"
	"github.com/candor-plane/candor/verify/coverage/lifecycle"
)

// Of every declared step there is a scenario that the product reads back as it was made,
// or a word on who brings it about.
func TestEveryDeclaredStepHasAScenarioOrSaysWhoMakesIt(t *testing.T) {
	names := map[string]string{}
	made, refused := 0, 0
	for _, l := range lifecycle.All() {
		for i := range l.Steps {
			step := l.Step(&l.Steps[i])
			s, err := generate.For(step)
			if err != nil {
				if candor.ReasonOf(err) != candor.ReasonNotFound || !strings.Contains(err.Error(), " do") && !strings.Contains(err.Error(), "must") {
					t.Errorf("%s: %v", step, err)
				}
				refused++
				continue
			}
			made++
			if other, taken := names[s.Name]; taken {
				t.Errorf("%s and %s are both named %s", step, other, s.Name)
			}
			names[s.Name] = step.String()
			text, err := generate.Text(s)
			if err != nil {
				t.Fatal(err)
			}
			read, err := scenario.Parse(s.Name+".yaml", text)
			if err != nil {
				t.Errorf("%s: %v\n%s", step, err, text)
				continue
			}
			if diff := cmp.Diff(s, read); diff != "" {
				t.Errorf("%s (-made +read):\n%s", step, diff)
			}
		}
	}
	if made < 100 || refused == 0 {
		t.Errorf("%d scenarios, %d refusals", made, refused)
	}
}

func TestTheFaultsAreThoseThatBringTheStepAbout(t *testing.T) {
	for text, want := range map[string]string{
		"duty/NEVER_HELD->HELD:campaign":              "",
		"duty/HELD->HELD:takeover":                    "KILL leader",
		"duty/HELD->EXPIRED:time":                     "PAUSE all",
		"duty/EXPIRED->HELD:renew":                    "PAUSE all",
		"duty/EXPIRED->HELD:takeover":                 "KILL holder/tso",
		"duty/EXPIRED->KEPT:handover":                 "NOT_FOUND",
		"duty/HELD->SEALED:seal":                      "RESTART all",
		"duty/HELD->KEPT:handover":                    "MOVE ids",
		"duty/KEPT->HELD:succeed":                     "MOVE ids",
		"duty/KEPT->SEALED:time":                      "PAUSE n3, MOVE ids n3",
		"era/ACTIVE->SEALED_BY_ANOTHER:takeover":      "KILL leader",
		"era/SEALED->CONFIRMED:confirm":               "MOVE ids",
		"member/ABSENT->NON_VOTER:add":                "ADD",
		"member/NON_VOTER->VOTER:promote":             "ADD",
		"member/VOTER->REMOVED:remove":                "REMOVE follower",
		"member/NON_VOTER->REMOVED:remove":            "NOT_FOUND",
		"leadership/FOLLOWS->LEADS:transfer":          "TRANSFER",
		"leadership/LEADS->REMOVED:depose":            "REMOVE leader",
		"transition/PLANNED->PUBLISHED:publish":       "ADD, KILL leader, REPLACE n3, KILL leader",
		"request/REMEMBERED->REMEMBERED:deduplicate":  "LINK leader, KILL leader",
		"instance/Placed->Lost:lose":                  "LOSE_NODES",
		"node/Ready->NotReady:silence":                "LOSE_NODES",
		"catch-up/FRESH->BOOTSTRAP_REQUIRED:observe":  "STARVE follower",
		"catch-up/LAGGING->UNKNOWN:observe":           "LINK follower, PARTITION follower",
		"mode/ROOT_LAGGING->ROOT_UNAVAILABLE:observe": "LINK follower, PARTITION follower",
		"mode/HEALTHY->VIEW_ONLY:observe":             "NOT_FOUND",
		"mode/COORDINATOR_DEGRADED->STOPPED:stop":     "KILL leader, KILL follower",
		"transition/ADMITTED->CANCELLED:cancel":       "NOT_FOUND",
		"transition/PUBLISHED->GONE:dispose":          "NOT_FOUND",
		"duty/RELEASED->HELD:reattach":                "NOT_FOUND",
		"node/Cordoned->Draining:drain":               "NOT_FOUND",
		"workload/Available->Paused:pause":            "NOT_FOUND",
		"workload/Progressing->Stalled:deadline":      "LOSE_NODES",
		"object/LIVE->TERMINATING:delete":             "",
		"object/LIVE->FOREGROUND:delete":              "NOT_FOUND",
		"instance/Pending->Placed:place":              "KILL holder/schedule",
		"transition/EXECUTING->FAILED:fail":           "NOT_FOUND",
		"leadership/LEADS->LEADS:elect":               "PAUSE followers",
		"request/REMEMBERED->FORGOTTEN:forget":        "",
		"catch-up/STOPPED->UNAVAILABLE:start":         "KILL follower, ADD",
		"transition/PLANNED->STALLED:time":            "NOT_FOUND",
		"token/ABSENT->JOINS:create":                  "NOT_FOUND",
		"object/TERMINATING->GONE:release":            "",
		"era/SEALED_BY_ANOTHER->CLOSED:overflow":      "NOT_FOUND",
		"transition/APPLIED->PUBLISHED:publish":       "ADD, REPLACE n3",
		"transition/EXECUTING->ABORTED:abort":         "NOT_FOUND",
		"duty/EXPIRED->SEALED:seal":                   "NOT_FOUND",
		"leadership/LEADS->FOLLOWS:depose":            "KILL leader",
		"catch-up/RECOVERING->FRESH:observe":          "STARVE follower",
		"workload/UNRECONCILED->Progressing:roll":     "LOSE_NODES",
		"instance/ABSENT->UNRECONCILED:create":        "",
		"node/NotReady->UNRECONCILED:clear":           "NOT_FOUND",
		"request/NEW->NEW:saturate":                   "NOT_FOUND",
		"member/REMOVED->NON_VOTER:add":               "NOT_FOUND",
		"access/OFF->ON:open":                         "NOT_FOUND",
	} {
		step, _, err := lifecycle.Find(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		s, err := generate.For(step)
		got := string(candor.ReasonOf(err))
		if err == nil {
			got = faultsOf(s)
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func faultsOf(s *scenario.Scenario) string {
	var out []string
	for _, f := range s.Faults {
		words := []string{string(f.Kind), f.Target, f.Duty, f.To}
		words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
		out = append(out, strings.Join(words, " "))
	}
	return strings.Join(out, ", ")
}

// What a scenario asks for exists.
func TestTheWorkloadsAreThoseThatThereAre(t *testing.T) {
	for _, l := range lifecycle.All() {
		for i := range l.Steps {
			s, err := generate.For(l.Step(&l.Steps[i]))
			if err != nil {
				continue
			}
			for _, w := range s.Load.Workloads {
				if !slices.Contains(workload.Names(), w.Name) {
					t.Errorf("%s: there is no workload %s", s.Name, w.Name)
				}
				if w.Name == "placements" && s.Cluster.Nodes == 0 {
					t.Errorf("%s: placements without nodes", s.Name)
				}
			}
		}
	}
}
