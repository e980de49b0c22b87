#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds that stand among the manifests by themselves: run once by the real worker, seen by every build command, never again.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
trap 'rm -rf "$work"' EXIT
export RECONCILE_SETTINGS=$work/settings.yaml
mkdir -p "$work/config"
cat >"$work/settings.yaml" <<-YAML
	apiVersion: reconcile.dev/v1
	kind: Settings
	metadata: {name: settings}
	registries: [{prefix: registry.local, layout: ./registry}]
	streams: {registry: registry.local}
	executor: ["$work/broken"]
YAML
printf '#!/bin/sh\ncat >/dev/null\nexit 1\n' >"$work/broken"
chmod +x "$work/broken"
cd "$work/config"
git init -q .
# hello DOCKERFILE
hello() {
	cat >hello.yaml <<-YAML
		apiVersion: build.openshift.io/v1
		kind: Build
		metadata: {name: hello, namespace: shop}
		spec:
		  source: {dockerfile: "$1"}
		  strategy: {dockerStrategy: {env: [{name: GREETING, value: hi}]}}
		  output: {to: {kind: ImageStreamTag, name: "hello:1"}}
		---
		apiVersion: image.openshift.io/v1
		kind: ImageStream
		metadata: {name: hello, namespace: shop}
	YAML
	git add -A
	git commit -qm manifests
}
look() { expect_exit 0 "$reconcile" "$@" -n shop --state .; }
hello 'FROM scratch\nLABEL a=b\n'
check "the worker dies" expect_exit 4 "$reconcile" .
check "its record says so" bash -c "git show reconcile/state:shop/builds/hello/builds/1.yaml | grep -qx '  phase: Error'"
command -v buildah >/dev/null || { note "without buildah: no build by the real worker"; exit $failed; }
sed -i /executor/d "$work/settings.yaml"
check "it is tried again" expect_exit 0 "$reconcile" .
check "and is complete" bash -c "git show reconcile/state:shop/builds/hello/builds/2.yaml | grep -qx '  phase: Complete'"
check "under its own name" bash -c "git show reconcile/state:shop/builds/hello/builds/2.yaml | grep -qx '  name: hello'"
check "the stream has it" bash -c "git show reconcile/state:shop/imagestreams/hello.yaml | grep -q 'from: Build/shop/hello'"
check "the image is there" [ -e "$work/registry/registry.local/shop/hello/index.json" ]
check "list" look build list
check "… names it once" [ "$(grep -c '^hello  *Docker  *Complete' "$work/out")" = 1 ]
check "list of one" look build list build/hello
check "… in oc's columns" grep -Eq '^hello +Docker +Dockerfile +Complete' "$work/out"
check "describe" look describe build/hello
check "… tells its cause" grep -q 'Manually triggered' "$work/out"
check "… and no build config" grep -Eq '^Build Config:[[:space:]]+<none>' "$work/out"
check "logs" look build logs hello
check "… have its steps" grep -q 'LABEL' "$work/out"
check "lie below its name" bash -c "git ls-tree -r --name-only reconcile/logs | grep -qx 'shop/builds/hello/2.log'"
check "cancel comes too late" look build cancel build/hello
check "which is said" says 'build shop/hello has ended: Complete'
before=$(git rev-parse reconcile/state)
check "nothing is left to do" expect_exit 0 "$reconcile" .
check "why" expect_exit 0 "$reconcile" why Build/shop/hello .
check "… knows the last attempt" bash -c "grep -A3 'Last attempt' '$work/out' | grep -q 2"
check "--trigger would run it again" expect_exit 0 "$reconcile" --dry-run --trigger Build/shop/hello .
check "… as the next one" grep -q 'build #3' "$work/out"
check "nothing was recorded" [ "$(git rev-parse reconcile/state)" = "$before" ]
hello 'FROM scratch\nLABEL a=c\n'
check "another spec is a mistake" expect_exit 4 "$reconcile" .
check "… in OpenShift's words" says 'Build.build.openshift.io "hello" is invalid: spec: spec is immutable'
git rm -q hello.yaml
git commit -qm gone
check "its record goes with it" expect_exit 0 "$reconcile" --prune=all .
check "all of it" bash -c "! git ls-tree -r --name-only reconcile/state | grep -q shop/builds"
exit $failed
