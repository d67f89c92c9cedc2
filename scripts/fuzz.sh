#!/usr/bin/env bash
# Runs each fuzz target for a time: fuzz.sh 30s
set -euo pipefail
cd "$(dirname "$0")/.."

time=$1
targets=$(grep -rEo --include='*_test.go' '^func Fuzz\w+' . | sort)
[[ -n $targets ]] || { echo "no fuzz target found" >&2; exit 1; }
while IFS=: read -r file target; do
	name=${target#func }
	echo "== $name ($(dirname "$file")), $time"
	go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" "$(dirname "$file")" </dev/null
done <<<"$targets"
