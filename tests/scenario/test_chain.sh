#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One run, from a commit to a manifest: an image is built and pushed to the repository of a stream, the stream's tag moves,
# a tag that follows it moves too, an image that watches it is built for it, and a workload names the new image.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
for need in crun skopeo; do command -v $need >/dev/null || skip "$need is missing"; done
cleanup() { rm -rf "$work"; }
trap cleanup EXIT
build_world
printf 'streams: {registry: registry.local/streams}\n' >>reconcile.yaml
add_image base
add_image app
sed -i 's|tag: registry.local/apps/base|tag: registry.local/streams/shop/base:1|' base.yaml
sed -i 's|^  labels: {app: app}|  annotations:\n    image.openshift.io/triggers: '"'"'[{"from":{"kind":"ImageStreamTag","name":"base:latest"}}]'"'"'|' app.yaml
cat >streams.yaml <<'YAML'
apiVersion: image.openshift.io/v1
kind: ImageStream
metadata: {name: base, namespace: shop}
spec:
  tags:
  - name: latest
    from: {kind: ImageStreamTag, name: "1"}
YAML
cat >deployment.yaml <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: front
  namespace: shop
  annotations:
    image.openshift.io/triggers: |
      [{"from": {"kind": "ImageStreamTag", "name": "base:latest"}, "fieldPath": "spec.template.spec.containers[?(@.name==\"a\")].image"}]
spec:
  template:
    spec:
      containers:
      - name: a
        image:   none   # kept up to date
YAML
git add -A && git commit -qm manifests
top_of() { git show reconcile/state:shop/imagestreams/base.yaml | python3 -c 'import sys,yaml; d=yaml.safe_load(sys.stdin); print([t["items"][0]["image"] for t in d["status"]["tags"] if t["tag"] == sys.argv[1]][0])' "$1"; }
n_items() { git show reconcile/state:shop/imagestreams/base.yaml | python3 -c 'import sys,yaml; d=yaml.safe_load(sys.stdin); print([len(t["items"]) for t in d["status"]["tags"] if t["tag"] == sys.argv[1]][0])' "$1"; }
digest_of() { skopeo inspect --format '{{.Digest}}' "oci:$work/registry/registry.local/$1"; }
same() { [ "$1" = "$2" ] || { echo "'$1' is not '$2'"; return 1; }; }

note "what follows what"
check "a graph" expect_exit 0 "$reconcile" graph
check "of the deployment and its stream" bash -c "grep -A1 '^Deployment shop/front' '$work/out' | grep -q 'ImageStream shop/base'"

note "the first run"
check "a dry run" expect_exit 0 "$reconcile" --dry-run .
check "knows what it cannot know yet" says "known after Image shop/base"
check "a run" expect_exit 0 "$reconcile" --write=files .
first=$(digest_of streams/shop/base:1)
check "the tag is what was pushed" same "$(top_of 1)" "$first"
check "and so is the one that follows it" same "$(top_of latest)" "$first"
check "what is known of the image is kept" git cat-file -e "reconcile/state:cluster/images/sha256/${first#sha256:}.yaml"
check "the deployment names it, and nothing else changed" bash -c "git diff -U0 deployment.yaml | grep '^[-+] ' | diff - <(printf '%s\n' '-        image:   none   # kept up to date' '+        image:   registry.local/streams/shop/base@$first   # kept up to date')"
check "both images were built once" bash -c "[ \$('$reconcile' build list -A 2>/dev/null | grep -c SUCCESS) = 2 ]"
git commit -qam edited
check "there is nothing left to do" expect_exit 0 "$reconcile" --expect-no-changes .

note "a commit"
app_commit "$work/base" index.txt "page two" "second page"
check "a run" expect_exit 0 "$reconcile" --write=files .
check "says why" says "COMMIT"
second=$(digest_of streams/shop/base:1)
check "another image" bash -c "[ '$first' != '$second' ]"
check "moved the tags in the same run" same "$(top_of latest)" "$second"
check "with their history" same "$(n_items latest)" 2
check "the image that watches was built for IMAGE" bash -c "'$reconcile' build list app -n shop | grep -E '^2 .*IMAGE'"
check "the deployment too" grep -qF "base@$second   # kept" deployment.yaml
git commit -qam edited
check "there is nothing left to do" expect_exit 0 "$reconcile" --expect-no-changes .

note "a roll-back"
check "by the command" expect_exit 0 "$reconcile" tag "base@$first" base:latest -n shop
check "says so" says "Tag base:latest set to base@$first."
git commit -qam back
check "a run" expect_exit 0 "$reconcile" --write=files .
check "the tag is back" same "$(top_of latest)" "$first"
check "the push is not" same "$(top_of 1)" "$second"
check "the deployment is" grep -qF "base@$first   # kept" deployment.yaml
git commit -qam edited
check "and stays" expect_exit 0 "$reconcile" --expect-no-changes .
exit $failed
