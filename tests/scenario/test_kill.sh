#!/usr/bin/env bash
# kill -9 at any moment: the next run converges, numbers and history stay intact, nothing stays behind. The moments are drawn
# from the length of an undisturbed run; the seed is printed.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
trap 'rm -rf "$work"' EXIT
rounds=${KILL_ROUNDS:-25}
RANDOM=${KILL_SEED:-$$}
note "seed ${KILL_SEED:-$$}, $rounds rounds"

make_stack "$work/registry/registry.local/stacks/base" build one >/dev/null
make_stack "$work/registry/registry.local/stacks/base" run one >/dev/null
for name in site httpd; do
	make_buildpackage "$work/registry/registry.local/buildpacks/$name" "$example/buildpacks/$name" "quickstart/$name" 1.0.0 >/dev/null
done
git init -q --bare "$work/app.git"
git clone -q "$work/app.git" "$work/app" 2>/dev/null
app_commit "$work/app" index.txt "0" "first"
cp -r "$example/manifests" "$work/config"
for n in 2 3; do
	sed "s/name: hello/name: hello$n/; s|apps/hello|apps/hello$n|" "$example/manifests/image.yaml" >"$work/config/image$n.yaml"
done
git -C "$work/config" init -q
git -C "$work/config" add -A
git -C "$work/config" commit -qm config
cd "$work/config"

start=$(date +%s%N)
check "an undisturbed run" expect_exit 0 "$reconcile" .
length=$((($(date +%s%N) - start) / 1000))
note "it took $length us"

killed=0
# How long a run takes changes with what else the machine does: more rounds where most runs end before their kill.
for round in $(seq $((rounds * 4))); do
	[ "$round" -le "$rounds" ] || [ "$killed" -le $((rounds / 3)) ] || break
	app_commit "$work/app" index.txt "$round" "commit $round"
	[ $((round % 5)) = 0 ] && make_stack "$work/registry/registry.local/stacks/base" run "motd $round" >/dev/null
	setsid "$reconcile" . >"$work/out" 2>"$work/err" &
	pid=$!
	sleep "$(awk -v us=$((RANDOM * RANDOM % (length + length / 4))) 'BEGIN { printf "%.6f", us / 1e6 }')"
	if kill -9 "$pid" 2>/dev/null; then killed=$((killed + 1)); fi
	wait "$pid" 2>/dev/null || true
done
note "$killed runs were killed"
check "most runs were killed" [ "$killed" -gt $((rounds / 3)) ]

check "the next run converges" expect_exit 0 "$reconcile" .
check "and then there is nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .
check "the state repository is sound" git fsck --strict --no-dangling
for name in hello hello2 hello3; do
	git show "reconcile/state:default/images/$name.yaml" >"$work/status.yaml"
	check "$name: nothing is said to be building" bash -c "! grep -q 'result: Building' '$work/status.yaml'"
	check "$name: numbers never repeat" python3 - "$name" <<'PYTHON'
import subprocess, sys, yaml
name = sys.argv[1]
seen = {}
commits = subprocess.run(["git", "rev-list", "--reverse", "reconcile/state"], capture_output=True, text=True, check=True).stdout.split()
last = 0
for commit in commits:
    shown = subprocess.run(["git", "show", f"{commit}:default/images/{name}.yaml"], capture_output=True, text=True)
    if shown.returncode:
        continue
    status = yaml.safe_load(shown.stdout)["status"]
    counter = status["buildCounter"]
    assert counter >= last, (commit, counter, last)
    last = counter
    numbers = [build["number"] for build in status.get("builds", [])]
    assert numbers == sorted(set(numbers)), (commit, numbers)
    for build in status.get("builds", []):
        if build["result"] == "Succeeded":
            image = seen.setdefault(build["number"], build["image"])
            assert image == build["image"], (commit, build, image)
print(name, "counter", last, "builds", len(seen))
PYTHON
	check "$name: the tag is what is recorded" bash -c "
		digest=\$(sed -n 's/^  latestImage: .*@//p' '$work/status.yaml')
		grep -q \"\$digest\" '$work/registry/registry.local/apps/$name/index.json'"
done
sleep 0.5
check "no mounts stay" bash -c "! grep -F '$work' /proc/self/mounts"
# Workers of this test are known by their home; containers by the cache folder in their bundle's path.
no_processes() {
	local try process found
	for try in $(seq 50); do
		found=$(pgrep -f -- "$work/[c]ache" || true)
		for process in /proc/[0-9]*; do
			if tr '\0' ' ' <"$process/cmdline" 2>/dev/null | grep -q '^/proc/self/exe worker' &&
				tr '\0' '\n' <"$process/environ" 2>/dev/null | grep -qx "HOME=$HOME"; then
				found+=" $process"
			fi
		done
		[ -z "$found" ] && return 0
		sleep 0.1
	done
	echo "after $try tries: $found"
	return 1
}
check "no processes stay" no_processes
"$reconcile" . >/dev/null 2>&1
# Other tests run at the same time: only what belongs to nobody alive counts, and what stays.
no_orphans() {
	local try dir pid orphans
	for try in $(seq 50); do
		orphans=
		for dir in $(find /sys/fs/cgroup -maxdepth 4 -type d -name 'reconcile-*' 2>/dev/null); do
			pid=${dir##*/reconcile-}
			[ -d "/proc/${pid%%-*}" ] || orphans+="$dir "
		done
		[ -z "$orphans" ] && return 0
		sleep 0.2
	done
	echo "after $try tries: $orphans"
	return 1
}
check "no containers' cgroups stay after the next run" no_orphans
check "no temp folders stay after the next run" bash -c "[ -z \"\$(ls -A '$work/cache/reconcile/tmp' 2>/dev/null)\" ]"
exit $failed
