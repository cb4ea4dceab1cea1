#!/usr/bin/env bash
# Says in one line what running the tests as root adds. A test that needs root makes its own network namespaces,
# is named TestNetns…, and skips itself with the reason when it may not. Scenarios with network faults run either way:
# in namespaces as root, and otherwise with proxies between the servers.
set -euo pipefail
cd "$(dirname "$0")/.."

count=$(find . -name '*_test.go' -not -path '*/testdata/*' -print0 |
  xargs -0 -r grep -hE '^func TestNetns[A-Za-z0-9_]*\(t \*testing\.T' | wc -l || true)
if [ "$count" = 0 ]; then
  echo "make test: all of it ran; root would add nothing, for no test needs it"
elif [ "$(id -u)" != 0 ]; then
  echo "make test: root would add $count tests in network namespaces (TestNetns…), skipped here, and put namespaces in the place of proxies for network faults: sudo make test"
elif ! command -v ip >/dev/null; then
  echo "make test: $count tests in network namespaces (TestNetns…) skipped: they need root, which this is, and iproute2; proxies carried the network faults"
else
  echo "make test: as root, so the $count tests in network namespaces (TestNetns…) were included, and network faults were in namespaces"
fi
