#!/usr/bin/env bash
# Runs each fuzz target for a time: fuzz.sh 30s [PATTERN]. PATTERN is an extended
# regular expression that chooses among "./folder FuzzName"; FUZZPARALLEL bounds the
# workers of a target. At its end it tells how many executions there were.
set -euo pipefail
cd "$(dirname "$0")/.."

time=$1
pattern=${2:-.}
targets=$(grep -rEo --include='*_test.go' '^func Fuzz\w+' . | sed -E 's|/[^/]+:func | |' | sort | grep -E "$pattern" || true)
[[ -n $targets ]] || { echo "no fuzz target found" >&2; exit 1; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
total=0 failed=()
while read -r folder name; do
	echo "== $name ($folder), $time"
	if ! go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 2s ${FUZZPARALLEL:+-parallel "$FUZZPARALLEL"} "$folder" </dev/null | tee "$log"; then
		# On a busy machine Go reports that the time is over as a failure
		# (golang/go#75804); what fails in earnest leaves an input behind.
		grep -q '^    context deadline exceeded$' "$log" && ! grep -q 'Failing input' "$log" || failed+=("$folder $name")
	fi
	count=$(sed -nE 's/.*execs: ([0-9]+).*/\1/p' "$log" | tail -n 1)
	echo "$folder $name: ${count:-0} executions"
	total=$((total + ${count:-0}))
done <<<"$targets"
echo "$total executions of $(wc -l <<<"$targets") targets"
[[ ${#failed[@]} -eq 0 ]] || { printf 'failed: %s\n' "${failed[@]}" >&2; exit 1; }
