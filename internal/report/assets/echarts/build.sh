#!/bin/sh
# Rebuilds echarts.min.js from the versions that package-lock.json pins.
# Usage: npm ci && npm run build
set -eu
cd "$(dirname "$0")"
banner=$(mktemp)
trap 'rm -f "$banner"' EXIT
{
	echo "/*!"
	cat NOTICE
	echo
	echo "Licensed under the Apache License, Version 2.0: https://www.apache.org/licenses/LICENSE-2.0"
	echo "Parts of Apache ECharts 6.1.0, selected and minified. It contains:"
	for part in zrender d3 tslib; do
		echo "---- $part"
		tr -d '\r' <LICENSE-$part
	done
	echo "*/"
} >"$banner"
node_modules/.bin/esbuild entry.js --bundle --minify --format=iife --global-name=echarts \
	--target=es2020 --legal-comments=none --charset=utf8 --outfile=bundle.tmp
cat "$banner" bundle.tmp >echarts.min.js
rm bundle.tmp
sha256sum echarts.min.js
