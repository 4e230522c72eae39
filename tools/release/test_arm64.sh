#!/bin/sh
# make test-arm64: tests of arm64 under qemu: the Go tests, the golden words, pixels and numbers, and the release's own program
# on the examples. It says nothing of speed. What has passed at a commit is not run again: stopped, it goes on where it was.
#
#     tools/release/test_arm64.sh [PACKAGE...]    as ./tracker; all without one
set -eu
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "make test-arm64 runs tests in a chroot, for which it must be root" >&2; exit 1; }
[ -f build/release/arm64/photodesc ] || { echo "there is no release for arm64 yet: make release-arm64" >&2; exit 1; }
sh tools/release/arm64.sh env >/dev/null # makes the system while cgo is not yet told of it
tests=build/arm64/tests
passed=build/arm64/passed-$(tools/release/version)
mkdir -p "$tests" "$passed"

# Left out, each for its reason.
left_out() {
	case $1 in
	internal/awake) echo "asks a D-Bus, which the chroot has not" ;;
	internal/browse) echo "draws in Chromium, which the chroot has not" ;;
	internal/confine | internal/preview | internal/worker) echo "Landlock and seccomp are the kernel's, which is amd64's" ;;
	internal/bench/*) echo "measures" ;;
	llm/kernels) echo "is for amd64 alone" ;;
	esac
}

# Tests that see qemu instead of the program.
# TestClassify: qemu writes to the standard error of what is killed by a signal.
# TestNice: qemu makes up a process's own /proc/PID/stat, in which nice is always 0.
# TestWebPAndMore: hashes 12 GB, for which qemu takes longer than for all other tests of its package.
skip='^(TestClassify|TestNice|TestWebPAndMore)$'
only() {
	case $1 in
	cmd/photodesc) echo '^(TestGoldenWords|TestGoldenPixels|TestWorkdirOf01)$' ;;
	llm) echo '^TestGolden' ;;
	*) echo . ;;
	esac
}

# compile PACKAGE FILE: without C where that can be, which is small and quick.
compile() (
	eval "$(sh tools/release/arm64.sh env)"
	CGO_ENABLED=0 go test -c -o "$2" "$1" 2>/dev/null || go test -trimpath -c -o "$2" "$1"
)

# run PACKAGE FILE: its last lines are in $log. -test.paniconexit0 is what go test adds, too.
run() {
	sh tools/release/arm64.sh run sh -c "cd $1 && exec /src/$2 -test.short -test.run '$(only "$1")' -test.skip '$skip' -test.timeout 3h -test.paniconexit0" >"$log" 2>&1
}

failed=
[ $# -gt 0 ] || set -- $(go list -f '{{if .TestGoFiles}}{{.Dir}}{{end}}' ./tracker ./pool ./internal/... ./llm/... ./cmd/photodesc)
for package in "$@"; do
	package=${package#"$PWD/"} package=${package#./}
	name=$(echo "$package" | tr / -)
	reason=$(left_out "$package")
	[ -z "$reason" ] || { echo "-     $package: $reason"; continue; }
	[ ! -e "$passed/$name" ] || { echo "ok    $package, before"; continue; }
	log=$tests/$name.log
	began=$(date +%s)
	compile "./$package" "$tests/$name.test"
	# Twice: tests have limits of time, and qemu is ten times slower than a machine of arm64.
	if run "$package" "$tests/$name.test" || { echo "again $package: $(grep -m 3 -o -e '--- FAIL: [A-Za-z0-9_/=]*' -e 'panic: .*' "$log" | tr '\n' ' ')"
		mv "$log" "$log.first"; run "$package" "$tests/$name.test"; }; then
		echo "ok    $package: $(($(date +%s) - began)) s"
		touch "$passed/$name"
	else
		echo "WRONG $package: $log"; tail -n 20 "$log"; failed="$failed $package"
	fi
	rm -f "$tests/$name.test"
done

echo "== the release's program"
sh tools/release/arm64.sh run sh -euc '
	rm -rf /tmp/w && mkdir /tmp/w && chown ada /tmp/w
	program=/src/build/release/arm64/photodesc
	su ada -c "$program version | head -5; $program -C /tmp/w run --model builtin /src/examples/photos 2>&1 | tail -n 4"
	wc -l </tmp/w/photo_descriptions_progress.txt' || failed="$failed the-program"
[ -z "$failed" ] || { echo "WRONG:$failed" >&2; exit 1; }
