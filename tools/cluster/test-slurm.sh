#!/bin/sh
# Runs examples/cluster/slurm.sh under a real Slurm of one node, which is set up in a temporary folder and taken down again. It wants
# root, Debian's slurmctld, slurmd, slurm-client and munge, the program, and describes the example photos with the built-in model.
#
#   tools/cluster/test-slurm.sh bin/photodesc
set -eu
program=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")
dir=$(mktemp -d)
mkdir "$dir/bin" "$dir/state" "$dir/spool" "$dir/munge"
ln -s "$program" "$dir/bin/photodesc"
export PATH="$dir/bin:$PATH" HOME="$dir/home" PHOTODESC_MODEL=builtin SLURM_CONF="$dir/slurm.conf"
mkdir "$HOME"
pids=
cleanup() {
	code=$?
	if [ $code != 0 ]; then
		tail -n 40 "$dir"/*.log "$dir"/*.out 2>/dev/null || true
	fi
	for pid in $pids; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	rm -rf "$dir"
	exit $code
}
trap cleanup EXIT
trap "exit 1" INT TERM

dd if=/dev/urandom of="$dir/munge.key" bs=1024 count=1 2>/dev/null
chmod 700 "$dir/munge"
chmod 600 "$dir/munge.key"
chmod 711 "$dir"
munged --foreground --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" --pid-file="$dir/munge/pid" \
	--seed-file="$dir/munge/seed" --log-file="$dir/munge.log" >"$dir/munge-out.log" 2>&1 &
pids="$pids $!"
host=$(hostname -s)
cat >"$SLURM_CONF" <<END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=17817
SlurmdPort=17818
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
CredType=cred/munge
CryptoType=crypto/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerParameters=defer_batch,sched_interval=2
MailProg=/bin/true
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=test Nodes=$host Default=YES MaxTime=60 State=UP
END
sed -i '/^CryptoType/d' "$SLURM_CONF"
slurmctld -D -f "$SLURM_CONF" >"$dir/slurmctld.log" 2>&1 &
pids="$! $pids"
slurmd -D -f "$SLURM_CONF" -N "$host" >"$dir/slurmd.log" 2>&1 &
pids="$! $pids"
for _ in $(seq 60); do
	[ "$(sinfo -h -o %T 2>/dev/null)" = idle ] && break
	sleep 0.5
done
sinfo

sbatch --wait --array=0-2 --cpus-per-task=1 --mem=0 --time=10 --output="$dir/task-%a.out" \
	"$root/examples/cluster/slurm.sh" "$root/examples/photos" "$dir/descriptions"
for i in 0 1 2; do
	grep -h 'Found' "$dir/task-$i.out"
done
photodesc -C "$dir/descriptions/all" merge "$dir"/descriptions/shard-*
photos=$(find "$root/examples/photos" -type f | wc -l)
lines=$(sort -u "$dir/descriptions/all/photo_descriptions_progress.txt" | grep -c .)
twice=$(sort "$dir/descriptions/all/photo_descriptions_progress.txt" | uniq -d | grep -c . || true)
echo "$lines of $photos photos described by three tasks, $twice twice"
[ "$lines" = "$photos" ] && [ "$twice" = 0 ]
for array in 1-2 0-4:2; do
	if sbatch --wait --array=$array --cpus-per-task=1 --mem=0 --time=10 --output="$dir/refused-%a.out" "$root/examples/cluster/slurm.sh" "$root/examples/photos" "$dir/descriptions"; then
		echo "an array with gaps is not refused" >&2
		exit 1
	fi
done

# Slurm's signal before the time limit stops a task in good order; submitted again, it goes on.
mkdir "$dir/many"
for i in $(seq 1000); do
	cp "$root/examples/photos/red-star-cmyk.jpg" "$dir/many/$i.jpg"
done
again="--array=0-0 --cpus-per-task=1 --mem=0 --time=60 --output=$dir/again.out $root/examples/cluster/slurm.sh $dir/many $dir/again --duplicates=describe"
job=$(sbatch --parsable $again)
progress=$dir/again/shard-0/photo_descriptions_progress.txt
until [ -s "$progress" ]; do sleep 0.2; done
scancel --signal=TERM --batch "$job"
while squeue -h -j "$job" 2>/dev/null | grep -q .; do sleep 0.5; done
before=$(grep -c . "$progress")
photodesc -C "$dir/again/shard-0" status | grep "stopped"
sbatch --wait $again
lines=$(sort -u "$progress" | grep -c .)
echo "$before of 1000 photos when the task was signalled, $lines when it was submitted again"
[ "$before" -lt 1000 ] && [ "$lines" = 1000 ]
