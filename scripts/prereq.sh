#!/usr/bin/env bash
# Says what to install before the named tools are needed: prereq.sh go python ...
# One line for each that is missing; ends with 1 when one is.
set -uo pipefail
cd "$(dirname "$0")/.."

missing=0
need() { # NAME WHAT-TO-INSTALL COMMAND...
	local name=$1 cure=$2
	shift 2
	if ! "$@" >/dev/null 2>&1; then
		echo "missing: $name. $cure" >&2
		missing=1
	fi
}

jdk17() { java -version && [[ $(javac -version 2>&1) =~ ^javac\ (17|18|19|2[0-9]) ]]; }
node20() { (($(node --version | sed 's/^v//; s/\..*//') >= 20)); }
python310() { python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))'; }
browser() { command -v chromium chromium-browser google-chrome google-chrome-stable || { command -v apt-get && ((EUID == 0)); }; }

for tool in "$@"; do
	case $tool in
	go) need "Go $(sed -n 's/^go //p' go.mod) or newer" "Install it from https://go.dev/dl" go list -m ;;
	gcc) need "a C compiler" "Install gcc (Debian: apt-get install build-essential)" gcc --version ;;
	python) need "Python 3.10 or newer with venv" "Install it (Debian: apt-get install python3 python3-venv)" python310 ;;
	browser) need "Chromium or Chrome" "Install it (Debian: apt-get install chromium fonts-liberation)" browser ;;
	java) need "a JDK, 17 or newer" "Install one (Debian: apt-get install openjdk-17-jdk-headless)" jdk17 ;;
	maven) need "Maven" "Install it (Debian: apt-get install maven)" mvn --version ;;
	node) need "Node.js 20 or newer" "Install it from https://nodejs.org" node20 ;;
	*)
		echo "prereq.sh: unknown tool $tool" >&2
		exit 2
		;;
	esac
done
exit $missing
