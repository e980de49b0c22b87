#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# buildTimeout holds for all of a build, not only for its container: a git server that stops answering while the source is
# fetched, a registry that stops answering while the image is pushed. Others are built meanwhile.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
git_servers_need nginx fcgiwrap docker-registry || exit 77
cleanup() { git_servers_stop "$work/git" || true; stop_servers; rm -rf "$work"; }
trap cleanup EXIT
build_world
mkdir -p "$work/repos"
git_repo_new "$work/repos/app.git"
git clone -q "$work/repos/app.git" "$work/app" 2>/dev/null
app_commit "$work/app" index.txt "a page" "first page"
url=$(git_http_start "$work/repos" "$work/git") || exit $?
start_fake "$work/hang" "$top/tests/lib/hang.py" "${url#http://}" '^POST .*git-upload-pack\n(.|\n)*command=fetch'
slow_git=http://$SERVER_ADDR
start_registry "$work/remote"
registry=$SERVER_ADDR
start_fake "$work/hang-push" "$top/tests/lib/hang.py" "$registry" '^PUT /v2/.*/manifests/'
slow_registry=$SERVER_ADDR
cat >>reconcile.yaml <<-YAML
	- prefix: "$registry"
	  insecure: true
	- prefix: "$slow_registry"
	  insecure: true
YAML
# image NAME TAG URL BUILD
image() {
	cat >"$1.yaml" <<-YAML
		apiVersion: kpack.io/v1alpha2
		kind: Image
		metadata: {name: $1, namespace: shop}
		spec:
		  tag: $2
		  builder: {kind: ClusterBuilder, name: default}
		  source: {git: {url: $3/app.git, revision: main}}
		  build: $4
	YAML
}
says_late() { [[ $(state conditions.0.message "$1") == *"DeadlineExceeded: it took longer than its buildTimeout of 5 s, in $2" ]] || { state conditions "$1"; return 1; }; }
# Ours alone: others may build beside us.
no_worker() {
	local process
	for process in /proc/[0-9]*; do
		[ "$(readlink "$process/exe" 2>/dev/null)" = "$(realpath "$reconcile")" ] || continue
		! tr '\0' '\n' <"$process/environ" 2>/dev/null | grep -qxF "HOME=$HOME" || { cat "$process/cmdline"; return 1; }
	done
}

image plain "$registry/apps/plain" "$url" '{buildTimeout: 600}'
image fetch registry.local/apps/fetch "$slow_git" '{buildTimeout: 5}'
image push "$slow_registry/apps/push" "$url" '{buildTimeout: 5}'
start=$(date +%s)
(for i in $(seq 100); do sleep 0.1; no_worker >/dev/null || { touch "$work/seen"; break; }; done) &
check "two that hang fail alone" expect_exit 4 timeout 120 "$reconcile" -j 3 .
took=$(($(date +%s) - start))
check "in their time and a moment ($took s)" [ "$took" -lt 25 ]
check "the git server was asked" grep -q upload-pack "$work/hang/log"
check "the registry was asked" grep -q manifests "$work/hang-push/log"
check "the source that never came" says_late fetch PREPARE
check "the image that was never taken" says_late push EXPORT
check "is a failed build" state_is Failed lastAttempt.result fetch
check "that is the build's own" state_is invalid lastAttempt.failure.kind push
check "the third one was built" state_is Succeeded lastAttempt.result plain
check "the log was kept" bash -c "git show reconcile/logs:shop/images/push/1.log | grep -q EXPORT"
check "workers were seen" test -e "$work/seen"
check "no worker is left" no_worker
check "it is not tried again by itself" expect_exit 0 "$reconcile" .
check "and said" says "build #1 failed and nothing has changed since"
check "no mount is left" bash -c "! grep -F '$work' /proc/self/mounts"
image fetch registry.local/apps/fetch "$url" '{buildTimeout: 60}'
rm push.yaml
check "with a server that answers" expect_exit 0 "$reconcile" .
check "it is built" state_is Succeeded lastAttempt.result fetch
check "what a killed one left goes with the next build" bash -c "[ -z \"\$(find '$work/cache/reconcile/tmp' -mindepth 1 -maxdepth 1)\" ] || { ls '$work/cache/reconcile/tmp'; exit 1; }"
exit $failed
