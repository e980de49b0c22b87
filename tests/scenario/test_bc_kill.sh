#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds of build configs that are killed in the middle, the run with them or they alone: the next run converges, what was
# interrupted is recorded, nothing stays. Two runs at once with a build each of one build config; a repository that wants a login.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$(cd "$1" && pwd)"
trap 'stop_servers; git_servers_stop "$work/git"; rm -rf "$work" 2>/dev/null || buildah unshare rm -rf "$work"' EXIT
command -v buildah >/dev/null || skip "buildah is not installed"
command -v crun >/dev/null || skip "crun is not installed"
. "$top/examples/manifests/chain/images.sh"
layouts=$work/registry/registry.local
make_base "$layouts/upstream/base" 1 one >/dev/null
as_user() { "$top/ci/oci-image" "$@" --user 1001:0; }
oci_image=as_user make_base "$layouts/upstream/builder" 1 two >/dev/null

# source SECONDS: what S2I and Docker builds do, for that long.
source_of() {
	printf '#!/bin/sh\nmkdir /tmp/app\ncp -R /tmp/src/. /tmp/app\nsleep %s\n' "$1" >"$work/src/app/.s2i/bin/assemble"
	printf 'FROM registry.local/upstream/base:1\nRUN sleep %s && touch /made\n' "$1" >"$work/src/app/Dockerfile"
	git -C "$work/src/app" add -A
	git -C "$work/src/app" commit -qm "$1 seconds"
}
mkdir -p "$work/src/app/.s2i/bin" "$work/config"
printf '#!/bin/sh\nexec httpd -f\n' >"$work/src/app/.s2i/bin/run"
chmod 755 "$work/src/app/.s2i/bin/run"
git init -q "$work/src/app"
# A number of seconds that is this test's alone, for finding its processes.
long=$((7000000 + $$))
source_of $long
chmod 755 "$work/src/app/.s2i/bin/assemble"
git -C "$work/src/app" commit -qam "scripts can be run"
cd "$work/config"
git init -q
cat >reconcile.yaml <<-YAML
	apiVersion: reconcile.dev/v1
	kind: Settings
	metadata: {name: settings}
	registries: [{prefix: registry.local, layout: ../registry}]
	retries: 0
YAML
config() { # NAME SOURCE STRATEGY [POLICY]
	cat >"$1.yaml" <<-YAML
		apiVersion: build.openshift.io/v1
		kind: BuildConfig
		metadata: {name: $1, namespace: shop, annotations: {reconcile.dev/follow: commits}}
		spec:
		  runPolicy: ${4:-Serial}
		  source: {$2}
		  strategy: {$3}
		  output: {to: {kind: DockerImage, name: "registry.local/apps/$1:1"}}
		  triggers: [{type: ConfigChange}]
	YAML
}
config s2i 'git: {uri: ../src/app}' 'sourceStrategy: {from: {kind: DockerImage, name: "registry.local/upstream/builder:1"}}'
config docker 'git: {uri: ../src/app}' 'dockerStrategy: {}'

