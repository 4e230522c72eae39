#!/bin/sh
# Writes a go.mod for check.sh, and beside it copies of other people's modules whose C calls Apple's frameworks. The copies are
# compiled as if there were no C for them, which each of them has a way of.
#
#     modules.sh FOLDER
set -eu
to=$1
rm -rf "$to"
mkdir -p "$to"
cp go.mod go.sum "$to/"
go list -deps -test -f '{{if and .CgoFiles (not .Standard)}}{{.Module.Path}} {{.Module.Dir}} {{.Dir}} {{join .CgoFiles " "}} {{join .CFiles " "}}{{end}}' ./... |
	grep -vE '^(photodesc|github\.com/ollama/ollama) ' | sort -u |
	while read -r module from dir files; do
		copy=$to/$(echo "$module" | tr / -)
		[ -d "$copy" ] || {
			cp -r "$from" "$copy"
			chmod -R u+w "$copy"
			go mod edit -replace "$module=$copy" "$to/go.mod"
		}
		cd "$copy/${dir#"$from"}"
		rm $files
		sed -i '/^\/\/go:build /s/!cgo/darwin/' ./*.go
		cd "$OLDPWD"
	done
