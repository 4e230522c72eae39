#!/bin/sh
# Prints the licence texts of all that is compiled into a program, and fails if NOTICES.md does not name a module or a
# module has no text. GOOS and GOARCH are those of the program.
#
#     tools/release/licences.sh bin/photodesc
set -eu
cd "$(dirname "$0")/../.."
export LC_ALL=C
modules=$(go version -m "$1" | awk '$1 == "dep" { print $2 }' | sort)
[ -n "$modules" ] || { echo "$1 does not say what it was built from" >&2; exit 1; }
missing=
for module in $modules; do
	case $module in
	golang.org/x/*) ;; # one line for all
	*) grep -qF "\`$module\`" NOTICES.md || missing="$missing $module" ;;
	esac
done
[ -z "$missing" ] || { echo "NOTICES.md does not name what is compiled in:$missing" >&2; exit 1; }
echo "The licences of what is compiled into photodesc. NOTICES.md says which is which."
texts() {
	find "$1" -maxdepth 1 -type f \( -iname 'LICEN[SC]E*' -o -iname 'COPYING*' -o -iname 'NOTICE*' -o -iname 'PATENTS*' \) | sort | while read -r file; do
		printf '\n-- %s\n\n' "$2$(basename "$file")"
		cat "$file"
	done
}
section() { # section NAME FOLDER FOLDER-BELOW...
	printf '\n\n==== %s ====\n' "$1"
	top=$2; shift 2
	for folder in "$top" "$@"; do
		below=${folder#"$top"} below=${below#/}
		texts "$folder" "${below:+$below/}"
	done
}
section photodesc .
section "the Go standard library" "$(go env GOROOT)"

# A folder may have works of others, with a licence of their own beside or above them: llama.cpp in ollama's module.
# A line is MODULE, its folder and a folder of it that is compiled.
packages=$(go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}} {{$.Dir}}{{end}}{{end}}' ./cmd/photodesc)
for module in $modules; do
	folders=$(echo "$packages" | awk -v module="$module" '$1 == module {
		top = $2
		for (f = $3; length(f) > length(top); sub("/[^/]*$", "", f)) print f
	}' | sort -u)
	dir=$(echo "$packages" | awk -v module="$module" '$1 == module { print $2; exit }')
	[ -n "$dir" ] || dir=$(go list -m -f '{{.Dir}}' "$module")
	# shellcheck disable=SC2086 # folders of modules have no spaces
	text=$(section "$module" "$dir" $folders)
	case $text in
	*"
-- "*) printf '%s\n' "$text" ;;
	*) echo "$module has no licence text: $dir" >&2; exit 1 ;;
	esac
done
