package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// help writes a command's help: what it does, how it is called, examples, its
// commands or flags, and of the common flags those that it honours.
func help(cmd *cobra.Command, _ []string) {
	var text strings.Builder
	writeHelp(&text, cmd)
	// There is nobody to tell when stdout takes nothing.
	_, _ = io.WriteString(cmd.OutOrStdout(), text.String())
}

func writeHelp(text *strings.Builder, cmd *cobra.Command) {
	long := cmd.Long
	if long == "" {
		long = cmd.Short + "."
	}
	fmt.Fprintf(text, "%s\n", strings.TrimSpace(long))
	if cmd.IsAdditionalHelpTopicCommand() {
		return
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(text, "\nUsage:\n  %s COMMAND\n", cmd.CommandPath())
	} else {
		fmt.Fprintf(text, "\nUsage:\n  %s\n", cmd.UseLine())
	}
	if cmd.HasExample() {
		fmt.Fprintf(text, "\nExamples:\n%s\n", indented(cmd.Example))
	}
	writeCommands(text, cmd)
	writeFlags(text, "Flags", cmd.LocalNonPersistentFlags(), nil)
	if !cmd.HasAvailableSubCommands() {
		writeFlags(text, "Flags of every command", cmd.InheritedFlags(), cmd)
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(text, "\n\"%s COMMAND --help\" shows what a command takes.\n", cmd.CommandPath())
	}
}

func writeCommands(text *strings.Builder, cmd *cobra.Command) {
	width := 0
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.IsAdditionalHelpTopicCommand() {
			width = max(width, len(sub.Name()))
		}
	}
	section := func(title, group string, topic bool) {
		first := true
		for _, sub := range cmd.Commands() {
			if sub.GroupID != group || sub.IsAdditionalHelpTopicCommand() != topic || !topic && !sub.IsAvailableCommand() {
				continue
			}
			if first {
				fmt.Fprintf(text, "\n%s:\n", title)
				first = false
			}
			fmt.Fprintf(text, "  %-*s  %s\n", width, sub.Name(), sub.Short)
		}
	}
	for _, group := range cmd.Groups() {
		section(group.Title, group.ID, false)
	}
	section("Commands", "", false)
	section("Topics, shown by \"candor help TOPIC\"", "", true)
}

// writeFlags lists flags; of takes those only that the command honours.
func writeFlags(text *strings.Builder, title string, set *pflag.FlagSet, of *cobra.Command) {
	shown := pflag.NewFlagSet(title, pflag.ContinueOnError)
	shown.SortFlags = false
	set.VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" && (of == nil || isHonoured(of, f.Name)) {
			shown.AddFlag(f)
		}
	})
	if shown.HasAvailableFlags() {
		fmt.Fprintf(text, "\n%s:\n%s", title, shown.FlagUsagesWrapped(100))
	}
}

func indented(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ")
}

