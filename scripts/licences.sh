#!/usr/bin/env bash
# Ends with 1, naming it, when a Go package that the programs or their tests are
# built from has a licence that is not in the list. The list is of permissive
# licences that ask for a notice and nothing else; think before you add one that
# asks for more.
#
#   licences.sh [LICENCE,...]   another list
set -euo pipefail
cd "$(dirname "$0")/.."

allowed=${1:-Apache-2.0,BSD-2-Clause,BSD-3-Clause,ISC,MIT}

# Its messages tell of assembler, which it takes for a language it does not know.
if ! messages=$(go tool -modfile=tools.mod go-licenses check --include_tests \
	--ignore "$(go list -m)" --allowed_licenses "$allowed" ./... 2>&1); then
	echo "$messages" | grep -v -e 'non-Go code' -e '^/' >&2
	exit 1
fi
