#!/bin/sh
# make test-release: holds what `make release` has made to docs/releasing.md.
#
#     tools/release/test.sh amd64
set -eu
cd "$(dirname "$0")/../.."
arch=$1
failed=0
good() { echo "ok    $*"; }
bad() { echo "WRONG $*"; failed=1; }
version=$(tools/release/version)
name=photodesc-$version-linux-$arch
bin=build/release/$arch/photodesc
[ -f "dist/$name.tar.gz" ] || { echo "dist/ has no release of this commit ($version): make release" >&2; exit 1; }

tools/release/sizes.sh "$arch" || failed=1
(cd dist && sha256sum --quiet -c SHA256SUMS) && good "checksums"
components=$(grep -c '"bom-ref"' "dist/$name.cdx.json")
modules=$(go version -m "$bin" | awk '$1 == "dep"' | wc -l)
[ "$components" -ge "$modules" ] && good "SBOM: $components components, $modules modules" || bad "SBOM: $components components of $modules modules"
tar -tzf "dist/$name.tar.gz" | grep -q '/NEEDS.txt$' && good "NEEDS.txt: $(grep -m 1 GLIBC "build/release/$arch/needs.txt" | sed 's/^ *//')" || bad "no NEEDS.txt"

if [ "$arch" = amd64 ]; then
	# A CPU without AVX2 gets a sentence, before code that would kill the program.
	said=$(qemu-x86_64-static -cpu Nehalem "$bin" version 2>&1 || true)
	case $said in
	*"this one has no avx"*) good "old CPU: $(echo "$said" | head -1)" ;;
	*) bad "old CPU: $said" ;;
	esac
	said=$(qemu-x86_64-static -cpu Haswell "$bin" version 2>&1 || true)
	case $said in
	*"photodesc's own for AVX2"*) good "CPU with AVX2 alone: $(echo "$said" | grep kernels)" ;;
	*) bad "CPU with AVX2 alone: $said" ;;
	esac
	total=0
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		began=$(date +%s%N)
		"$bin" -C /nonexistent status >/dev/null 2>&1 || true
		took=$((($(date +%s%N) - began) / 1000))
		[ "$total" -ne 0 ] && [ "$took" -gt "$total" ] || total=$took
	done
	[ "$total" -lt 50000 ] && good "start of status: $total µs" || bad "start of status: $total µs, at most 50000"
fi

# Again, from nothing but the sources: another Go cache would need an hour, another folder shows most.
again=$(mktemp -d)
trap 'rm -rf "$again"' EXIT
cp -r dist "$again/first"
backends=
for package in dist/photodesc-*_*_"$arch".deb; do
	[ ! -f "$package" ] || { package=${package#dist/photodesc-}; backends="$backends bin/libggml-${package%%_*}.so"; }
done
rm -f dist/*"$arch"* # what is not made again is missed below
target=release
[ "$arch" = amd64 ] || target=release-$arch
make --no-print-directory "$target" BACKENDS="${backends# }" >"$again/log" || { cat "$again/log"; bad "make $target"; cp -r "$again/first/." dist/; exit 1; }
for file in "$again"/first/*"$arch"*; do
	cmp -s "$file" "dist/$(basename "$file")" && good "the same bytes again: $(basename "$file")" || bad "other bytes: $(basename "$file")"
done
exit $failed
