#!/bin/sh
# A Slurm array in which each task describes a part of a folder of photos:
#
#   sbatch --array=0-7 slurm.sh ~/Pictures ~/descriptions
#   photodesc -C ~/descriptions/all merge ~/descriptions/shard-*
#
# A task that was ended and is submitted again goes on where it was. Flags of the run follow the two folders.
#SBATCH --job-name=photodesc
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=12:00:00
#SBATCH --signal=B:TERM@300
#SBATCH --requeue
#SBATCH --open-mode=append
set -eu
if [ $# -lt 2 ]; then
	echo "usage: sbatch --array=0-7 slurm.sh PHOTOS DESCRIPTIONS [FLAG...]" >&2
	exit 2
fi
photos=$1 descriptions=$2
shift 2
if [ -z "${SLURM_ARRAY_TASK_ID:-}" ]; then
	echo "each task describes a shard: submit with --array=0-7 for eight of them" >&2
	exit 2
fi
# A gap would leave a shard to nobody. Tasks whose photos are described end at once, so the whole array can be submitted again.
if [ "$SLURM_ARRAY_TASK_MIN" != 0 ] || [ "$SLURM_ARRAY_TASK_MAX" != $((SLURM_ARRAY_TASK_COUNT - 1)) ]; then
	echo "shards are numbered from 0 without gaps: submit the whole array, such as --array=0-7" >&2
	exit 2
fi
mkdir -p "$descriptions"
# Before the time limit Slurm signals this shell, which passes it on: photos in flight are finished, as after Ctrl-C.
photodesc -C "$descriptions/shard-$SLURM_ARRAY_TASK_ID" run --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --keep-awake=false "$@" "$photos" &
run=$!
trap 'kill -TERM $run' TERM
code=0
wait $run || code=$?
if kill -0 $run 2>/dev/null; then # the wait was ended by the signal
	code=0
	wait $run || code=$?
fi
# 3 means that all was done and some photos failed; the records say which and why.
[ $code = 3 ] || exit $code
