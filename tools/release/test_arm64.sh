#!/bin/sh
# make test-arm64: tests of arm64 under qemu: the Go packages without C, the golden words and pixels, and the release's own
# program on the examples. It says nothing of speed.
set -eu
cd "$(dirname "$0")/../.."
sh tools/release/arm64.sh env >/dev/null # makes the system while cgo is not yet told of it
tests=build/release/arm64/tests
rm -rf "$tests"; mkdir -p "$tests"
eval "$(tools/release/arm64.sh env)"

echo "== compiling tests"
# Without C: what needs no library runs as it is.
for package in ${PACKAGES:-$(CGO_ENABLED=0 go list -f '{{if .TestGoFiles}}{{.ImportPath}}{{end}}' ./tracker ./pool ./internal/... | grep -vE 'photo/vips|worker|bench|browse$|awake|confine|preview')}; do
	CGO_ENABLED=0 go test -c -o "$tests/$(echo "${package#photodesc/}" | tr / -).test" "$package" 2>/dev/null || echo "not without C: $package"
done
go test -c -o "$tests/cmd-photodesc.test" ./cmd/photodesc

failed=0
run() { # run FOLDER NAME FLAGS...
	folder=$1 name=$2; shift 2
	if sh tools/release/arm64.sh run sh -c "cd '$folder' && '/src/$tests/$name.test' $*" >"$tests/$name.log" 2>&1; then
		echo "ok    $name: $(tail -n 1 "$tests/$name.log")"
	else
		echo "WRONG $name:"; tail -n 20 "$tests/$name.log"; failed=1
	fi
}
for test in "$tests"/*.test; do
	name=$(basename "$test" .test)
	[ "$name" = cmd-photodesc ] || { folder=$(echo "$name" | sed 's/^internal-/internal\//'); while [ ! -d "$folder" ]; do folder=$(echo "$folder" | sed 's/-/\//'); done
		run "$folder" "$name" -test.short -test.timeout 20m; }
done
run cmd/photodesc cmd-photodesc "-test.run '^(TestGoldenWords|TestGoldenPixels|TestWorkdirOf01)\$' -test.v -test.timeout 60m"

echo "== the release's program"
sh tools/release/arm64.sh run sh -euc '
	rm -rf /tmp/w && mkdir /tmp/w && chown ada /tmp/w
	program=/src/build/release/arm64/photodesc
	su ada -c "$program version | head -5; $program -C /tmp/w run --model builtin /src/examples/photos 2>&1 | tail -n 4"
	wc -l </tmp/w/photo_descriptions_progress.txt' || failed=1
exit $failed
