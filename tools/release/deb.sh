#!/bin/sh
# Makes the Debian package of a tree whose usr/ is filled.
#
#     tools/release/deb.sh TREE ARCH VERSION
set -eu
tree=$1 arch=$2 version=$(echo "$3" | tr - '~')
doc=$tree/usr/share/doc/photodesc
maintainer=$(git log -1 --format='%an <%ae>')
gzip -9n "$tree"/usr/share/man/man1/*.1 "$doc/licences.txt"
mkdir -p "$tree/usr/share/zsh/vendor-completions" "$tree/usr/lib/systemd/user"
mv "$tree/usr/share/zsh/site-functions/_photodesc" "$tree/usr/share/zsh/vendor-completions/"
rmdir "$tree/usr/share/zsh/site-functions"
install -m 644 packaging/photodesc@.service "$tree/usr/lib/systemd/user/"
install -m 644 packaging/deb/copyright "$doc/copyright"
{
	printf 'photodesc (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md in the sources.\n\n' "$version"
	printf ' -- %s  %s\n' "$maintainer" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")"
} | gzip -9n >"$doc/changelog.gz"

# dpkg-shlibdeps wants a source package around it.
mkdir -p "$tree/../source/debian"
printf 'Source: photodesc\n\nPackage: photodesc\nArchitecture: any\n' >"$tree/../source/debian/control"
# It asks the system that the program is for: INSIDE runs it there.
depends=$(${INSIDE:-} sh -c "cd $tree/../source && dpkg-shlibdeps -O ../deb/usr/lib/photodesc/photodesc" 2>"$tree/../shlibdeps.log" | sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || { cat "$tree/../shlibdeps.log" >&2; exit 1; }
# dpkg-shlibdeps of Debian 12 does not look at packed relocations.
if readelf -V "$tree/usr/lib/photodesc/photodesc" | grep -aq GLIBC_ABI_DT_RELR; then
	depends=$(echo "$depends" | sed 's/libc6 ([^)]*)/libc6 (>= 2.36)/')
fi
mkdir -p "$tree/DEBIAN"
cat >"$tree/DEBIAN/control" <<END
Package: photodesc
Version: $version
Architecture: $arch
Maintainer: $maintainer
Installed-Size: $(du -sk --apparent-size "$tree/usr" | cut -f 1)
Depends: $depends
Recommends: libimage-exiftool-perl
Suggests: photodesc-vulkan
Section: graphics
Priority: optional
Description: descriptions of all your photos, written on your own machine
 Describes the photos of a folder in words with a vision-language model that
 runs in the same process (llama.cpp, SmolVLM). Nothing leaves the machine. Runs
 last for days and go on where they ended, whatever happened in between. The
 descriptions can be searched, corrected on a page in the browser, and written
 into XMP sidecars for digiKam, darktable, Lightroom and others.
END
(cd "$tree" && find usr -type f -exec md5sum {} + | sort -k 2 >DEBIAN/md5sums)
chmod 644 "$tree/DEBIAN/control" "$tree/DEBIAN/md5sums"
find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zxz --build "$tree" "dist/photodesc_${version}_$arch.deb" >/dev/null
