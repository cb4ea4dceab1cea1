#!/usr/bin/env bash
# Fails when go.mod or go.sum of any module in this tree is not what `go mod tidy` would write. Writes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

go=${GO:-go}
bad=0
for mod in go.mod */go.mod compat/*/go.mod examples/*/go.mod; do
  [ -f "$mod" ] || continue
  dir=$(dirname "$mod")
  if "$go" mod tidy -C "$dir" -diff; then
    echo "tidy: $mod is tidy"
  else
    echo "tidy: $mod is not tidy; run 'go mod tidy -C $dir' and commit the result" >&2
    bad=1
  fi
done
exit "$bad"
