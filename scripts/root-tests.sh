#!/usr/bin/env bash
# Says in one line what running the tests as root adds. Tests that need network namespaces make their own, and skip
# themselves with the reason where they may not. Scenarios with network faults run either way: in namespaces where
# those may be made, and otherwise with proxies between the servers.
set -euo pipefail

if [ "$(id -u)" != 0 ]; then
  echo "make test: not as root: where this user may make no network namespaces, tests of these skipped themselves, and proxies carried the network faults; sudo make test runs all"
elif ! command -v ip >/dev/null; then
  echo "make test: as root, but without iproute2: tests of network namespaces skipped themselves, and proxies carried the network faults"
else
  echo "make test: as root, so network faults were in namespaces"
fi
