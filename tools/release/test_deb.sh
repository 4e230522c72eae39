#!/bin/sh
# make test-deb: installs the packages of dist/ in fresh systems, uses them as an ordinary user and removes them. The Vulkan
# backend, where dist/ has it, computes there with Mesa's software Vulkan, which it takes if told so alone.
#
#     tools/release/test_deb.sh [bookworm] [trixie]
set -eu
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "make test-deb makes chroots, for which it must be root" >&2; exit 1; }
[ $# -gt 0 ] || set -- bookworm trixie
version=$(tools/release/version | tr - '~')
deb=$PWD/dist/photodesc_${version}_amd64.deb
[ -f "$deb" ] || { echo "there is no $deb: make release" >&2; exit 1; }
vulkan=$PWD/dist/photodesc-vulkan_${version}_amd64.deb
[ -f "$vulkan" ] || { echo "not tried: there is no $vulkan (make vulkan, then make release BACKENDS=bin/libggml-vulkan.so)"; vulkan=; }
mirror=$(sed -n 's/^URIs: *\(http[^ ]*debian\)\/*$/\1/p' /etc/apt/sources.list.d/*.sources 2>/dev/null | head -1)

echo "== lintian"
for package in "$deb" $vulkan; do
	lintian --fail-on error "$package" || exit 1
done

for suite in "$@"; do
	echo "== $suite"
	root=$PWD/build/chroot/$suite
	if [ ! -f "$root/etc/debian_version" ]; then
		mkdir -p "$(dirname "$root")"
		mmdebstrap --quiet --variant=apt --include=passwd "$suite" "$root" ${mirror:+"$mirror"}
		chroot "$root" useradd -m ada
	fi
	cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
	cp "$deb" "$root/tmp/photodesc.deb"
	rm -f "$root/tmp/vulkan.deb"
	[ -z "$vulkan" ] || cp "$vulkan" "$root/tmp/vulkan.deb"
	rm -rf "$root/tmp/photos" && cp -r examples/photos "$root/tmp/photos" && chmod -R a+rX "$root/tmp/photos"
	sh tools/release/in_chroot.sh "$root" sh -euc '
		apt-get update -qq
		DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends /tmp/photodesc.deb >/tmp/install.log 2>&1 || { cat /tmp/install.log; exit 1; }
		dpkg -s photodesc | grep -E "^(Version|Depends)"
		su ada -c "cd ~ && photodesc version | head -4; rm -rf w; mkdir w; echo model = \\\"builtin\\\" >w/photodesc.toml; photodesc -C w doctor; photodesc -C w run /tmp/photos 2>&1 | tail -3"
		su ada -c "cd ~ && photodesc -C w status | head -3 && photodesc -C w search star | head -2"
		if [ -f /tmp/vulkan.deb ]; then
			# Its driver beside it, as the package of the loader recommends.
			DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends /tmp/vulkan.deb mesa-vulkan-drivers >/tmp/install.log 2>&1 || { cat /tmp/install.log; exit 1; }
			dpkg -s photodesc-vulkan | grep -E "^(Version|Depends)"
			gpu() { su ada -c "cd ~ && ${1:-} photodesc -C w doctor" | grep -A 1 "GPU device" || true; }
			gpu | grep "libggml-vulkan.so is not used: it finds no GPU"
			# That a test picture is described there in time is left to quiet machines.
			gpu GGML_VK_VISIBLE_DEVICES=0 | tee /tmp/gpu.log | grep "^OK .*llvmpipe" && grep "Vulkan from /usr/lib/photodesc/libggml-vulkan.so" /tmp/gpu.log || { cat /tmp/gpu.log; exit 1; }
			DEBIAN_FRONTEND=noninteractive apt-get remove -qq -y photodesc-vulkan >/dev/null 2>&1
			! ls /usr/lib/photodesc/libggml* /usr/share/doc/photodesc-vulkan 2>/dev/null || exit 1
			gpu | grep "none; the CPU does the work"
			# Without the program it is of no use, and goes with it.
			DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends /tmp/vulkan.deb >/dev/null 2>&1
		fi
		[ -f /usr/share/man/man1/photodesc.1.gz ] || echo "no manual (this system leaves manuals out)"
		DEBIAN_FRONTEND=noninteractive apt-get remove -qq -y photodesc >/dev/null 2>&1
		left=$(find / -xdev -path /proc -prune -o -name "*photodesc*" -print | grep -v -e ^/tmp/ -e ^/home/ -e /var/lib/dpkg/info -e /var/cache -e /var/log || true)
		[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
		echo "installed, used and removed"'
done
