#!/bin/sh
# make release: builds the program for others and packs it into dist/.
#
#     tools/release/build.sh amd64|arm64
#
# In the environment: VERSION; CGO_CFLAGS, CGO_CXXFLAGS and, for arm64, what compiles for it (see arm64.sh); BACKENDS, a
# list of libggml-*.so to pack, each into a package of its own. Builds the same bytes again from the same commit.
set -eu
cd "$(dirname "$0")/../.."
arch=$1
export SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export TZ=UTC LC_ALL=C
umask 022
: "${VERSION:?}"
dirty=$(git status --porcelain) # also what git does not know: a Go file would be compiled in
[ -z "$dirty" ] || [ -n "${DIRTY:-}" ] || {
	echo "There are changes that are not committed, so this is no release. To try all the same: make release DIRTY=1" >&2
	echo "$dirty" >&2; exit 1; }
# A tag's version is that of the changelog. Those before a release, as 1.2.3-rc.1, need no date there.
case $VERSION in
*-*) ;;
*) grep -qE "^## \[$(echo "$VERSION" | sed 's/\./\\./g')\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$" CHANGELOG.md || {
	echo "The tag is v$VERSION, but CHANGELOG.md has no heading \"## [$VERSION] - DATE\": put it there, commit, and move the tag." >&2; exit 1; } ;;
esac

name=photodesc-$VERSION-linux-$arch
work=build/release/$arch
rm -rf "$work"; mkdir -p "$work" dist
# Of other commits; 1.2.3-dev+COMMIT and 1.2.3-rc.1 are not 1.2.3.
find dist -type f ! -name "photodesc-$VERSION-linux-*" ! -name "photodesc*_$(echo "$VERSION" | tr - '~')_*.deb" -delete
# GPU backends take functions of ggml from the program, and nothing else: the names of all of C are 400 kB. The program lies at
# another address each time (PIE); where ld can pack what the loader then has to correct, that saves 3.5 MB.
link='-Wl,--no-export-dynamic,--export-dynamic-symbol=ggml_*'
[ "$arch" != amd64 ] || link="$link -Wl,-z,pack-relative-relocs"
tools/quietgo build -buildmode=pie -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X main.version=$VERSION -extldflags '$link'" -o "$work/photodesc" ./cmd/photodesc
# What describes the program is the same for each processor; one that this machine cannot run does not say it.
teller=$work/photodesc
[ "$arch" = "$(dpkg --print-architecture)" ] || teller=bin/photodesc
bin=$work/photodesc

# tree DIR: what a prefix such as /usr/local gets.
tree() {
	mkdir -p "$1/lib/photodesc" "$1/bin" "$1/share/man/man1" "$1/share/doc/photodesc" "$1/share/bash-completion/completions" \
		"$1/share/zsh/site-functions" "$1/share/fish/vendor_completions.d"
	install -m 755 "$bin" "$1/lib/photodesc/photodesc"
	ln -s ../lib/photodesc/photodesc "$1/bin/photodesc" # GPU backends are looked for beside the file itself
	"$teller" man "$1/share/man/man1"
	"$teller" completion bash >"$1/share/bash-completion/completions/photodesc"
	"$teller" completion zsh >"$1/share/zsh/site-functions/_photodesc"
	"$teller" completion fish >"$1/share/fish/vendor_completions.d/photodesc.fish"
	cp NOTICES.md "$1/share/doc/photodesc/"
	cp "$work/licences.txt" "$1/share/doc/photodesc/"
}

tools/release/licences.sh "$bin" >"$work/licences.txt"
sh tools/release/needs.sh "$bin" >"$work/needs.txt"

# Archive.
archive=$work/$name
tree "$archive"
cp LICENSE "$archive/"
cp "$work/needs.txt" "$archive/NEEDS.txt"
sed "s/@VERSION@/$VERSION/" packaging/INSTALL.txt >"$archive/INSTALL.txt"
find "$archive" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
tar --sort=name --owner=0 --group=0 --numeric-owner --format=gnu -C "$work" -cf - "$name" | gzip -9n >"dist/$name.tar.gz"

# Packages.
deb=$work/deb
tree "$deb/usr"
sh tools/release/deb.sh "$deb" "$arch" "$VERSION"
for library in ${BACKENDS:-}; do
	sh tools/release/deb_backend.sh "$library" "$work" "$arch" "$VERSION"
done

# What is in it, for programs that look for known holes.
CGO_ENABLED=0 GOOS= GOARCH= go tool -modfile=tools/release/go.mod cyclonedx-gomod bin -json -noserial -notimestamp -std -version "$VERSION" \
	-output "dist/$name.cdx.json" "$bin" 2>"$work/sbom.log" || { cat "$work/sbom.log" >&2; exit 1; }

(cd dist && sha256sum photodesc* | sort -k 2 >SHA256SUMS)
ls -l dist
tools/release/sizes.sh "$arch"
