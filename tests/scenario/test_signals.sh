#!/usr/bin/env bash
# SIGINT and SIGTERM while builds run: nothing new starts, what runs may finish, what finished is recorded. Two runs at once
# on one state branch: no number twice, nothing built twice.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
trap 'rm -rf "$work"' EXIT
build_world
for name in a b c; do
	add_image "$name"
	app_commit "$work/$name" slow 1 "slow"
done

note "six runs at once, from nothing"
for i in 1 2 3 4 5 6; do
	{ "$reconcile" --cache-dir "$work/cache$i" . >"$work/$i.out" 2>"$work/$i.err"; echo $? >"$work/$i.code"; } &
done
wait
check "all end well" [ "$(cat "$work"/[1-6].code | tr -d '\n')" = 000000 ]
check "each image is built once" [ "$(cat "$work"/[1-6].err | grep -c 'build #1 started (')" = 3 ]
check "and no number was taken twice" [ "$(cat "$work"/[1-6].err | grep -c 'build #.* started (')" = 3 ]
check "nothing is left" expect_exit 0 "$reconcile" --expect-no-changes .

# start ARGUMENTS…: a run in the background, $pid, until its first build is said to be started.
start() {
	"$reconcile" "$@" >"$work/bg.out" 2>"$work/bg.err" &
	pid=$!
	for _ in $(seq 200); do
		grep -q 'started' "$work/bg.err" && return 0
		sleep 0.05
	done
	return 1
}
ends_with() {
	local got=0
	wait "$pid" || got=$?
	[ "$got" = "$1" ] || { echo "exit $got, expected $1"; cat "$work/bg.err"; return 1; }
}

for signal in INT TERM; do
	note "SIG$signal while the first of three builds runs"
	for name in a b c; do app_commit "$work/$name" index.txt "$signal" "SIG$signal"; done
	check "it starts" start -j1 .
	sleep 0.3
	kill -s $signal "$pid"
	check "exit 130" ends_with 130
	check "it says so" grep -q 'stopping: 1 running build has 30 s' "$work/bg.err"
	check "one build was started" [ "$(grep -c 'build #.* started (' "$work/bg.err")" = 1 ]
	check "the others are said to be left" [ "$(grep -c 'was not started' "$work/bg.err")" = 2 ]
	check "it was recorded" state_is Succeeded lastAttempt.result a
	check "the others are not building" bash -c "! git grep -q 'result: Building' reconcile/state -- shop/images"
	check "the next run converges" expect_exit 0 "$reconcile" .
	check "with the builds that are left" [ "$(grep -c 'build #.* started (' "$work/err")" = 2 ]
	check "nothing is left" expect_exit 0 "$reconcile" --expect-no-changes .
done

note "a second signal stops the builds"
for name in a b; do app_commit "$work/$name" slow 60 "very slow"; done
check "it starts" start -j2 .
sleep 0.5
kill -INT "$pid"
sleep 0.3
start_s=$SECONDS
kill -INT "$pid"
check "exit 130" ends_with 130
check "soon" [ $((SECONDS - start_s)) -lt 20 ]
check "the builds are recorded as interrupted" state_is Interrupted lastAttempt.result a
check "nothing is said to be building" bash -c "! git grep -q 'result: Building' reconcile/state -- shop/images"
for name in a b; do git -C "$work/$name" rm -q slow; app_commit "$work/$name" index.txt quick "quick"; done
check "the next run converges" expect_exit 0 "$reconcile" .

note "two runs at once, the same three objects"
for name in a b c; do app_commit "$work/$name" slow 2 "race"; done
for name in a b c; do state buildCounter "$name" >"$work/counter.$name"; done
"$reconcile" . >"$work/one.out" 2>"$work/one.err" &
one=$!
"$reconcile" --cache-dir "$work/cache2" . >"$work/two.out" 2>"$work/two.err" &
two=$!
code_one=0 code_two=0
wait "$one" || code_one=$?
wait "$two" || code_two=$?
note "exits $code_one $code_two"
check "both end well" [ "$code_one$code_two" = 00 ]
for name in a b c; do check "$name was built once" state_is $(($(cat "$work/counter.$name") + 1)) buildCounter "$name"; done
check "three builds were started by both together" [ "$(cat "$work/one.err" "$work/two.err" | grep -c 'build #.* started (')" = 3 ]
check "nothing is left" expect_exit 0 "$reconcile" --expect-no-changes .

note "two runs at once, different objects"
for name in a b; do app_commit "$work/$name" index.txt "disjoint" "disjoint"; done
"$reconcile" --only Image/shop/a . >"$work/one.out" 2>"$work/one.err" &
one=$!
"$reconcile" --only Image/shop/b . >"$work/two.out" 2>"$work/two.err" &
two=$!
code_one=0 code_two=0
wait "$one" || code_one=$?
wait "$two" || code_two=$?
note "exits $code_one $code_two"
check "both end well" [ "$code_one$code_two" = 00 ]
for name in a b; do check "$name was built" state_is $(($(cat "$work/counter.$name") + 2)) buildCounter "$name"; done
check "nothing is left" expect_exit 0 "$reconcile" --expect-no-changes .
check "the state repository is sound" git fsck --strict --no-dangling
check "every number has one record" bash -c "
	for name in a b c; do
		n=\$(git show reconcile/state:shop/images/\$name.yaml | sed -n 's/^  buildCounter: //p')
		[ \"\$(git ls-tree --name-only reconcile/state shop/images/\$name/builds/ | wc -l)\" = \"\$n\" ] || { echo \$name \$n; exit 1; }
	done"
exit $failed
