#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Limits of builds: memory, processors, processes, time. What ends for them says so, and leaves nothing; where one cannot be
# enforced (no root, no delegated cgroup) the build does not run without it.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
command -v crun >/dev/null || skip "crun is not installed"
cleanup() { rm -rf "$work"; }
trap cleanup EXIT

make_stack "$work/registry/registry.local/stacks/base" build one >/dev/null
make_stack "$work/registry/registry.local/stacks/base" run one >/dev/null
bp=$work/limits
mkdir -p "$bp/bin"
printf 'api = "0.10"\n[buildpack]\nid = "test/limits"\nversion = "1.0.0"\n[[targets]]\nos = "linux"\n' >"$bp/buildpack.toml"
printf '#!/bin/sh\nexit 0\n' >"$bp/bin/detect"
cat >"$bp/bin/build" <<'SH'
#!/bin/sh
set -e
case $MODE in
memory) exec awk 'BEGIN { s = "0123456789abcdef"; while (length(s) < 400000000) s = s s; print length(s) }' ;;
time) sleep 297 & sleep 297 ;;
pids) i=0; while [ $i -lt 60 ]; do sleep 2 & i=$((i + 1)); done; wait; echo "had $i" ;;
*) echo "needs nothing" ;;
esac
SH
chmod 755 "$bp"/bin/*
make_buildpackage "$work/registry/registry.local/buildpacks/limits" "$bp" test/limits 1.0.0 >/dev/null
mkdir -p "$work/src"
echo text >"$work/src/index.txt"
mkdir "$work/config"
cp "$example/manifests/reconcile.yaml" "$work/config"
cat >"$work/config/builder.yaml" <<'YAML'
apiVersion: kpack.io/v1alpha2
kind: ClusterStack
metadata: {name: base}
spec:
  id: dev.reconcile.stacks.quickstart
  buildImage: {image: registry.local/stacks/base:build}
  runImage: {image: registry.local/stacks/base:run}
---
apiVersion: kpack.io/v1alpha2
kind: ClusterStore
metadata: {name: store}
spec: {sources: [{image: registry.local/buildpacks/limits:1.0.0}]}
---
apiVersion: kpack.io/v1alpha2
kind: ClusterBuilder
metadata: {name: default}
spec:
  tag: registry.local/builders/default
  serviceAccountRef: {name: default, namespace: default}
  stack: {name: base, kind: ClusterStack}
  store: {name: store, kind: ClusterStore}
  order: [{group: [{id: test/limits}]}]
YAML
# image NAME MODE BUILD-FIELDS
image() {
	cat >"$work/config/image-$1.yaml" <<YAML
apiVersion: kpack.io/v1alpha2
kind: Image
metadata: {name: $1}
spec:
  tag: registry.local/apps/$1
  builder: {name: default, kind: ClusterBuilder}
  source: {local: {path: ../src}}
  build: {env: [{name: MODE, value: $2}], $3}
YAML
}
nothing_left() {
	sleep 0.3
	! grep -F "$work" /proc/self/mounts || return 1
	! pgrep -f "sleep [2]97" || return 1
	! find /sys/fs/cgroup -maxdepth 4 -type d -name 'reconcile-*' 2>/dev/null | grep . || return 1
	[ -z "$(find "$work/cache/reconcile/tmp" -mindepth 1 -maxdepth 1 2>/dev/null)" ] || { ls -la "$work/cache/reconcile/tmp"; return 1; }
}
git init -q "$work/config"
git -C "$work/config" add -A
git -C "$work/config" commit -qm config
cd "$work/config"
status() { git show "reconcile/state:default/images/$1.yaml"; }

image plain plain 'resources: {requests: {cpu: "1", memory: 1Gi}}'
image time time 'buildTimeout: 3'
check "a build that takes too long fails alone" expect_exit 4 "$reconcile" -j 2 .
check "its status says why" bash -c "git show reconcile/state:default/images/time.yaml | grep -q 'DeadlineExceeded: it took longer than its buildTimeout of 3 s'"
check "the other was built" bash -c "git show reconcile/state:default/images/plain.yaml | grep -q 'latestImage'"
check "requests are said not to be acted on" bash -c "'$reconcile' build logs plain | grep -q 'requests are for a cluster'"
check "nothing of it is left" nothing_left
check "it is not tried again by itself" expect_exit 0 "$reconcile" .
check "said so" bash -c "! grep -q 'build #2' '$work/out'"
rm image-time.yaml

# By the machine's means: root with a cgroup of its own, or not.
image memory memory 'resources: {limits: {memory: 96Mi}}'
image pids pids 'resources: {limits: {pids: "30"}}'
image cpu plain 'resources: {limits: {cpu: 500m}}'
if "$reconcile" . >"$work/out" 2>"$work/err"; then
	echo "not ok - a build beyond its memory limit succeeded"
	exit 1
fi
if status memory | grep -q "cannot limit"; then
	note "limits cannot be enforced here"
	check "a limit that cannot be enforced is an error" bash -c "git show reconcile/state:default/images/memory.yaml | grep -q \"cannot limit a container's memory here: no writable cgroup\""
else
	check "memory: the status says why" bash -c "git show reconcile/state:default/images/memory.yaml | grep -q 'OOMKilled: it needed more memory than its limit of 96 MiB allows'"
	check "processes: the build could not start more" bash -c "git show reconcile/state:default/images/pids.yaml | grep -q 'BuildFailed'"
	check "a share of a processor is enough" bash -c "git show reconcile/state:default/images/cpu.yaml | grep -q 'latestImage'"
fi
check "nothing of them is left" nothing_left

note "without root"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && setpriv --reuid 65534 --regid 65534 --clear-groups unshare --user true 2>/dev/null; then
	copy=$work/nobody
	mkdir "$copy"
	cp -r "$work/config" "$work/src" "$work/registry" "$copy"
	cp "$reconcile" "$copy/reconcile"
	rm -rf "$copy/config/.git" "$copy"/config/image-*.yaml
	cp image-memory.yaml image-plain.yaml image-cpu.yaml "$copy/config"
	mkdir "$copy/home"
	cp "$HOME/.gitconfig" "$copy/home"
	chown -R 65534:65534 "$copy"
	nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$copy/home" XDG_CACHE_HOME="$copy/cache" "$@"; }
	nobody git init -q "$copy/config"
	nobody git -C "$copy/config" add -A
	nobody git -C "$copy/config" commit -qm config
	cd "$copy/config"
	check "only what asks for a limit fails" expect_exit 4 nobody "$copy/reconcile" .
	check "and says that the limit cannot be had" says "cannot limit a container's memory here: no writable cgroup (run as root or in a delegated cgroup, or leave the limit out)"
	check "what asks for none" expect_exit 0 nobody git -C "$copy/config" show reconcile/state:default/images/plain.yaml
	check "is built" says "latestImage:"
else
	note "skipped: user namespaces are closed to others here"
fi
exit $failed
