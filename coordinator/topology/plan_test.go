package topology_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/topology"
)

// members are n1 and on, a letter each: V votes and answers, v votes and does not
// answer, N and n likewise without a vote, D votes, answers and differs.
func members(letters string) topology.Configuration {
	c := topology.Configuration{Index: 40, Leader: "n1", Proven: 100}
	for i, l := range letters {
		s := topology.Server{ID: "n" + string(rune('1'+i)), Address: "a" + string(rune('1'+i)), Applied: 100 - uint64(i)}
		s.Voter, s.Answers, s.Differs = strings.ContainsRune("VvD", l), strings.ContainsRune("VND", l), l == 'D'
		if l == 'N' {
			s.Applied = 100
		}
		c.Servers = append(c.Servers, s)
	}
	return c
}

func said(steps []topology.Step) string {
	var out []string
	for _, s := range steps {
		word := map[topology.Kind]string{topology.Add: "+", topology.Promote: "^", topology.Remove: "-", topology.Transfer: ">"}[s.Kind]
		at := ""
		if s.Configuration != 0 {
			at = "@40"
		}
		out = append(out, word+s.Server+at)
	}
	return strings.Join(out, " ")
}

func TestAChangeIsItsStepsOrARefusalWithTheNumbers(t *testing.T) {
	add := func(id, address string) topology.Change {
		return topology.Change{Kind: topology.Add, Server: id, Address: address}
	}
	of := func(kind topology.Kind, id string) topology.Change { return topology.Change{Kind: kind, Server: id} }
	replace := func(old, with, address string) topology.Change {
		return topology.Change{Kind: topology.Replace, Server: old, With: with, Address: address}
	}
	for _, test := range []struct {
		members string
		change  topology.Change
		steps   string
		reason  candor.Reason
		says    string
	}{
		{members: "VVV", change: add("n9", "a9"), steps: "+n9@40"},
		{members: "VVV", change: add("n2", "a2"), steps: ""},
		{members: "VVV", change: add("n2", "a9"), steps: "+n2@40"},
		{members: "VVV", change: add("n9", "a2"), reason: candor.ReasonMemberExists, says: "address a2 belongs to member n2"},
		{members: "Vvv", change: add("n9", "a9"), reason: candor.ReasonQuorumAtRisk, says: "3 voters, 1 answers; afterwards there are 3 voters, which need 2, and 1 answers"},
		{members: "VVV", change: add("n9", ""), reason: candor.ReasonInvalid},

		{members: "VVVN", change: of(topology.Promote, "n4"), steps: "^n4@40"},
		{members: "VVV", change: of(topology.Promote, "n2"), steps: ""},
		{members: "VVVn", change: of(topology.Promote, "n4"), reason: candor.ReasonNotCaughtUp, says: "does not answer"},
		{members: "VVV", change: of(topology.Promote, "n9"), reason: candor.ReasonNotAMember, says: "no member of configuration 40"},
		{members: "VvN", change: of(topology.Promote, "n3"), steps: "^n3@40"},
		{members: "VvvN", change: of(topology.Promote, "n4"), reason: candor.ReasonQuorumAtRisk, says: "with the vote of n4 there are 4 voters, which need 3, and 2 answer"},

		{members: "VVV", change: of(topology.Remove, "n3"), steps: "-n3@40"},
		{members: "VVV", change: of(topology.Remove, "n1"), steps: ">n2@40 -n1@40"},
		{members: "VDV", change: of(topology.Remove, "n1"), steps: ">n3@40 -n1@40"},
		{members: "VVv", change: of(topology.Remove, "n3"), steps: "-n3@40"},
		{members: "VVv", change: of(topology.Remove, "n2"), reason: candor.ReasonQuorumAtRisk, says: "3 voters, 2 answer; without n2 there are 2 voters, which need 2, and 1 answers"},
		{members: "Vv", change: of(topology.Remove, "n2"), steps: "-n2@40"},
		{members: "VN", change: of(topology.Remove, "n2"), steps: "-n2@40"},
		{members: "VN", change: of(topology.Remove, "n1"), reason: candor.ReasonQuorumAtRisk, says: "n1 is the last voter"},
		{members: "VDD", change: of(topology.Remove, "n1"), reason: candor.ReasonQuorumAtRisk, says: "no other voter that answers may lead"},
		{members: "VVV", change: of(topology.Remove, "n9"), reason: candor.ReasonNotAMember},

		{members: "VVV", change: replace("n3", "n9", "a9"), steps: "+n9@40 ^n9 -n3"},
		{members: "VVV", change: replace("n1", "n9", "a9"), steps: "+n9@40 ^n9 >n2 -n1"},
		{members: "V", change: replace("n1", "n9", "a9"), steps: "+n9@40 ^n9 >n9 -n1"},
		{members: "VVVN", change: replace("n3", "n4", ""), steps: "^n4@40 -n3"},
		{members: "VVv", change: replace("n3", "n9", "a9"), steps: "+n9@40 ^n9 -n3"},
		{members: "VVv", change: replace("n3", "n9", "a3"), steps: "-n3@40 +n9 ^n9"},
		{members: "VVv", change: replace("n2", "n9", "a2"), reason: candor.ReasonQuorumAtRisk, says: "without n2 there are 2 voters"},
		{members: "VVvn", change: replace("n4", "n9", "a9"), steps: "+n9@40 -n4"},
		{members: "VVV", change: replace("n3", "n9", "a1"), reason: candor.ReasonMemberExists},
		{members: "VVV", change: replace("n3", "n9", ""), reason: candor.ReasonNotAMember},
		{members: "VVV", change: replace("n8", "n9", "a9"), reason: candor.ReasonNotAMember},
		{members: "VVV", change: replace("n3", "n3", "a9"), reason: candor.ReasonInvalid},

		{members: "VVV", change: of(topology.Transfer, "n3"), steps: ">n3@40"},
		{members: "VVV", change: of(topology.Transfer, "n1"), steps: ""},
		{members: "VvV", change: of(topology.Transfer, ""), steps: ">n3@40"},
		{members: "VVv", change: of(topology.Transfer, "n3"), reason: candor.ReasonNotCaughtUp, says: "cannot take over"},
		{members: "VVN", change: of(topology.Transfer, "n3"), reason: candor.ReasonNotCaughtUp, says: "promote it first"},
		{members: "VVD", change: of(topology.Transfer, "n3"), reason: candor.ReasonConflict},
		{members: "V", change: of(topology.Transfer, ""), reason: candor.ReasonQuorumAtRisk},
		{members: "V", change: of(topology.Transfer, "n9"), reason: candor.ReasonNotAMember},
		{members: "V", change: of("shuffle", "n9"), reason: candor.ReasonInvalid},
	} {
		p, err := topology.Plan(test.change, members(test.members), false)
		if test.reason == "" {
			if err != nil || said(p.Steps) != test.steps || p.Risk != "" {
				t.Errorf("%s %+v: %q, risk %q, %v; want %q", test.members, test.change, said(p.Steps), p.Risk, err, test.steps)
			}
			continue
		}
		if err == nil || err.Reason != test.reason || !strings.Contains(err.Message, test.says) {
			t.Errorf("%s %+v: %q, %v; want %s: %s", test.members, test.change, said(p.Steps), err, test.reason, test.says)
		}
	}
}