builds() { git show "reconcile/state:shop/buildconfigs/$1.yaml" | sed -n '/^  builds:/,$!d; s/^  - number: //p; s/^    phase: //p; s/^    reason: //p' | paste -sd ' '; }
builds_are() { [ "$(builds "$1")" = "$2" ] || { echo "$1: '$(builds "$1")', not '$2'"; return 1; }; }
# until_running N: N containers of this test are in their sleep.
until_running() {
	local try
	for try in $(seq 300); do
		[ "$(pgrep -xcf "sleep $long")" = "$1" ] && return 0
		sleep 0.1
	done
	echo "after $try tries: $(pgrep -af "$long")"
	return 1
}
nothing_stays() {
	local try file left=
	for try in $(seq 50); do
		left=$(
			pgrep -axf "sleep $long" || true
			pgrep -af -- "$work/[c]ache" || true
			grep -F "$work" /proc/self/mounts || true
			ls -A "$work/cache/reconcile/tmp"
			ls -d "$work"/cache/reconcile/docker/*/tmp/buildah[0-9]* 2>/dev/null || true
			for file in "$work"/cache/reconcile/docker/*/storage/*-containers/containers.json; do
				[ ! -e "$file" ] || [ "$(cat "$file")" = "[]" ] || echo "$file: $(cat "$file")"
			done
		)
		[ -z "$left" ] && return 0
		sleep 0.1
	done
	echo "after $try tries: $left"
	return 1
}

note "the run is killed"
"$reconcile" . >"$work/out" 2>"$work/err" &
pid=$!
check "both build" until_running 2
kill -9 $pid
wait $pid 2>/dev/null || true
check "both end with it" until_running 0
source_of 0
check "the next run converges" expect_exit 0 "$reconcile" .
check "the interrupted build is recorded" builds_are s2i "1 Error BuildPodDeleted 2 Complete"
check "of Docker too" builds_are docker "1 Error BuildPodDeleted 2 Complete"
check "there is nothing more to do" expect_exit 0 "$reconcile" --expect-no-changes .
check "nothing stays" nothing_stays

note "the workers are killed"
source_of $long
"$reconcile" . >"$work/out" 2>"$work/err" &
pid=$!
check "both build" until_running 2
pkill -9 -P $pid
got=0
wait $pid || got=$?
check "the run says that they failed" [ $got = 4 ]
check "their containers end" until_running 0
source_of 0
check "the next run converges" expect_exit 0 "$reconcile" .
check "the one that died is recorded" builds_are s2i "1 Error BuildPodDeleted 2 Complete 3 Error Error 4 Complete"
check "of Docker too" builds_are docker "1 Error BuildPodDeleted 2 Complete 3 Error Error 4 Complete"
check "nothing stays" nothing_stays

note "a build that is killed and not wanted any more"
source_of $long
"$reconcile" . >"$work/out" 2>"$work/err" &
pid=$!
check "both build" until_running 2
kill -9 $pid
wait $pid 2>/dev/null || true
check "both end with it" until_running 0
source_of 0
rm docker.yaml
config other 'dockerfile: "FROM registry.local/upstream/base:1\nRUN touch /made\n"' 'dockerStrategy: {}'
check "the next run builds others" expect_exit 0 "$reconcile" .
check "and removes what the killed one left" nothing_stays

note "two builds of one build config in two runs at once"
config both 'dockerfile: "FROM registry.local/upstream/base:1\nARG T=1\nRUN sleep $T\n"' 'dockerStrategy: {}' Parallel
sed -i '/triggers/d' both.yaml
"$reconcile" start-build both -n shop --build-arg T=4 >"$work/out" 2>"$work/err" &
pid=$!
for try in $(seq 100); do
	grep -q started "$work/out" && break
	sleep 0.1
done
check "the second one is not held up" expect_exit 0 "$reconcile" start-build both -n shop --build-arg T=6
got=0
wait $pid || got=$?
check "the first one is complete" [ $got = 0 ]
check "both are recorded" builds_are both "1 Complete 2 Complete"
check "and stay so" expect_exit 0 "$reconcile" --expect-no-changes .

if command -v nginx >/dev/null && command -v fcgiwrap >/dev/null && command -v htpasswd >/dev/null; then
	note "a repository that wants the login of its URL"
	url=$(git_http_start "$work/src" "$work/git" auth)
	config login "git: {uri: \"${url/:\/\//://me:s3cret%20pass@}/app/.git\"}" 'dockerStrategy: {}'
	check "it is built" expect_exit 0 "$reconcile" .
	check "complete" builds_are login "1 Complete"
	start_fake "$work/proxy" "$top/tests/lib/proxy.py" "git.example=${url#http://}"
	config proxied "git: {uri: \"http://me:s3cret%20pass@git.example/app/.git\", httpProxy: \"http://p:s3cret-too@$SERVER_ADDR\"}" 'dockerStrategy: {}'
	check "through its own proxy it is built too" expect_exit 0 "$reconcile" .
	check "complete" builds_are proxied "1 Complete"
	check "the proxy was asked" grep -q '^POST http://git.example/app/.git/git-upload-pack' "$work/proxy/log"
	check "the login is in no output" bash -c "! grep -F s3cret '$work/out' '$work/err'"
	check "nor in state, logs or the image" bash -c "! git grep -q s3cret reconcile/state && ! git grep -q s3cret reconcile/logs && ! grep -rqF s3cret '$layouts/apps'"
fi
exit "$failed"
