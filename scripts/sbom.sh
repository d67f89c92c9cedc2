#!/usr/bin/env bash
# Writes the software bill of materials of the program millrace, as CycloneDX JSON:
# the modules that are in it, as its build information tells, with their licences.
#
#   sbom.sh PROGRAM FILE
set -euo pipefail
cd "$(dirname "$0")/.."

version=$("$1" version | cut -d' ' -f2)
mkdir -p "$(dirname "$2")"
# All modules are in the cache, for the program was built; its own is nowhere else.
# The standard library's licence, Go's, is the only one that it does not find.
GOPROXY=off go tool -modfile=tools.mod cyclonedx-gomod bin -json -licenses -std -version "$version" -output "$2" "$1"
