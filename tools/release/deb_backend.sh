#!/bin/sh
# Makes the Debian package of a GPU backend.
#
#     tools/release/deb_backend.sh bin/libggml-vulkan.so WORK ARCH VERSION
set -eu
library=$1 work=$2 arch=$3 version=$(echo "$4" | tr - '~')
kind=$(basename "$library" .so); kind=${kind#libggml-}
tree=$work/deb-$kind doc=$work/deb-$kind/usr/share/doc/photodesc-$kind
mkdir -p "$tree/usr/lib/photodesc" "$doc" "$tree/DEBIAN" "$work/source-$kind/debian"
install -m 644 "$library" "$tree/usr/lib/photodesc/"
strip --strip-unneeded "$tree/usr/lib/photodesc/$(basename "$library")"
install -m 644 packaging/deb/copyright "$doc/copyright"
cp "$work/deb/usr/share/doc/photodesc/changelog.gz" "$doc/"
printf 'Source: photodesc\n\nPackage: photodesc-%s\nArchitecture: any\n' "$kind" >"$work/source-$kind/debian/control"
# The rest of ggml is in the program that loads it, so its symbols are found nowhere here.
depends=$(cd "$work/source-$kind" && dpkg-shlibdeps -O "../deb-$kind/usr/lib/photodesc/$(basename "$library")" 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
cat >"$tree/DEBIAN/control" <<END
Package: photodesc-$kind
Version: $version
Architecture: $arch
Maintainer: $(git log -1 --format='%an <%ae>')
Installed-Size: $(du -sk --apparent-size "$tree/usr" | cut -f 1)
Depends: photodesc (= $version)${depends:+, $depends}
Section: graphics
Priority: optional
Description: photodesc on the GPU, through $kind
 The part of photodesc that computes on a GPU. The program finds it by itself;
 photodesc doctor says whether it is used.
END
(cd "$tree" && find usr -type f -exec md5sum {} + | sort -k 2 >DEBIAN/md5sums)
chmod 644 "$tree/DEBIAN/control" "$tree/DEBIAN/md5sums"
find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zxz --build "$tree" "dist/photodesc-${kind}_${version}_$arch.deb" >/dev/null