// topics are help pages that belong to no command.
func topics() []*cobra.Command {
	return []*cobra.Command{
		{
			Use: "exit-codes", Short: "What the exit codes mean",
			Long: `Every command ends with one of these codes:

   0  done
   1  error: the input is wrong, or something broke
   2  the command line is wrong
   3  not found
   4  conflict: somebody else was first; read again and decide again
   5  unavailable, and surely not done: safe to do again
   6  outcome unknown: it may have been done; ask with "candor outcome ID"
   7  the freshness that was asked for could not be met
   8  an invariant is violated, or data is damaged
   9  a wait timed out
  10  differences exist (candor diff, candor plan --exit-code)`,
		},
		{
			Use: "explaining", Short: "How to read what \"candor why\" says",
			Long: `"candor why" says why something is as it is. Line by line:

  first line       what is so now
  decision         the decision that it rests on: its ID, the state of the root that
                   it was taken on, and the algorithm
  table            every node, with every reason that speaks against it; of nodes that
                   fit the score, and its parts, each times its weight
  Runner-up        the second best, and by how much it is less, or which rule chose
  Smallest change  changes after which it would fit, each enough alone
  Because          the versions that led there, nearest first, back to what somebody
                   wanted
  CONTROLLER …     what each controller last did about it, also where that was nothing
  Next             what it waits for
  Replayed         whether deciding again, on the same state, gives the same

A chain ends where versions are compacted, where you may not read, and after 32
links; it says which. What was refused before it reached the log only the server
knows that refused it: "candor why request ID --on SERVER".

"candor why-not OBJECT --on NODE" asks about one node, "candor plan -f FILE" about
what has not been applied.`,
		},
		{
			Use: "limits", Short: "What one party may have of a server, and how it is set",
			Long: `Every server bounds what one party may have of it: an actor that proves its
name, or an address. A refusal says which bound was met (QUEUE_SATURATED), and
"candor server --limit NAME=VALUE,…" sets it on that server.

For each CLASS of requests, read, write, topology (members, leadership, keys)
and execute:

  CLASS-places              requests under way: 2048, 4096, 16, 1024
  CLASS-reserved            of these, for servers alone
  CLASS-share               of these, for one party: half
  CLASS-queue               requests that wait: 8192, 8192, 64, 4096
  CLASS-queue-per-identity  of these, of one party: half
  CLASS-wait                how long one waits: 10s
  CLASS-rate, CLASS-burst   requests a second of one party, and at once: no bound
  CLASS-rate-wait           how long one that came too early is held back: 100ms

For all:

  watches, watches-per-identity                 20000, 10000
  connections, connections-per-address          10000, 2000
  accept-rate, accept-burst                     connections an address opens a
                                                second, and at once: 200, 500
  identities, addresses                         how many are remembered: 16384`,
		},
		drillsTopic(), verifyingTopic(),
		{
			Use: "reading", Short: "What --read asks for, and what the footer says",
			Long: `Every read names the freshness that it needs, and is served so or refused;
it is never silently served something older.

  --read=strong        everything acknowledged before the read is in the answer
  --read=bounded       the answer is at most so old, and the server proves it:
                       bounded:age=500ms, bounded:lag=100, or both with a comma
  --read=best-effort   whatever the server has; works without a quorum
  ...:token=T          the answer has at least reached the root token T
  strong:follower      a follower may answer, after asking the leader

Reads write a footer to stderr (-q leaves it out):

  as of 7:1042 · follower n2 · bounded, proven 40 ms · HEALTHY

"as of" is term and index of the log entry that the answer has reached. What
the answer does not prove is left out, or called unproven.

A read that cannot be served as it was asked for ends with exit code 7, the
reason and what to try; --accept-stale has it answered with best-effort instead,
where there is no majority, and the footer says so. "candor freshness SERVER" tries every class at one
server; "candor watch-catchup SERVER" follows how it catches up.

--at reads an older state: at a revision, or at a root token TERM:INDEX/REVISION.
It is there until compaction has passed it.`,
		},
		{
			Use: "access", Short: "Who may do what: actors, roles, bindings, tokens",
			Long: `Access control is off until "candor auth bootstrap" turns it on; then every
request needs to say who asks, and a role that allows it.

  actor        who asks: a client by name (ana), or worker/NAME
  Token        says who its bearer is; the cluster keeps a hash of its secret
  Role         what may be done: verbs on kinds, within namespaces, name prefixes
               and sections; built in are admin, operator, viewer and worker
  RoleBinding  gives a role to actors

Verbs are get, list, watch, create, update, delete. Kinds are named as
PLURAL.GROUP; * is every kind but roles, rolebindings and tokens, which must be
named, and system/members and its like are what is done to the cluster.

Commands take the token of the first of these:

  --token-file FILE    a file that holds it
  $CANDOR_TOKEN        the token itself
  $CANDOR_TOKEN_FILE   such a file
  the context's file   candor context set NAME --token-file FILE; not where
                       --server is given without --context

"candor auth whoami" says who you are, "candor auth can-i VERB KIND" what you may.
What kinds there are everybody may read who has a token.`,
		},
	}
}
