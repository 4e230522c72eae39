#!/bin/sh
# Prints the licence texts of all that is compiled into a program, from the modules' own folders, and fails if NOTICES.md
# does not name one of them.
#
#     tools/release/licences.sh bin/photodesc
set -eu
cd "$(dirname "$0")/../.."
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
goroot=$(go env GOROOT)
section() {
	printf '\n\n==== %s ====\n' "$1"
	find "$2" -maxdepth 1 -type f \( -iname 'LICEN[SC]E*' -o -iname 'COPYING*' -o -iname 'NOTICE*' -o -iname 'PATENTS*' \) | LC_ALL=C sort | while read -r file; do
		printf '\n-- %s\n\n' "$(basename "$file")"
		cat "$file"
	done
}
section photodesc .
section "the Go standard library" "$goroot"
for module in $modules; do
	section "$module" "$(go list -m -f '{{.Dir}}' "$module")"
done
