#!/bin/sh
# A Debian 12 of arm64 in build/chroot/arm64: the compiler for arm64 takes headers and libraries from it, since Debian's
# libvips-dev:arm64 cannot be installed beside amd64's; and its programs run in it, under qemu.
#
#     eval "$(tools/release/arm64.sh env)"    exports what compiles for arm64; makes the system first
#     tools/release/arm64.sh run COMMAND...   runs a command in it, this folder at /src
set -eu
cd "$(dirname "$0")/../.."
top=$PWD
root=$top/build/chroot/arm64

# qemu of Debian 13, whatever this machine has. Before 8.1 qemu goes on with the code that it knew at an address when new code
# was written there through another mapping (its issue 1034). Orc does so, with which libvips 8.14 shrinks pictures: they came
# out black, without an error, or the program crashed. A real processor is told by Orc to forget the old code.
qemu=$top/build/chroot/qemu-aarch64
get_qemu() {
	[ ! -x "$qemu" ] || return 0
	rm -rf "$qemu.tree"; mkdir -p "$(dirname "$qemu")"
	mmdebstrap --quiet --variant=extract --include=qemu-user trixie "$qemu.tree" >&2
	mv "$qemu.tree/usr/bin/qemu-aarch64" "$qemu"
	rm -rf "$qemu.tree"
}

# Programs of arm64 run by themselves, also those that a program starts: the flag F opens qemu now, so that it need not
# be in the chroot, and P leaves a program the name that it was started by.
register() {
	get_qemu
	entry=/proc/sys/fs/binfmt_misc/qemu-aarch64
	[ -e /proc/sys/fs/binfmt_misc/register ] || mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
	! grep -qxF "interpreter $qemu" $entry 2>/dev/null || ! grep -q '^flags: .*P.*F\|^flags: .*F.*P' $entry || return 0
	[ ! -e $entry ] || echo -1 >$entry
	printf '%s' ':qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:'"$qemu:PF" \
		>/proc/sys/fs/binfmt_misc/register
}

make_root() {
	[ ! -f "$root/etc/debian_version" ] || return 0
	[ "$(id -u)" = 0 ] || { echo "a system of arm64 is made in $root, for which this must be root" >&2; exit 1; }
	register
	rm -rf "$root"; mkdir -p "$(dirname "$root")"
	mmdebstrap --quiet --variant=apt --architectures=arm64 \
		--include=passwd,libvips-dev,libtiff-dev,libjpeg-dev,libopenblas-dev,libc6-dev,libstdc++-12-dev,dpkg-dev,libimage-exiftool-perl bookworm "$root" >&2
	chroot "$root" useradd -m ada
	# Links such as libm.so's are absolute, and lead nowhere from outside: the linker then takes libm.a, which wants
	# exactly this glibc.
	find "$root/usr/lib/aarch64-linux-gnu" -type l -lname '/*' | while read -r link; do
		ln -snf -r "$root$(readlink "$link")" "$link"
	done
}

case $1 in
env)
	make_root
	cat <<END
export GOOS=linux GOARCH=arm64 CGO_ENABLED=1
export CC="aarch64-linux-gnu-gcc --sysroot=$root" CXX="aarch64-linux-gnu-g++ --sysroot=$root"
export CGO_CFLAGS="-O3 -march=armv8.2-a+dotprod+fp16" CGO_CXXFLAGS="-O3 -march=armv8.2-a+dotprod+fp16"
export PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_PATH= PKG_CONFIG_LIBDIR=$root/usr/lib/aarch64-linux-gnu/pkgconfig:$root/usr/lib/aarch64-linux-gnu/openblas-pthread/pkgconfig:$root/usr/share/pkgconfig
export INSIDE="tools/release/arm64.sh run"
END
	;;
run)
	shift
	make_root
	register
	mkdir -p "$root/src" "$root/usr/local/go" "$root/root/go/pkg/mod" "$root/root/.cache/go-build"
	# Some tests have the go command make models. It is a static program of this machine, so it runs in there, too.
	exec unshare --mount --fork sh -euc '
		root=$1 top=$2 goroot=$3 modules=$4 cache=$5; shift 5
		mount --make-rprivate /
		mount --bind "$top" "$root/src"
		mount --bind "$goroot" "$root/usr/local/go"
		mount --bind "$modules" "$root/root/go/pkg/mod"
		mount --bind "$cache" "$root/root/.cache/go-build"
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		exec chroot "$root" env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/go/bin CGO_ENABLED=0 \
			sh -c "cd /src && exec \"\$@\"" sh "$@"' sh "$root" "$top" "$(go env GOROOT)" "$(go env GOMODCACHE)" "$(go env GOCACHE)" "$@"
	;;
esac
