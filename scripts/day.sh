#!/usr/bin/env bash
# Simulates clusters under random faults for so many hours of their own time: day.sh HOURS [PACE]. PACE is the mean time
# between faults, on clusters of two hours; without it they come as densely as they can, on clusters of twenty minutes.
# Each cluster is a process of one thread, and there are as many at a time as processors: a fifth faster than one process
# for all. CANDOR_SEED (1) is the seed of the first; CANDOR_SIM_FOR=SECONDS begins none later than that.
# Ends with another status than 0 if a promise was broken; what broke it is left in a file that is named.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
hours=$1
export CANDOR_SIM_PACE=${2:-} GOMAXPROCS=1 GOGC=${GOGC:-800}
CANDOR_SIM_HOURS=$(awk -v h="$hours" -v l="${2:+2}" 'BEGIN {l = l ? l : 0.3333; print h < l ? h : l}')
clusters=$(awk -v h="$hours" -v l="$CANDOR_SIM_HOURS" 'BEGIN {n = h / l - 0.01; print int(n) < n ? int(n) + 1 : int(n)}')
first=${CANDOR_SEED:-1}
keep=${TMPDIR:-/tmp}
# Nothing of a cluster outlives the run: its folder is best in memory.
TMPDIR=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "$keep")") || exit 1
began=$(date +%s)
export CANDOR_SIM_HOURS TMPDIR keep began
trap 'rm -rf "$TMPDIR"' EXIT
GOMAXPROCS='' go test -c -o "$TMPDIR/clusters" ./server/servertest || exit 1
cd server/servertest || exit 1

one() {
  [ -z "${CANDOR_SIM_FOR:-}" ] || [ "$(($(date +%s) - began))" -lt "$CANDOR_SIM_FOR" ] || return 0
  local rc=0 log=$TMPDIR/$1.log
  CANDOR_SEED=$1 "$TMPDIR/clusters" -test.v -test.timeout 0 -test.run '^TestASimulatedDay$' >"$log" 2>&1 || rc=1
  if [ "$rc" = 0 ]; then
    # Which clusters there were, and what kept a verdict open; a log of none is no success.
    sed -nE 's/^ *day_test.go:[0-9]+: ((INCONCLUSIVE )?swarm-.*)$/\1/p' "$log" | grep . || rc=1
  else
    cp "$TMPDIR"/candor-*.yaml "$keep" 2>/dev/null
    sed "s|$TMPDIR/candor-|$keep/candor-|g" "$log"
  fi
  return "$rc"
}
export -f one

status=0
seq "$first" "$((first + clusters - 1))" | xargs -P "$(getconf _NPROCESSORS_ONLN)" -I{} bash -c 'one {}' || status=$?
cat "$TMPDIR"/*.log 2>/dev/null | awk -v asked="$hours" -v each="$CANDOR_SIM_HOURS" -v took="$(($(date +%s) - began))" '
  / servers, .* operations: / {
    simulated += each
    for (i = 2; i <= NF; i++) if ($i ~ /^operations:/) operations += $(i - 1)
    for (i = 2; i <= NF; i++) if ($i ~ /^(PASS|INCONCLUSIVE|VIOLATION),$/) verdicts[substr($i, 1, length($i) - 1)]++
  }
  /faults that bit: / {
    sub(/.*faults that bit: /, "")
    for (i = split($0, bit, ", "); i > 0; i--) { split(bit[i], of, " "); faults[of[1]] += of[2] }
  }
  END {
    for (kind in faults) list = list (list ? ", " : "") kind " " faults[kind]
    if (simulated < asked - 0.01) print "not all of " asked " h were simulated"
    printf "%.1f h of simulated cluster time in %d s: %.0f times as fast as the clock; %d operations checked; ", simulated, took, simulated * 3600 / (took ? took : 1), operations
    printf "%d PASS, %d INCONCLUSIVE, %d VIOLATION; faults that bit: %s\n", verdicts["PASS"], verdicts["INCONCLUSIVE"], verdicts["VIOLATION"], list
  }'
exit "$status"