func TestAServerThatLagsIsNotPromoted(t *testing.T) {
	c := members("VVVN")
	c.Servers[3].Applied = 99
	_, err := topology.Plan(topology.Change{Kind: topology.Promote, Server: "n4"}, c, true)
	if err == nil || err.Reason != candor.ReasonNotCaughtUp || err.Message != "server n4 has applied index 99; the root is at 100" {
		t.Errorf("%v", err)
	}
	c.Proven = 0
	_, err = topology.Plan(topology.Change{Kind: topology.Promote, Server: "n4"}, c, true)
	if err == nil || err.Reason != candor.ReasonNotCaughtUp {
		t.Errorf("nothing is proven: %v", err)
	}
}

func TestForcingSaysWhatItRisks(t *testing.T) {
	change := topology.Change{Kind: topology.Remove, Server: "n2"}
	risk := topology.Risk(change, members("VVv"))
	want := "forcing member-remove of n2 leaves 2 voters of which 1 answers where a quorum takes 2: no write and no strong read succeeds until 1 more answers, " +
		"and if they never do, only candor cluster recover helps, which may lose acknowledged writes"
	if risk != want {
		t.Errorf("%q", risk)
	}
	if risk := topology.Risk(change, members("VVV")); risk != "" {
		t.Errorf("nothing to force: %q", risk)
	}
	if risk := topology.Risk(topology.Change{Kind: topology.Remove, Server: "n1"}, members("V")); risk != "" {
		t.Errorf("the last voter: %q", risk)
	}
	leaderless := members("VN")
	leaderless.Leader = ""
	if p, err := topology.Plan(topology.Change{Kind: topology.Remove, Server: "n1"}, leaderless, true); err == nil || err.Reason != candor.ReasonQuorumAtRisk {
		t.Errorf("the last voter goes by force: %+v", p)
	}
}

// done is what a step leaves, as the servers would report it.
func done(c topology.Configuration, s topology.Step) topology.Configuration {
	c.Servers = slices.Clone(c.Servers)
	i := slices.IndexFunc(c.Servers, func(m topology.Server) bool { return m.ID == s.Server })
	switch s.Kind {
	case topology.Add:
		if i >= 0 {
			c.Servers[i].Address = s.Address
			break
		}
		c.Servers = append(c.Servers, topology.Server{ID: s.Server, Address: s.Address, Answers: true, Applied: c.Proven})
	case topology.Promote:
		c.Servers[i].Voter = true
	case topology.Remove:
		c.Servers = slices.Delete(c.Servers, i, i+1)
	case topology.Transfer:
		c.Leader = s.Server
	case topology.Replace:
		panic("a replacement is no step")
	}
	return c
}

