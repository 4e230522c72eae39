#!/bin/sh
# Runs a command in a chroot with /proc, /dev and /sys, which are gone afterwards.
#
#     tools/release/in_chroot.sh ROOT COMMAND...
set -eu
exec unshare --mount --fork sh -euc '
	root=$1; shift
	mount --make-rprivate /
	mount -t proc proc "$root/proc"
	mount --rbind /dev "$root/dev"
	mount --rbind /sys "$root/sys"
	exec chroot "$root" "$@"' sh "$@"
