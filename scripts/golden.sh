#!/usr/bin/env bash
# Writes the golden files anew: the tests of each package that knows -update.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=$(grep -rlE --include='*_test.go' 'flag\.Bool\("update"|"millrace/internal/golden"' . | xargs -r dirname | sort -u)
[[ -n $packages ]] || { echo "no package has golden files" >&2; exit 1; }
# shellcheck disable=SC2086 # one word per package
go test -count=1 $packages -update
git status --short -- '*testdata*' schemas/golden
