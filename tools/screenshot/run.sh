#!/bin/sh
# Takes the picture of a run in README.md: the dashboard of a run of the built-in model over copies of the example photos.
#
#     tools/screenshot/run.sh bin/photodesc docs/run.svg
set -e
program=$(realpath "$1")
# A place with a name that may be shown.
home=/tmp/demo
mkdir "$home" || { echo "$home is in the way of the screenshot: remove it" >&2; exit 1; }
export XDG_CACHE_HOME="$home/.cache"
screen() { tmux -S "$home/tmux" "$@"; }
trap '"$program" -C "$home/descriptions" stop --now >/dev/null 2>&1 || true; screen kill-server 2>/dev/null || true; rm -rf "$home"' EXIT
trap 'exit 130' INT TERM
mkdir -p "$home/Pictures" "$home/descriptions"
for year in 2017 2018 2019 2020 2021 2022 2023 2024; do
	for month in 01 02 03 04 05 06 07 08 09 10 11 12; do
		for day in 04 11 18 25; do
			mkdir -p "$home/Pictures/$year/$month/$day"
			cp examples/photos/*.* "$home/Pictures/$year/$month/$day"
		done
	done
done
"$program" -C "$home/descriptions" run "$home/Pictures" --model builtin --duplicates describe --background --newest-first >/dev/null
screen -f /dev/null -u new-session -d -x 88 -y 24 "TERM=xterm-256color $program -C $home/descriptions status --watch"
while ! screen capture-pane -p | grep -Eq ' [6-9][0-9]\.[0-9]%$'; do
	"$program" -C "$home/descriptions" status | grep -q '^Running: *yes' || { echo "The run is over before the screenshot." >&2; exit 1; }
	sleep 0.2
done
screen capture-pane -e -p | go run ./tools/screenshot -columns 88 >"$2.new"
mv "$2.new" "$2"
echo "Written: $2"
