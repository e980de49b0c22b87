#!/usr/bin/env bash
# Fifty images in sub paths of one repository: a commit that touches one rebuilds one, and asking costs one question.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
. "$(dirname "$0")/../lib/probe.sh"
trap 'rm -rf "$work"' EXIT
n=${MONOREPO_IMAGES:-50}
probe_world
git init -q --bare "$work/app.git"
git clone -q "$work/app.git" "$work/app" 2>/dev/null
for i in $(seq "$n"); do
	mkdir -p "$work/app/services/s$i"
	echo "service $i" >"$work/app/services/s$i/main.txt"
	probe_image "s$i" "{git: {url: ../app.git, revision: main}, subPath: services/s$i}"
done
app_commit "$work/app" README.md one first
cd "$work/config"

start=$(date +%s%N)
check "all are built" expect_exit 0 "$reconcile" .
note "$n builds: $((($(date +%s%N) - start) / 1000000)) ms"
check "then nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .
app_commit "$work/app" services/s7/main.txt changed second
check "a dry run finds one build" expect_exit 0 "$reconcile" --dry-run .
check "of the one that was touched" says "Image default/s7"
check "and no other" says "1 build;"
start=$(date +%s%N)
check "it is built" expect_exit 0 "$reconcile" .
note "1 of $n: $((($(date +%s%N) - start) / 1000000)) ms"
check "with the change" gave s7 "main.txt=changed"
for i in $(seq "$n"); do
	[ "$i" = 7 ] || builds "s$i" 1 || failed=1
done
check "the touched one has two builds" builds s7 2
app_commit "$work/app" README.md two third
start=$(date +%s%N)
check "a commit beside all of them is nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .
note "nothing of $n: $((($(date +%s%N) - start) / 1000000)) ms"
exit $failed
