#!/bin/sh
# go vet for macOS of every package that no C gets into, tests included: what claims to work there compiles there. It needs no
# compiler for macOS; check.sh, which has one, looks at the others, too.
set -eu
packages=$(go list -e -test -f '{{or .ForTest .ImportPath}} {{join .Deps " "}} ' ./... | awk '
	{ name = $1; sub(/\.test$/, "", name); all[name] }
	/(^| )photodesc\/(llm|llm\/kernels|third_party\/llama\.cpp|internal\/photo\/vips) / { c[name] }
	END { for (name in all) if (!(name in c)) print name }')
[ "$(echo "$packages" | wc -l)" -gt 40 ] || { echo "tools/macos/vet.sh found too few packages without C: $packages" >&2; exit 1; }
GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 go vet $packages
