package topology

import (
	"fmt"

	"github.com/candor-plane/candor"
)

// Quorum is what a change does to the votes.
type Quorum struct {
	// Voters and Answer are before the change, VotersAfter and AnswerAfter once it is
	// made.
	Voters, Answer, VotersAfter, AnswerAfter int
}

// Majority is how many of some voters a quorum takes.
func Majority(voters int) int { return voters/2 + 1 }

// Holds says whether the voters that answer are a quorum afterwards.
func (q Quorum) Holds() bool {
	return q.VotersAfter > 0 && q.AnswerAfter >= Majority(q.VotersAfter)
}

// Spare is how many more voters may fail afterwards before the quorum is lost; less
// than none where it is lost already.
func (q Quorum) Spare() int { return q.AnswerAfter - Majority(q.VotersAfter) }

// String is the arithmetic, without the name of the change.
func (q Quorum) String() string { return q.say("afterwards") }

func (q Quorum) say(when string) string {
	after := fmt.Sprintf("there are %d voters, which need", q.VotersAfter)
	if q.VotersAfter == 1 {
		after = "there is 1 voter, which needs"
	}
	return fmt.Sprintf("%s, %s; %s %s %d, and %s", counted(q.Voters, "voter", "voters"), counted(q.Answer, "answers", "answer"),
		when, after, Majority(q.VotersAfter), counted(q.AnswerAfter, "answers", "answer"))
}

// quorum is the arithmetic of one step.
func (c *Configuration) quorum(s *Step) Quorum {
	after := c.with(s)
	var q Quorum
	q.Voters, q.Answer = c.voters()
	q.VotersAfter, q.AnswerAfter = after.voters()
	return q
}

// atRisk refuses a step after which there is no quorum.
func (c *Configuration) atRisk(s *Step) *candor.Error {
	q := c.quorum(s)
	when := "without " + s.Server
	switch s.Kind {
	case Promote:
		when = "with the vote of " + s.Server
	case Add, Transfer, Replace:
		when = "afterwards"
	case Remove:
	}
	switch {
	case q.VotersAfter == 0:
		return refuse(candor.ReasonQuorumAtRisk, s.Server, "%s is the last voter: a cluster without one is lost", s.Server)
	case q.VotersAfter == q.Voters && s.Kind != Add:
		return nil
	case !q.Holds():
		return refuse(candor.ReasonQuorumAtRisk, s.Server, "%s", q.say(when))
	default:
		return nil
	}
}

func refuse(reason candor.Reason, subject, format string, args ...any) *candor.Error {
	err := candor.Errorf(reason, format, args...)
	err.Subject = subject
	return err
}

// counted is a number with the word that goes with it.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
