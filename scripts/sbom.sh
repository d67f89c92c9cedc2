#!/usr/bin/env bash
# Writes the software bill of materials of the program millrace, as CycloneDX JSON:
# the modules that are in it, as its build information tells, with their licences.
#
#   sbom.sh PROGRAM FILE
set -euo pipefail
cd "$(dirname "$0")/.."

version=$("$1" version | cut -d' ' -f2)
mkdir -p "$(dirname "$2")"
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
go build -modfile=tools.mod -o "$made/cyclonedx-gomod" github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
# All modules are in the cache, for the program was built; its own is nowhere else. That
# they are the right ones, the build has seen by go.sum, which is not known elsewhere.
# The standard library's licence, Go's, is the only one that it does not find.
GOPROXY=off GOSUMDB=off "$made/cyclonedx-gomod" bin -json -licenses -std -version "$version" -output "$2" "$1"
