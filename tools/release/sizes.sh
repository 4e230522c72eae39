#!/bin/sh
# Fails if the program or its package is larger than is promised. What may have made it so: go tool nm -size -sort size of a
# build without -s -w. A template of Go, or anything else that calls methods by name, is 6 MB (see .depguard.yml).
#
#     tools/release/sizes.sh amd64
set -eu
cd "$(dirname "$0")/../.."
failed=0
# limit WHAT FILE BYTES
limit() {
	size=$(stat -c %s "$2")
	if [ "$size" -lt "$3" ]; then
		echo "ok    $1: $((size / 1000)) kB of at most $(($3 / 1000))"
	else
		echo "WRONG $1: $((size / 1000)) kB, at most $(($3 / 1000))"; failed=1
	fi
}
limit "program, stripped" "build/release/$1/photodesc" 50000000
limit "package" dist/photodesc_*_"$1".deb 20000000
exit $failed
