#!/bin/sh
# Prints what a program needs of the system: libraries that it loads, with the oldest glibc, and the packages that have them.
#
#     tools/release/needs.sh bin/photodesc
set -eu
libraries=$(objdump -p "$1" | awk '$1 == "NEEDED" { print $2 }' | LC_ALL=C sort)
newest() {
	{
		objdump -T "$1" | grep -oE "$2_[0-9.]+"
		# The loader can read packed relocations from 2.36 on.
		[ "$2" != GLIBC ] || ! readelf -V "$1" | grep -aq GLIBC_ABI_DT_RELR || echo GLIBC_2.36
	} | sort -uV | tail -1
}
echo "photodesc needs of the system:"
echo
echo "  $(newest "$1" GLIBC | tr _ ' ') or newer, $(newest "$1" GLIBCXX | tr _ ' ') or newer (libstdc++)"
for library in $libraries; do
	case $library in
	libc.so.* | libm.so.* | ld-linux* | libgcc_s.so.* | libpthread.so.* | libdl.so.* | libstdc++.so.*) ;;
	*) echo "  $library" ;;
	esac
done
cat <<'END'

Debian 12:            apt install libvips42 libopenblas0
Debian 13 and newer:  apt install libvips42t64 libopenblas0
Not tried: Fedora (dnf install vips openblas-openmp), Ubuntu (its libjpeg.so.62 is in the package libjpeg62).
END
