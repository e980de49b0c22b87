#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Claims of runs on other machines (other cache folders), whose clocks differ: a live run keeps its build as long as they differ by
# less than half of a lease; a dead one loses it when its lease has run out. Clocks go SPEED times as fast as here. The worker is a
# script, since when it is started is all that is looked at.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$(cd "$1" && pwd)"
pids=()
cleanup() { touch "$work/go"; wait "${pids[@]}" 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT
command -v faketime >/dev/null || skip "faketime is missing"
# Its allocator and faketime's library wait for each other.
if grep -q __asan_init "$reconcile"; then skip "a program with the address sanitizer takes no other clock"; fi

speed=5 lease=30
export RECONCILE_SETTINGS=$work/settings.yaml
cat >"$work/worker" <<-SH
	#!/usr/bin/env bash
	unset LD_PRELOAD FAKETIME
	exec 9>>"$work/lock"
	cat >/dev/null
	echo "+" >>"$work/builds"
	trap 'echo "-" >>"$work/ended"; exit 1' TERM
	n=\$(wc -l <"$work/builds")
	for i in \$(seq 600); do [ -e "$work/go" ] || [ "\$n" -gt "\$(cat "$work/holds")" ] && break; sleep 0.1; done
	echo '{"type":"result","image":"registry.local/shop/cart@sha256:1111111111111111111111111111111111111111111111111111111111111111"}'
SH
chmod +x "$work/worker"
cat >"$work/settings.yaml" <<-YAML
	apiVersion: reconcile.dev/v1
	kind: Settings
	metadata: {name: settings}
	registries: [{prefix: registry.local, layout: ./registry}]
	executor: ["$work/worker"]
	state: {lease: ${lease}s}
YAML
git init -q "$work/app"
git -C "$work/app" commit -q --allow-empty -m one
mkdir "$work/config"
cd "$work/config"
git init -q .
changes=0
put_cart() {
	changes=$((changes + 1))
	cat >cart.yaml <<-YAML
		apiVersion: build.openshift.io/v1
		kind: BuildConfig
		metadata: {name: cart, namespace: shop}
		spec:
		  source: {git: {uri: "$work/app"}}
		  strategy: {dockerStrategy: {env: [{name: N, value: "$changes"}]}}
		  output: {to: {kind: DockerImage, name: "registry.local/shop/cart:latest"}}
		  triggers: [{type: ConfigChange}]
	YAML
	git add -A
	git commit -qm "change $changes"
}

now() { date +%s.%N; }
calc() { awk "BEGIN { printf \"%.3f\", $1 }"; }
begun=$(now)
# at SKEW MACHINE OPTION…: a run there, with its clock so many seconds ahead of everybody's.
at() { exec faketime -f "+$(calc "($speed - 1) * ($(now) - $begun) + 1 + $1")s x$speed" "$reconcile" --cache-dir "$work/cache-$2" "${@:3}" .; }
builds() { if [ -e "$work/builds" ]; then wc -l <"$work/builds"; else echo 0; fi; }
# A change, and a run that builds it as long as it may; $owner is its process.
own() { # SKEW MACHINE
	rm -f "$work/builds" "$work/go" "$work/ended"
	echo 1 >"$work/holds"
	put_cart
	(at "$1" "$2") >"$work/owner.out" 2>"$work/owner.err" &
	owner=$!
	pids+=("$owner")
	for _ in $(seq 300); do [ "$(builds)" = 1 ] && break; sleep 0.05; done
	claimed=$(now)
}
# Seconds of everybody's clock since the build was claimed.
elapsed() { calc "$speed * ($(now) - $claimed)"; }
past() { awk "BEGIN { exit !($(elapsed) > $1) }"; }
owner_ends() { local code=0; wait "$owner" || code=$?; [ "$code" = "$1" ] || { echo "exit $code"; cat "$work/owner.err"; return 1; }; }
status() { git show reconcile/state:shop/buildconfigs/cart.yaml; }
phases() { status | sed -n 's/^    phase: //p' | tr '\n' ' '; }
takes_over() { (at $((lease + 5)) b); }
is_quiet() { (at 60 a --expect-no-changes); }

note "a live run whose clock is 1 s behind, one elsewhere whose clock is 2 s ahead"
own -1 a
robbed=0
until past $((lease + 8)); do
	(at 2 b) >"$work/out" 2>"$work/err" || robbed=1
	[ "$(builds)" = 1 ] || { robbed=1; break; }
	sleep 0.2
done
check "its build is left to it beyond its first lease" [ "$robbed" = 0 ]
touch "$work/go"
check "it ends well" owner_ends 0
check "and is recorded" bash -c "[[ '$(phases)' == *'Complete ' ]]"
check "then there is nothing to do" expect_exit 0 is_quiet

note "clocks that differ by more than a lease"
own 0 a
check "the one that is ahead takes it over" expect_exit 0 takes_over
check "and builds it" [ "$(builds)" = 2 ]
check "the owner hears of it" owner_ends 4
check "and says so" grep -q "another run has taken it over, so its build ends here" "$work/owner.err"
check "its build was told to end" [ -s "$work/ended" ]
check "one build is recorded as interrupted, the other as complete" bash -c "[[ '$(phases)' == *'Error Complete ' ]]"
check "the numbers are two" bash -c "[ \$(git ls-tree --name-only reconcile/state shop/buildconfigs/cart/builds/ | wc -l) = 3 ]"
check "then there is nothing to do" expect_exit 0 is_quiet

note "a run that was killed on another machine"
own 0 a
kill -9 "$(ps -o pid= --ppid "$owner" | tr -d ' ')" # faketime waits for the program
wait "$owner" 2>/dev/null || true
early=0
until [ "$(builds)" = 2 ] || past $((4 * lease)); do
	(at 0 b) >"$work/out" 2>"$work/err" || true
	[ "$(builds)" = 1 ] || past $((lease - 5)) || early=1
	sleep 0.1
done
check "keeps its lease" [ "$early" = 0 ]
check "and no longer" [ "$(builds)" = 2 ]
check "its build is recorded as interrupted, the other as complete" bash -c "[[ '$(phases)' == *'Error Complete ' ]]"
check "then there is nothing to do" expect_exit 0 is_quiet
check "the state repository is sound" git fsck --strict --no-dangling
exit $failed