func answering(c topology.Configuration) (voters, answer int) {
	for _, s := range c.Servers {
		if s.Voter {
			voters++
			if s.Answers {
				answer++
			}
		}
	}
	return voters, answer
}

// TestEveryPlanKeepsTheQuorumAndCanBeResumed over all clusters of up to five members
// and all changes of them: no unforced step ends without a quorum, none removes who
// leads, and a plan made again after any of its steps holds the rest.
func TestEveryPlanKeepsTheQuorumAndCanBeResumed(t *testing.T) {
	plans, refused, forced, steps := 0, 0, 0, 0
	for _, letters := range clusters(5) {
		for _, change := range changes(len(letters)) {
			c := members(letters)
			p, err := topology.Plan(change, c, false)
			f, forcedErr := topology.Plan(change, c, true)
			if err != nil {
				refused++
				if (topology.Risk(change, c) != "") != (forcedErr == nil) {
					t.Fatalf("%s %+v: forced %v, risk %q", letters, change, forcedErr, topology.Risk(change, c))
				}
				if forcedErr == nil {
					forced++
					if err.Reason != candor.ReasonQuorumAtRisk {
						t.Fatalf("%s %+v: forced beside the quorum: %v", letters, change, err)
					}
					survives(t, letters, c, f.Steps)
				}
				continue
			}
			if diff := cmp.Diff(p, f, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("%s %+v: force changes what is allowed: %s", letters, change, diff)
			}
			plans++
			for i, step := range p.Steps {
				steps++
				if step.Kind == topology.Remove && c.Leader == step.Server {
					t.Fatalf("%s %+v: %s removes who leads", letters, change, said(p.Steps))
				}
				before, _ := answering(c)
				c = done(c, step)
				voters, answer := answering(c)
				if weighed := voters != before || step.Kind == topology.Add; weighed && answer < topology.Majority(voters) {
					t.Fatalf("%s %+v: after %d of %s: %d of %d answer", letters, change, i+1, said(p.Steps), answer, voters)
				}
				again := p.Change
				again.Begun = true
				if again.Kind == topology.Remove && i == len(p.Steps)-1 {
					continue // it is gone: that is NOT_A_MEMBER
				}
				rest, err := topology.Plan(again, c, false)
				if err != nil || !alike(rest.Steps, p.Steps[i+1:]) {
					t.Fatalf("%s %+v: after %d of %q the rest is %q, %v", letters, change, i+1, said(p.Steps), said(rest.Steps), err)
				}
			}
		}
	}
	t.Logf("%d plans of %d steps, %d refusals, %d of them may be forced", plans, steps, refused, forced)
	if plans < 1000 || forced < 100 {
		t.Error("that proves little")
	}
}

// survives checks that even forced steps leave a voter.
func survives(t *testing.T, letters string, c topology.Configuration, steps []topology.Step) {
	for _, s := range steps {
		c = done(c, s)
		if voters, _ := answering(c); voters == 0 {
			t.Fatalf("%s: %s leaves no voter", letters, said(steps))
		}
	}
}

// alike says whether the steps are the same, whoever takes over as leader.
func alike(a, b []topology.Step) bool {
	return slices.EqualFunc(a, b, func(a, b topology.Step) bool {
		return a.Kind == b.Kind && (a.Server == b.Server || a.Kind == topology.Transfer) && a.Address == b.Address
	})
}

func clusters(most int) []string {
	all := []string{}
	var grow func(string)
	grow = func(s string) {
		if s != "" {
			all = append(all, s)
		}
		if len(s) < most {
			for _, l := range "VvNnD" {
				grow(s + string(l))
			}
		}
	}
	grow("V") // the leader, which answers itself
	return all
}

func changes(n int) []topology.Change {
	out := []topology.Change{
		{Kind: topology.Add, Server: "n9", Address: "a9"}, {Kind: topology.Add, Server: "n1", Address: "a9"},
		{Kind: topology.Add, Server: "n9", Address: "a1"}, {Kind: topology.Transfer},
	}
	for i := range n {
		id := "n" + string(rune('1'+i))
		out = append(
			out,
			topology.Change{Kind: topology.Promote, Server: id}, topology.Change{Kind: topology.Remove, Server: id}, topology.Change{Kind: topology.Transfer, Server: id},
			topology.Change{Kind: topology.Replace, Server: id, With: "n9", Address: "a9"},
			topology.Change{Kind: topology.Replace, Server: id, With: "n9", Address: "a" + id[1:]},
			topology.Change{Kind: topology.Replace, Server: id, With: "n1"},
		)
	}
	return out
}
