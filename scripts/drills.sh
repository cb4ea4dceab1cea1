#!/usr/bin/env bash
# Runs scenarios one after the other and puts their accounts below a folder: drills.sh BINARY FOLDER SEED NAME...
# Without names, every one of the library that this machine can run. Ends as `candor drill summary` does.
set -uo pipefail
binary=$1 folder=$2 seed=$3
shift 3
names=("$@")
if [ "${#names[@]}" = 0 ]; then
  # What upgrades takes the previous release's binary, and wrong clocks one with failpoints.
  mapfile -t names < <("$binary" drill list | awk 'NR > 1 && $4 !~ /UPGRADE|CLOCK/ {print $1}')
  echo "drills: left out, for they take other binaries: rolling-upgrade (--previous), clock-* (--binary with failpoints)"
fi
mkdir -p "$folder"
accounts=()
for name in "${names[@]}"; do
  rm -rf "${folder:?}/$name"
  begin=$SECONDS
  "$binary" drill run "$name" --seed "$seed" --out "$folder/$name" >"$folder/$name.txt" 2>"$folder/$name.log"
  status=$?
  printf '%-20s %4d s  %s\n' "$name" "$((SECONDS - begin))" "$(head -n 1 "$folder/$name.txt")"
  if [ -f "$folder/$name/report.json" ]; then
    accounts+=("$folder/$name")
  else
    cat "$folder/$name.log"
    exit "$status"
  fi
done
echo
exec "$binary" drill summary "${accounts[@]}"
