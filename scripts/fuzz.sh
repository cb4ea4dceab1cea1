#!/usr/bin/env bash
# Runs every fuzz target of the module for a short time, one after the other. FUZZTIME is per target.
set -euo pipefail
cd "$(dirname "$0")/.."

go=${GO:-go}
each=${FUZZTIME:-10s}
count=0
failed=()
while IFS=: read -r file line; do
  dir=./$(dirname "$file")
  name=${line#func }
  name=${name%%(*}
  count=$((count + 1))
  echo "fuzz: $name in $dir for $each"
  # What a cluster covers differs from run to run, so that shrinking inputs would never end.
  "$go" test -run '^$' -fuzz "^$name\$" -fuzztime "$each" -fuzzminimizetime 1x "$dir" || failed+=("$dir $name")
done < <(find . -name '*_test.go' -not -path './bench/*' -not -path './tools/*' -not -path '*/testdata/*' |
  sed 's|^\./||' | sort | xargs -r grep -HoE '^func Fuzz[A-Za-z0-9_]*\([a-z]+ \*testing\.F' || true)

if [ "${#failed[@]}" -gt 0 ]; then
  printf 'fuzz: failed: %s\n' "${failed[@]}" >&2
  echo "fuzz: the input is kept under testdata/fuzz; 'go test' in that folder replays it" >&2
  exit 1
fi
echo "fuzz: $count targets, no failure"
