#!/usr/bin/env bash
# Runs each fuzz target on inputs that are changed blindly, for a time: mutate.sh 10s
# [PATTERN]. PATTERN is an extended regular expression that chooses among folders. Of
# packages several run at a time. At its end it tells how many executions there were.
set -euo pipefail
cd "$(dirname "$0")/.."

time=$1
pattern=${2:-.}
mapfile -t folders < <(grep -rlE --include='*_test.go' '^func Fuzz\w+' . | xargs -n 1 dirname | sort -u | grep -v '^./internal/mutate$' | grep -E "$pattern" || true)
[[ ${#folders[@]} -gt 0 ]] || { echo "no fuzz target found" >&2; exit 1; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
MILLRACE_MUTATE=$time go test -count=1 -v -timeout 12h -run '^Fuzz' "${folders[@]}" 2>&1 | grep --line-buffered -vE '^(=== |\s*--- PASS|PASS$)' | tee "$log" || status=1
awk '/ executions by mutation of / { n++; for (i = 1; i < NF; i++) if ($(i + 1) == "executions") total += $i }
	END { printf "%d executions by mutation of %d targets\n", total, n }' "$log"
exit "$status"
