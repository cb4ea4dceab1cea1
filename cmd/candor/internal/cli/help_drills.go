package cli

import "github.com/spf13/cobra"

// drillsTopic says what a scenario's file may say.
func drillsTopic() *cobra.Command {
	return &cobra.Command{
		Use: "drills", Short: "What the file of a drill may say",
		Long: `"candor drill show leader-kill" prints a scenario as the file that it is; a file
of your own is run by its path. It has name, summary, and:

  cluster   servers (3), nodes (simulated workers), workers (real ones, which run
            two instances each of the drill's own), flags of every server; policy:
            the failure policy of the nodes, or of what the workers run, which they
            are then held against
  load      for, and workloads: registers, lists, transactions, watchers, readers,
            numbers, placements; each with clients, keys, pause where it matters
  faults    each with kind and at; for, how long it lasts; times and every
  expect    gap: the longest time without an answer, by class (write, strong,
            bounded, best-effort); leader: changes or stays; ends: reasons with
            which a server may end; acknowledged: how many writes at least (100)

A target is leader, follower, followers, any, all, minority, majority, holder/DUTY or
a server's name, and is resolved when its fault begins.

  KILL, STOP            target; for (it stays away without)
  RESTART, WIPE, REMOVE, REPLACE   target
  PAUSE, HANG_DISK, FULL_DISK, STARVE, SILENT_LOG   target, for
  FAIL_DISK             target; for
  SLOW_DISK             target, for, delay
  DAMAGE                target, what: TAIL, LOG or SNAPSHOT
  PARTITION             target, for, shape: ISOLATED, DEAF, MUTE, BRIDGE or RING
  LINK                  target, for, and delay, jitter, or in percent loss, reorder,
                        duplicate; to: that direction alone
  CLOCK                 target, for, and offset, drift (parts per million) or freeze
  TRANSFER              to, or anybody
  MOVE                  duty; to
  STORM, SLEEPER        target, for, count
  MALFORMED             target, count
  LOSE_NODES            for, count
  END_INSTANCES         count; of the drill's own, SIGKILL
  FAIL_PROBES           for, count; of the drill's own
  ADD, UPGRADE          nothing

What this machine or cluster cannot do is refused before anything begins, with what
it takes; "candor drill doctor" says so beforehand.`,
	}
}

// verifyingTopic says what a verdict is worth.
func verifyingTopic() *cobra.Command {
	return &cobra.Command{
		Use: "verifying", Short: "What PASS, VIOLATION and INCONCLUSIVE mean",
		Long: `Drills, "candor verify" and "candor replay" end with a verdict:

  PASS          (exit 0) nothing was found in what was checked, and enough was
  VIOLATION     (exit 8) the records that are shown cannot all be true, whatever
                processes, networks and clocks did
  INCONCLUSIVE  (exit 1; candor replay: 0) nothing can be said: too little was
                checked, or a fault had no effect

CHECKED is on how many items a promise was checked, MARGIN how near the closest of
them came to breaking it. A write without an answer counts as one that may have
happened once, later, or never.

  candor drill run NAME        real servers, under harm
  candor verify history FILE   a recorded history, of any system
  candor verify sim            the rules, in many simulated failures
  candor verify coverage       what none of these has ever come to
  candor replay SOURCE         a server's log, through the rules again`,
	}
}
