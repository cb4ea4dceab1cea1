package cli

import (
	"errors"
	"io"
	"slices"
	"strconv"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// refusal is an error with the commands that help.
type refusal struct {
	err   error
	steps []string
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// try adds what to try next, most useful first. It returns nil for nil, and
// leaves an error alone that already has steps.
func try(err error, steps ...string) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*refusal](err); ok {
		return err
	}
	return &refusal{err: err, steps: steps}
}

// ended is the end of a command that has already said what there is to say:
// only its exit code is left.
type ended struct{ exit int }

func (e *ended) Error() string { return "exit code " + strconv.Itoa(e.exit) }

// exitOf is the exit code of an error and whether it is still to be told.
func (f *Factory) exitOf(err error) (code int, told bool) {
	if err == nil {
		return candor.ExitDone, true
	}
	if e, ok := errors.AsType[*ended](err); ok {
		return e.exit, true
	}
	return f.exitCode(err), false
}

// exitCode is that of the error's reason, but for one: where a command reads,
// NOT_LEADER is a freshness that was not met. Where it writes that says that
// nothing was done.
func (f *Factory) exitCode(err error) int {
	if e, ok := errorOf(err); ok && e.Reason == candor.ReasonNotLeader && f.reads && refusedRead(e) {
		return candor.ExitFreshness
	}
	return candor.ReasonOf(err).Disposition().Exit
}

// tell writes a refusal to stderr.
func (f *Factory) tell(commandLine string, err error) {
	shown := output.Failure{Asked: commandLine, Err: err, Exit: f.exitCode(err)}
	if r, ok := errors.AsType[*refusal](err); ok {
		shown.Try = r.steps
	}
	if len(shown.Try) == 0 {
		shown.Try = f.next(err)
	}
	if len(shown.Try) == 0 && f.help != "" {
		shown.Try = []string{f.help}
	}
	// Where stderr takes nothing the exit code is all that is left to say.
	_, _ = io.WriteString(f.Err, shown.In(f.ErrPalette()))
}

// next is what helps with a reason, whatever the command was.
func (f *Factory) next(err error) []string {
	e, ok := errorOf(err)
	if !ok {
		return nil
	}
	if broken, ok := errors.AsType[*client.WitnessError](err); ok {
		return []string{"candor diagnostics --all      " + broken.Node + " broke its promise: look at it, and keep it from serving", "candor node view-only " + broken.Node + " --on"}
	}
	switch e.Reason {
	case candor.ReasonUnknownKind:
		return []string{"candor api-resources"}
	case candor.ReasonOutcomeUnknown:
		if e.Subject != "" {
			return []string{"candor outcome " + e.Subject}
		}
	case candor.ReasonCompacted:
		return []string{"candor status                  shows the floor, the oldest revision that is kept"}
	case candor.ReasonQuotaExceeded, candor.ReasonDiskPressure:
		return []string{"candor status", "candor cluster compact REVISION"}
	case candor.ReasonDiskFailed:
		return []string{"the same command again, once the disk is sound: what is on it is checked first", "candor cluster replace      takes the server away for good, if it is not"}
	case candor.ReasonQuorumAtRisk, candor.ReasonNotAMember, candor.ReasonNotCaughtUp, candor.ReasonEpochMismatch, candor.ReasonMemberExists:
		return []string{"candor cluster members"}
	case candor.ReasonTurnFault, candor.ReasonInvariantViolated, candor.ReasonTokenConflict, candor.ReasonDataCorrupt:
		return []string{"candor diagnostics --all"}
	case candor.ReasonUnauthenticated:
		return []string{tryToken, tryWhoAmI, tryNew}
	case candor.ReasonForbidden:
		return []string{tryWhoAmI, tryCanI}
	case candor.ReasonNotHosted, candor.ReasonSchedulerDegraded, candor.ReasonTenureHeld, candor.ReasonEraStale, candor.ReasonLineageMismatch:
		return []string{"candor tenure list      who holds which duty", "candor status"}
	case candor.ReasonFeatureLevel:
		return []string{"candor cluster members", "candor cluster feature-level"}
	default:
	}
	switch f.exitCode(err) {
	case candor.ExitFreshness:
		return f.fresher(e)
	case candor.ExitUnavailable:
		return []string{"candor status", "the same command again: nothing was done"}
	}
	return nil
}

// outcomes gathers the ends of several things done by one command: each
// refusal is told at once, and the last word is the worst of them.
type outcomes struct {
	f *Factory
	// worst is the exit code so far.
	worst int
}

// severity orders exits: what may have been done comes first, for only that
// needs looking after.
var severity = []int{
	candor.ExitOutcomeUnknown, candor.ExitViolated, candor.ExitUnavailable, candor.ExitFreshness,
	candor.ExitTimedOut, candor.ExitConflict, candor.ExitError, candor.ExitNotFound, candor.ExitUsage,
}

// refuse tells err and goes on.
func (o *outcomes) refuse(asked string, err error) {
	o.f.tell(asked, err)
	exit := o.f.exitCode(err)
	if o.worst == candor.ExitDone || rank(exit) < rank(o.worst) {
		o.worst = exit
	}
}

// hopeless says whether going on is of no use: the cluster, not the object, is
// what refused.
func hopeless(err error) bool {
	switch candor.ReasonOf(err).Disposition().Exit {
	case candor.ExitUnavailable, candor.ExitFreshness, candor.ExitOutcomeUnknown:
		return candor.ReasonOf(err) != candor.ReasonRequestExpired
	}
	return false
}

// left says how many were not tried after the cluster refused one.
func (o *outcomes) left(count int) {
	if count > 0 {
		o.f.Narrate("%d more were not tried", count)
	}
}

// end is what the command returns.
func (o *outcomes) end() error {
	if o.worst == candor.ExitDone {
		return nil
	}
	return &ended{exit: o.worst}
}

func rank(exit int) int {
	at := slices.Index(severity, exit)
	if at < 0 {
		return len(severity)
	}
	return at
}
