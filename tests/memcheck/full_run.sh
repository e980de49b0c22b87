#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A world is made, built, changed, built again, looked at; every process of ours under valgrind: full_run.sh BUILD LOGS [short].
# Run by memcheck, which reads the logs. The workers are started by the setting `executor`: valgrind cannot follow /proc/self/exe.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$(cd "$1" && pwd)"
logs=$2 length=${3:-long}
trap 'rm -rf "$work"' EXIT
program=$reconcile reconcile=$work/under-valgrind
# What is not ours, below /usr, runs as it is. A child between fork and exec is not looked at.
cat >"$reconcile" <<SH
#!/bin/sh
exec valgrind -q --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite --error-exitcode=99 \\
	--track-fds=yes --trace-children=yes --trace-children-skip='/usr/*,/bin/*,/sbin/*' --child-silent-after-fork=yes \\
	--log-file=$logs/%p.log $program "\$@"
SH
chmod 755 "$reconcile"
mkdir -p "$HOME/.config/reconcile"
cat >"$HOME/.config/reconcile/settings.yaml" <<YAML
apiVersion: reconcile.dev/v1
kind: Settings
executor: [$reconcile, worker]
YAML
build_world
add_image a
check "a first run builds" expect_exit 0 "$reconcile" .
check "nothing is left to do" expect_exit 0 "$reconcile" --expect-no-changes .
[ "$length" = long ] || exit $failed

app_commit "$work/a" index.txt "Hello again" "second page"
check "a plan" expect_exit 0 "$reconcile" --dry-run .
check "a plan as JSON" expect_exit 0 "$reconcile" --dry-run=offline -o json .
check "a commit is built" expect_exit 0 "$reconcile" --log-level debug .
check "a log" expect_exit 0 "$reconcile" build logs a -n shop
check "a list" expect_exit 0 "$reconcile" image list -n shop
check "why" expect_exit 0 "$reconcile" why Image/shop/a
check "a graph" expect_exit 0 "$reconcile" graph .
make_stack "$work/registry/registry.local/stacks/base" run two >/dev/null
check "a new stack" expect_exit 0 "$reconcile" .
add_image b
app_commit "$work/b" fail "it fails" "broken"
check "a build that fails" expect_exit 4 "$reconcile" .
printf 'apiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata: {name: ""}\nspec: {bulider: 1, tag: ::}\n---\n[\n' >broken.yaml
check "manifests with mistakes" expect_exit 3 "$reconcile" .
rm broken.yaml
cat >more.yaml <<YAML
apiVersion: image.openshift.io/v1
kind: ImageStream
metadata: {name: base, namespace: shop}
spec:
  tags: [{name: "1", from: {kind: DockerImage, name: "registry.local/stacks/base:run"}}]
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  annotations: {image.openshift.io/triggers: '[{"from":{"kind":"ImageStreamTag","name":"base:1"},"fieldPath":"spec.template.spec.containers[0].image"}]'}
spec:
  template: {spec: {containers: [{name: c, image: x}]}}
YAML
check "an import, an edit" expect_exit 0 "$reconcile" .
rm more.yaml
check "deleted manifests" expect_exit 0 "$reconcile" .
exit $failed
