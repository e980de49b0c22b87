#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# prune builds: what goes, what stays, that the numbers go on, and that the next run does not mind.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
trap 'rm -rf "$work"' EXIT
build_world
add_image a
builds() { git ls-tree -r --name-only reconcile/state | grep -c "^shop/images/$1/builds/" || true; }
logs() { git ls-tree -r --name-only reconcile/logs | grep -c "^shop/images/$1/" || true; }
for i in 1 2 3 4; do
	put_image a '' "  annotations: {reconcile.dev/trigger: \"$i\"}"
	check "build $i" "$reconcile" .
done
app_commit "$work/a" fail "it breaks" "a failure"
check "a build that fails" expect_exit 4 "$reconcile" .
check "another one" expect_exit 4 "$reconcile" --retry-failed .
check "six records" [ "$(builds a)" = 6 ]
check "six logs" [ "$(logs a)" = 6 ]

check "nothing that is young goes" expect_exit 0 "$reconcile" prune builds . --keep-complete 0 --confirm
check "no record went" [ "$(builds a)" = 6 ]
check "dry" expect_exit 0 "$reconcile" prune builds . --keep-complete 1 --keep-younger-than 0s
check "says so" says "Dry run enabled - no modifications will be made. Add --confirm to remove builds"
check "the table" diff "$work/out" - <<-TABLE
	NAMESPACE   NAME
	shop        a-build-1
	shop        a-build-2
	shop        a-build-3
	shop        a-build-5
TABLE
check "nothing went" [ "$(builds a)" = 6 ]
check "as JSON" bash -c "'$reconcile' prune builds . --keep-complete 1 --keep-younger-than 0s -o json | python3 -c 'import json, sys; d = json.load(sys.stdin); assert [b[\"number\"] for b in d[\"builds\"]] == [1, 2, 3, 5] and not d[\"confirmed\"]'"
check "prune" expect_exit 0 "$reconcile" prune builds . --keep-complete 1 --keep-younger-than 0s --confirm
check "two records stay" [ "$(builds a)" = 2 ]
check "and their logs" [ "$(logs a)" = 2 ]
check "the newest of each kind" bash -c "git ls-tree -r --name-only reconcile/state | grep builds/ | tr '\n' ' ' | grep -qx 'shop/images/a/builds/4.yaml shop/images/a/builds/6.yaml '"
check "one commit says so" bash -c "git log -1 --format=%s reconcile/state | grep -qx 'reconcile: 4 builds pruned'"
n=$(commits)
check "the next run has nothing to do" "$reconcile" .
check "no commit" [ "$(commits)" = "$n" ]
rm "$work/a/fail"
app_commit "$work/a" index.txt "mended" "mended"
check "the numbers go on" "$reconcile" .
check "build 7" state_is 7 buildCounter a

rm a.yaml
check "an image without manifest is no business of prune" expect_exit 0 "$reconcile" prune builds . --keep-complete 0 --keep-failed 0 --keep-younger-than 0s --confirm
check "its records stay" [ "$(builds a)" = 3 ]
check "unless it is asked for orphans" expect_exit 0 "$reconcile" prune builds . --orphans --keep-younger-than 0s --confirm
check "all are gone" [ "$(builds a)" = 0 ]
check "a number is wanted" expect_exit 64 "$reconcile" prune builds . --keep-complete x
check "it says so" says "--keep-complete takes a whole number from 0, not 'x'"
check "a duration is wanted" expect_exit 64 "$reconcile" prune builds . --keep-younger-than soon
exit $failed
